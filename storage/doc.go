// Package storage keeps everything Bellhub knows: GORM models, versioned
// migrations, the rooms' event log, and durable jobs, in SQLite (the default,
// without cgo) or in MySQL and MariaDB.
//
// # Handles
//
// Code outside this package never opens a connection. A context carries the
// [Store] (see [With]), and within [Tx] the transaction; [DB] and [Read] give
// the handle that fits:
//
//	storage.DB(ctx)   the transaction if ctx carries one, else the writer
//	storage.Read(ctx) the transaction if ctx carries one, else the readers
//
// SQLite's writer is a pool of one connection: asking for a second one while a
// transaction holds the first waits for ever. Passing ctx on, and never keeping
// a handle, makes that impossible.
//
// # The event log
//
// [Store.Append] is a group commit. One goroutine takes whatever appends wait, up
// to 256, and commits them together; there is no timer, so a lone one waits for
// nobody, and the busier the store the larger its batches. A batch locks its rooms
// in order of their ids, applies [hub.Room.Next] in memory, and writes all events
// in one statement. What one append gets wrong fails alone; a lost deadlock is
// tried again; where the database is gone nothing is acknowledged, and the client
// says it again with the same id. An append with writes of its own (Within) has a
// transaction of its own, and what comes to its room meanwhile waits apart: nobody
// else waits for a room.
//
// # What lives here
//
// The tables that more than one plugin reads: domains, origins, settings,
// admins, memberships, sessions, grants, visitors, rooms, events, jobs, CC
// rules, links, emails and knowledge. A plugin's own tables carry its id as a
// prefix and come from its own migrations (see [Migration]).
//
// Every query about a domain's things names the domain; nothing is found by a
// bare id that another domain could guess.
//
// # Time and ids
//
// Ids are UUIDv7 text. Times are UTC with whole milliseconds. Tokens are 256
// random bits of which only the SHA-256 is stored.
package storage
