package mail

import "context"

// Sender hands one message to whoever delivers it. It is called concurrently,
// with a deadline, and perhaps again with the same Message.ID where the answer
// to an earlier call was lost.
type Sender interface {
	// Send returns the provider's own id for the message once the provider has
	// taken it over. The error is a [Failure].
	Send(ctx context.Context, m Message) (providerID string, err error)
}

// Message is a rendered email, on its way to one recipient.
type Message struct {
	ID         string // the delivery id: the same for every attempt
	Kind       string // what sort of email it is, to tell them apart in statistics
	MessageID  string // the Message-Id header, made of ID: the same for every attempt
	References string // the thread that the room's emails hang together by
	From       string
	To         string // one bare address
	Subject    string
	Text       string
	HTML       string
	Link       string // the address that opens the room; a secret
	token      string // its secret part, to be kept out of errors
}
