// Package hub is the kernel of Bellhub: it joins visitors, a domain's AI and
// the people of its team in rooms, and lets plugins take part at every step. It
// knows no database, no HTTP and no feature; the standard library and
// golang.org/x are all it imports.
//
// # The log is the truth
//
// A room is an append-only log of events, numbered from 1 without gaps. What a
// member must still see after a reload is an event: message, escalation,
// takeover, handback, notice. Everything else, typing, presence, an answer that
// is still growing, is an ephemeral frame and may be lost.
//
// [Room.Next] is the one rule by which a log grows. Stores call it while they
// hold the room, so that every store agrees on numbers, on who holds a room,
// and on the epoch.
//
// # Guarantees
//
//   - An acknowledged event is durable, and every member is shown it exactly
//     once, in order of its number, also after a reconnect ([Range], "after").
//   - A client's id makes a frame idempotent, for good: sent again it is
//     acknowledged again with the first result, and stored once. The same id
//     with another body is refused.
//   - A room's epoch rises with every takeover and hand-back. What the AI says
//     carries the epoch its turn began in: the log refuses an older one, and no
//     connection gets a stream frame of it after the takeover.
//   - The sender is acknowledged before it is shown its own event.
//   - No hook, slow client or lost signal holds up anybody else's conversation.
//
// # The life of a connection
//
// The server hands Serve a [Conn] and what it knows of the handshake. The first
// frame is hello, within ten seconds: a visitor's names a domain (and its token,
// room and cursor), an admin's a room or a domain to watch. The session is then
// let in by the store, becomes a member of its live room, is sent its welcome
// with the part of the log it has missed, and from there everything that
// follows. It becomes a member before the log is read, and what happens in
// between is held for it, so nothing falls into the gap. A visitor who names a
// room sits down in it first and is then let in or sent away: one query tells
// of both, and a visitor who has missed nothing costs no other.
//
// One goroutine, the reader, runs Serve, and one more for as long as a frame is
// worked on: scan, hooks, store, acknowledgement, one frame at a time. What others
// send it arrives through Conn.Send, which never blocks. A connection ends when
// Read fails: the client left, the transport gave up on it, or somebody called
// Conn.Close, because of a revocation, a newer tab, a flood, or a drain.
//
// Drain lets each session finish the frame it is at, acknowledgement included,
// and then closes with 1012; a frame that comes later is not worked on, and its
// sender repeats it to the next server.
//
// # From append to screen
//
//	hooks (EventAppending) → Store.Append → fence → ack → Backplane → live room → members
//
// Appends that wait at the same time may be committed together; that is the
// store's affair. After the commit, growing answers of older epochs are cut on
// this node; the sender gets its acknowledgement; then the event goes through the
// backplane to the room on each node that has members. Signals may be lost or
// overtake each other: a live room delivers strictly by number, lets an early
// event wait for at most 100 ms, and then reads the log.
//
// An event is encoded once. In a room of up to 16 members the one who publishes
// writes it to each of them, and its own acknowledgement leaves in the same write
// as its own event. A larger room has a goroutine, for as long as there is
// anything to send, that writes what has come meanwhile to each member at once.
//
// # Plugins
//
// What the hub does beyond this is done by plugins: the AI's answers, the bell,
// takeover, mail and the console are the first ones. [Plugin] says what one is and
// when its methods are called; [Hooks] is every place where it is asked; [Host] is
// the hub as one plugin sees it. The tutorial is plugins/README.md.
//
//   - It binds typed hooks in Init ([Before], [After], [Order], [Timeout],
//     [FailClosed]). An event comes by value, and what is not returned has no
//     effect. [Veto] refuses, in words for the one who is refused.
//   - It takes frames of its own from clients ([Host.Handle]), whose
//     acknowledgement is what the handler returns and whose error is an [Error],
//     and sends frames of its own ([Host.Push]), which may be lost.
//   - It adds to a room's log ([Host.Append]): whatever must be there after a
//     reload. Writes of its own that belong to the event go into its transaction
//     ([Append]); work that somebody else's event causes is a [Job], added in
//     EventAppending and committed with the event, or not at all.
//   - It has settings ([Configurable]), words ([Worded], [ReadTexts]), metrics
//     ([Host.Counter]), a log ([Host.Log]), pages and panels in the console
//     ([Pager], [Paneler]), and a script in the widget ([Scripter]).
//   - It meets other plugins in hook events alone, whose types are here also where a
//     plugin fires them ([Host.BellRung], [Host.HandingBack]): none imports another.
//
// What it brings is checked at start. Names that are not its own, and names that
// two plugins claim, make the start fail with both owners.
//
// A plugin is held at arm's length. A hook that fails, panics, overstays
// [HookTimeout] or returns what cannot be stored is skipped, its result thrown
// away, or refuses, where it was bound FailClosed. After three failures within a
// minute the plugin's breaker opens: for 30 s none of its hooks is called, then
// one is, to see. A hook that is left behind keeps its goroutine, its ctx is
// cancelled, and at most 16 of a plugin's are. One that floods a room with frames
// or events is refused. A Runner is started again with growing pauses. How each
// fares is told by [Host.Plugins].
//
// A hook that decides by the room's mode sets the append's epoch: should the room
// change hands before the commit, the hooks are asked again.
//
// # Locks
//
// Taken in this order, and never held while a store, a hook or the network is
// waited for:
//
//	Hub.mu         sessions, live rooms, visitors, watchers
//	liveRoom.mu    members, delivery, epoch, what a large room is still to be sent
//	(the Conn's own)
//
// session.mu guards only whether a frame is being worked on, chainRun.mu one run
// of a chain of hooks with its plugins' breakers; neither is taken with any of
// the others held. A breaker's, an allowance's and a lastFailure's are leaves:
// nothing is called with them held.
package hub
