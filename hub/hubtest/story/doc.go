// Package story tells, as tests, what Bellhub is for: a visitor asks, the AI
// answers, the visitor rings the bell, an email goes out, an admin opens the
// room from it, takes over, answers, and hands back.
//
// The tests drive the program as it is built, from outside: once over raw
// WebSocket and HTTP, and once in Chromium, by mouse and by keyboard alone, on
// SQLite and on MariaDB.
package story
