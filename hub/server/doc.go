// Package server is the hub's edge: a Fiber application that answers HTTP,
// hands WebSockets to the hub, and lets plugins mount routes.
//
// # WebSockets
//
// A socket is taken from fasthttp by Hijack and served by nhooyr.io/websocket
// over our own net.Conn (edge.go). nhooyr reads frames and answers pings and
// closes; everything the hub sends is encoded once an event and written below
// it, by whoever sends, without a goroutine, as long as the client's socket
// takes it. upgrade.go is the one file that imports nhooyr.
//
// # Requests
//
// Every request gets a context that carries the store and, from the session's
// cookie, its hub.Identity; a request that changes something and comes from
// another site is refused before any plugin sees it. The client's address is
// the peer's, unless the peer is a trusted proxy.
package server
