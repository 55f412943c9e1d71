package hub

// CloseCode says why the server ends a connection, and by its number whether
// the client may come back. Numbers below 4000 are RFC 6455's, the others are
// Bellhub's own.
type CloseCode int

// The codes that the server sends. A client reconnects, with jitter, after
// 1001, 1011, 1012, 1013 and 4408; after 4429 once its delay is over; after
// any other code it does not reconnect by itself.
const (
	CloseDone        CloseCode = 1000 // the conversation is done
	CloseGoingAway   CloseCode = 1001 // the endpoint goes away
	CloseProtocol    CloseCode = 1002 // a frame broke RFC 6455
	CloseUnsupported CloseCode = 1003 // a binary message
	CloseInvalidText CloseCode = 1007 // text that is not UTF-8
	ClosePolicy      CloseCode = 1008 // a frame that this state does not allow
	CloseTooBig      CloseCode = 1009 // a message over the limit
	CloseInternal    CloseCode = 1011 // our fault
	CloseRestart     CloseCode = 1012 // the server restarts: come back within 10 s
	CloseTryLater    CloseCode = 1013 // the node is full
	CloseUnknown     CloseCode = 4401 // not authenticated, or a token that expired
	CloseRevoked     CloseCode = 4403 // access was withdrawn
	CloseTooSlow     CloseCode = 4408 // the client does not read, or sends too slowly
	CloseSuperseded  CloseCode = 4409 // a newer connection took this one's place
	CloseFlood       CloseCode = 4429 // too much, too fast
)

// closeCodes are all of them.
var closeCodes = []CloseCode{
	CloseDone, CloseGoingAway, CloseProtocol, CloseUnsupported, CloseInvalidText, ClosePolicy, CloseTooBig, CloseInternal,
	CloseRestart, CloseTryLater, CloseUnknown, CloseRevoked, CloseTooSlow, CloseSuperseded, CloseFlood,
}
