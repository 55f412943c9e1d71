// Package webhooks carries a domain's events to the owner's own servers, over
// HTTP and in any language, and lets one of them decide on what visitors write.
//
// # Deliveries
//
// An endpoint is an address that wants some of the events of its domain. In the
// transaction that appends such an event to a room's log stands a job for each
// endpoint that wants it, so that nothing is delivered that did not happen, and
// nothing whose job was stored is forgotten. The worker reads the event from the
// log and posts it:
//
//	POST /hooks/chat HTTP/1.1
//	content-type: application/json
//	webhook-id: msg_0199c3f8-…
//	webhook-timestamp: 1767225600
//	webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=
//
//	{
//	  "type": "message.created",
//	  "timestamp": "2026-01-01T00:00:00.000Z",
//	  "data": {
//	    "domain": "kopitugu",
//	    "room": {"id": "0199c3f7-…", "ref": "K7QM-2XAB"},
//	    "event": {
//	      "seq": 42, "type": "message", "at": "2026-01-01T00:00:00.000Z",
//	      "author": {"kind": "visitor", "id": "0199c3f6-…"},
//	      "text": "Do you ship to Oslo?"
//	    }
//	  }
//	}
//
// The type is the event's (message, escalation, takeover, handback, notice) and
// ".created"; the event is what the WebSocket protocol calls one, as described at
// /asyncapi.yaml. The test button sends the type "ping", whose data is the domain
// alone.
//
// Any answer from 200 to 299 within 15 s is a success. Anything else is tried
// again as [storage.Schedule] says, nine times within eight hours, or later where
// the answer's Retry-After asks for it (up to four hours); then the delivery has
// failed, which the console shows, with a button to replay it. So can be one of
// which nothing is heard for [overdueAfter]: its node died in the last attempt.
// Redirects are not followed: they count as failures, since a signed body is meant
// for one address. 410 Gone switches the endpoint off. So do [failuresToStop]
// deliveries in a row that failed for good over at least [failingToStop].
//
// From each node at most [inFlight] deliveries to an endpoint are under way at a
// time, so that one that answers late keeps nobody else's waiting. One for which
// there is no place is put off as if it had been tried, but never fails for that:
// in place of its last attempt it gets a new schedule.
//
// A delivery arrives at least once, unless it fails: a receiver that answers too
// late, or a server that dies in between, makes it come again, with the same
// webhook-id. Events of one room may overtake each other: room.id and event.seq,
// which counts from 1 without gaps in each room (an endpoint that takes only some
// types sees only theirs), put them in order.
//
// The jobs are added by a hook, which refuses an event while the database cannot
// say who wants it, as the log does while it cannot store it. But a conversation
// does not stop for a broken plugin: where the hook panics or is not back in time,
// and while it is skipped since that happened too often, events are stored without
// jobs, and nothing delivers them later. Such calls are counted, as failed, overdue
// or skipped, on the console's page Plugins and in bellhub_hook_calls_total.
//
// # Signatures
//
// They are those of Standard Webhooks (https://www.standardwebhooks.com), for
// which there are libraries in most languages. After the secret was changed, the
// one before signs beside it for [rotation], as a second signature after a space.
//
// # Decisions
//
// A domain may name one endpoint that is asked about each message of a visitor
// before it is stored: type "message.pending", signed alike, with the message's
// author and text and the visitor's language (lang) in data.message. It answers,
// within the deadline that the owner has set, {"action":"allow"},
// {"action":"veto","message":"…"} with what the visitor is shown, or
// {"action":"rewrite","text":"…"} with what is stored. Without such an answer the
// message goes through, or is refused, as the owner has chosen. An endpoint that
// fails [askFailures] times in a row is not asked for [askPause].
//
// It is asked after the other plugins' hooks, so it gets the message as they have
// left it, and nothing filters what it writes in its place.
//
// What the AI and the team write is not asked about: an answer has been read, as
// it grew, before it is stored, and the team needs nobody's leave.
//
// # Where requests may go
//
// No request reaches an address that is not of the public internet (loopback,
// private, link-local and metadata, shared, multicast, or an IPv6 form of one of
// these), whatever the name resolves to at the moment of dialling, unless
// -webhooks-allow names it. Only such addresses may be http. Proxies of the
// environment are not used.
//
// # Metrics
//
//	bellhub_webhooks_deliveries_total{outcome}   attempts to deliver an event to an endpoint: delivered, or why not
//	bellhub_webhooks_decisions_total{outcome}    questions to a decision endpoint: allow, veto, rewrite, or why there was no answer
package webhooks
