// Package story tells, as tests, what Bellhub is for: a visitor asks, the AI
// answers, the visitor rings the bell, an email goes out, an admin opens the
// room from it, takes over, answers, and hands back.
//
// The tests drive the program as it is built, from outside: once over raw
// WebSocket and HTTP, and once in Chromium, by mouse and by keyboard alone, on
// SQLite and on MariaDB. Stories of the browser's client alone, such as how it
// comes back, are told in a world where time and sockets are the test's.
package story
