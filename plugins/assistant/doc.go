// Package assistant answers visitors: the AI of a domain.
//
// # A turn
//
// A visitor's message in a room that the AI answers in brings a job with it,
// written in the message's own transaction, so that no question is lost and
// none is answered that was not stored. The job is a turn:
//
//	question → passages → answer, streamed as it grows → one message in the log
//
// A turn may run more than once, since a node may die at any point of it, but
// its message is appended under one client id: the log has one answer a
// question. Turns of a room run one at a time, in the order of the questions.
//
// A turn carries the room's epoch from its beginning. When a person takes the
// room over while an answer is growing, the answer is not stored, and the turn
// ends without a word. A question that a person was there for, however briefly,
// is theirs.
//
// Where no answer can be had, three times within a minute, a notice says so:
// the visitor can ask again or ring the bell.
//
// # What it answers from
//
// The texts that a domain's owner gave it (storage.Knowledge), and of that
// domain alone: an index is made from one domain's rows and is found by that
// domain's id. A [Responder] gets the question, the conversation before it and
// the passages that fit best. The built-in one quotes those passages; where
// none fits it says that it does not know and points at the bell. It never
// rings the bell, and never says that it has.
package assistant
