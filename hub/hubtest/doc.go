// Package hubtest is the kit that Bellhub's own tests and a plugin's are made
// of. Nothing in it sleeps, leaves the machine, or is left behind.
//
// # A hub in three lines
//
//	k := hubtest.Start(t, hubtest.Options{}, greeter.New())
//	visitor := k.Visitor(t)
//	visitor.Say("hello")
//
// [Start] runs a hub with the plugins of a test, configured as [Options.Flags]
// say, in memory, with a domain "shop". [Options.Database] puts it on SQLite or
// MySQL instead, with the plugins' tables; [Kit.Ctx] then carries the database.
// [Kit.Visitor], [Kit.Admin] and [Kit.Dial] connect clients to it, over
// connections in memory. What a client is sent, it takes with [Client.Want] and
// its like; what a hook had is asked with [Fired].
//
// A test that fails shows what each client said and heard, and the hub's log. A
// test that ends must have left no goroutine of the hub's or a plugin's behind.
//
// # Time
//
// A test of what happens after a while runs in a bubble of testing/synctest, in
// which time passes only while everything waits:
//
//	synctest.Test(t, func(t *testing.T) {
//		k := hubtest.Start(t, hubtest.Options{Database: hubtest.SQLite}, greeter.New())
//		visitor := k.Visitor(t)
//		k.Advance(t, time.Minute)
//		visitor.Want("greeting")
//		hubtest.NotFired[hub.BellRung](t, k, nil)
//	})
//
// The hub, its breakers, timeouts and Runners, the connections in memory, Memory
// and SQLite live in a bubble; the clock of SQLite's jobs is the bubble's, so a
// job's retry in an hour takes no hour. Workers look for jobs each second, also
// of such time: an hour costs some seconds. What waits for a network does not
// live in a bubble, since time does not pass while it waits: MySQL, an HTTP
// server on a port, a browser.
//
// # Any plugin
//
// [Conform] puts a plugin through what every plugin must bear: misuse by
// clients, neighbours that panic, hubs that stop half-way. One line in its
// package's tests:
//
//	func TestConforms(t *testing.T) { hubtest.Conform(t, func() hub.Plugin { return greeter.New() }) }
//
// # Stores
//
// [Memory] is a [hub.Store] without a database, for tests of what happens in a
// room. Its ids count up, and its faults come when the test says so
// ([Memory.Fail]).
//
// [TestStore] is what every hub.Store has to pass: the meaning of the interface,
// written down so that it can be run. The store in memory and the one in SQLite
// and MySQL agree because the same suite says so.
//
// [MariaDB] gives a test a fresh database on a private server, which it starts
// when the first test asks. It never skips: a test that needs MySQL and finds
// none fails and says what to install.
package hubtest
