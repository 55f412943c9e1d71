// Package hubtest is the kit that Bellhub's own tests and a plugin's are made
// of. Nothing in it sleeps, leaves the machine, or is left behind.
//
// [Start] runs a hub with the plugins of a test, and [Kit.Visitor], [Kit.Admin]
// and [Kit.Dial] connect clients to it, over connections in memory:
//
//	k := hubtest.Start(t, hubtest.Options{}, greeter.New())
//	k.Memory.AddDomain(hub.Domain{Key: "shop", Name: "Shop", AI: true})
//	visitor := k.Visitor(t, "shop")
//	visitor.Send("message", "c-1", map[string]any{"text": "hello"})
//	visitor.Want("ack")
//
// A [Client] that waits in vain fails the test with the transcript of all that
// was said. A plugin that uses the database gets one from [SQLite] or [MySQL].
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
