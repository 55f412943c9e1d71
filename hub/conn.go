package hub

// Conn is one client's transport, as the hub needs it: hub/server puts a
// WebSocket behind it, hub/hubtest a pair of channels.
//
// Read belongs to one goroutine, the session's reader. Send and Close may be
// called from any goroutine at any time and never block on the network.
type Conn interface {
	// Read returns the client's next whole text message. The slice is valid
	// until the next Read. Any error means that the connection is over; the
	// transport has then told the client why, as far as it could.
	Read() ([]byte, error)

	// Send queues a packet made by [Options].Frame, or several joined. They
	// leave whole and in order, and nothing of the slice is kept. What overflows the connection's queue closes it with
	// [CloseTooSlow]; an error only says that the connection is over, and may
	// be ignored, since Read reports the same.
	Send(packet []byte) error

	// Closed is the code of the close frame that was sent, whoever began; 0 while
	// none was, and so, once Read has failed, of a connection that broke.
	Closed() CloseCode

	// Close starts the closing handshake: what is queued leaves first, then
	// the code and the reason (cut to 123 bytes). Read fails soon after. Only
	// the first Close counts.
	Close(code CloseCode, reason string)
}
