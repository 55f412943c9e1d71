package hub

import "time"

// Limits is what the operator may move. 0 lifts a limit.
type Limits struct {
	MaxText               int     // characters of a message
	MessageRate           float64 // messages a second of one visitor, beyond the burst
	MessageBurst          int     // messages at once of one visitor
	MessagesPerMinute     int     // of one visitor
	MaxConnections        int     // on this node
	ConnectionsPerVisitor int     // on this node; one more ends the oldest
	BellsPerRoomHour      int     // new escalations; beyond: recorded, nobody alerted
	BellsPerIPHour        int     // likewise, from one address

	// LinkTTL is how long an emailed link works. It is never 0.
	LinkTTL time.Duration
}

// DefaultLimits are the limits of an operator who moved none. The message rates
// follow OWASP's WebSocket advice and Slack's; the length is what chat platforms
// allow.
func DefaultLimits() Limits {
	return Limits{
		MaxText: 4000, MessageRate: 1, MessageBurst: 10, MessagesPerMinute: 100,
		MaxConnections: 10_000, ConnectionsPerVisitor: 5,
		BellsPerRoomHour: 3, BellsPerIPHour: 100,
		LinkTTL: 24 * time.Hour,
	}
}

// The limits that are not the operator's to move.
const (
	MaxReason   = 1000 // characters of a bell's reason
	maxClientID = 64   // bytes of a frame's id
	maxDepth    = 16   // of a frame's JSON
	maxHellos   = 3    // on one connection
	maxLang     = 64   // bytes of the languages that a hello names
	firstPage   = 100  // events that a hello without a cursor brings
)
