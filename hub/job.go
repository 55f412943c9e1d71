package hub

import (
	"encoding/json"
	"time"
)

// Job is work that must not be lost: a row written in the transaction of what
// caused it, done by whichever node claims it, retried and at last finished or
// visibly failed.
type Job struct {
	Kind     string          // who does it, as in "mail.send"
	Key      string          // (Kind, Key) is unique: a second one is dropped
	Payload  json.RawMessage // what the worker needs to know
	RunAt    time.Time       // not before; the zero time is at once
	Priority int             // the higher goes first
}
