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
//
// # Metrics
//
// /metrics is Prometheus', beside Go's own go_… and process_…. A duration is a
// histogram. No label holds what a client made up, so the number of series is
// bounded by the code; a plugin's counters are bellhub_<plugin>_…_total, and
// explained by the plugin.
// grafana.json, in this folder, is a dashboard of them.
//
//	bellhub_build_info{version,go}                  1; which Bellhub runs here
//	bellhub_connections                             WebSocket connections of this node
//	bellhub_rooms                                   rooms with a member on this node
//	bellhub_frames_in_total{type}                   frames received; a type that nobody knows is “unknown”
//	bellhub_frames_out_total{type}                  frames handed to connections, each member counted
//	bellhub_appends_total{outcome}                  events stored, again (a repeated frame), moot, or the error's code; watch unavailable, internal
//	bellhub_append_duration_seconds                 hooks, the wait for a batch, and the commit; an acknowledgement follows at once
//	bellhub_commit_batch_appends                    appends that shared a transaction: over 1 under load
//	bellhub_commit_duration_seconds                 the transactions themselves; slow is the database's disk or a lock
//	bellhub_gap_fills_total                         signals that were late or lost between nodes; a lone node has none
//	bellhub_send_queue_overflows_total              clients that did not read and were closed with 4408
//	bellhub_connections_closed_total{code}          by close code; “none” broke off, “other” is the client's own
//	bellhub_hook_duration_seconds{plugin,hook}      hooks; every message waits for those of EventAppending
//	bellhub_hook_calls_total{plugin,hook,result}    ok, vetoed, failed, overdue, cancelled, skipped (breaker open)
//	bellhub_hook_dropped_events_total{plugin,hook}  events that a slow After hook missed
//	bellhub_plugin_breaker_open{plugin}             1 while the plugin's hooks are skipped; alert on it
//	bellhub_plugin_abandoned_calls{plugin}          hooks that were left behind and still run; at 16 all are skipped
//	bellhub_backlog_up                              0: the database did not tell in time, and the next three are missing
//	bellhub_jobs{kind,state}                        jobs ready, taken, failed; the same from every node
//	bellhub_job_oldest_due_seconds{kind}            how late the latest job is; alert where it grows; the same from every node
//	bellhub_emails{state}                           emails that have not left: queued, held, failed, expired; the same from every node
//	bellhub_job_attempts_total{kind,state}          attempts on this node, by what they left: done, ready (again), failed
//	bellhub_job_attempt_duration_seconds{kind}      how long the attempts take
//	bellhub_http_request_duration_seconds{status}   HTTP by class of status; 1xx became WebSockets
//
// Counting costs some ten nanoseconds and allocates nothing. The database is
// asked at most once in five seconds, however many scrape, and for at most one.
//
// # Logs
//
// A request has an id: X-Request-ID of the answer, and of the request where a
// trusted proxy has set it. It is "request" in the lines about the request and
// "connection" in those about the WebSocket that it became, which name the room
// and the kind of member, too, once they are known. Nothing that people write,
// no address of a link and no secret is ever logged: of a path, the route's
// pattern stands for it.
package server
