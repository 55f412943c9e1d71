// Package hubtest is the kit that Bellhub's own tests and a plugin's are made
// of. Nothing in it sleeps, leaves the machine, or is left behind.
//
// [Memory] is a [hub.Store] without a database, for tests of what happens in a
// room. Its ids count up, its faults come when the test says so ([Memory.Fail]),
// and it takes the time from time.Now alone, so that it may live in a
// testing/synctest bubble.
//
// [TestStore] is what every hub.Store has to pass: the meaning of the interface,
// written down so that it can be run. The store in memory and the one in SQLite
// and MySQL agree because the same suite says so.
//
// [MariaDB] gives a test a fresh database on a private server, which it starts
// when the first test asks. It never skips: a test that needs MySQL and finds
// none fails and says what to install.
package hubtest
