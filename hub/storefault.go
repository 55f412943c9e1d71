package hub

import "context"

// reported is a store that keeps to the last word of [Store]: what it returns is
// an answer, or it says that nothing could be stored or read. So a client is
// told to try again, and a plugin that passes the error on has refused, not
// failed: its breaker would otherwise stay open for longer than the database
// was away.
type reported struct{ Store }

func (s reported) DomainByKey(ctx context.Context, key string) (Domain, error) {
	d, err := s.Store.DomainByKey(ctx, key)
	return d, Unavailable(err)
}

func (s reported) EnterVisitor(ctx context.Context, d Domain, token, room string) (Entry, error) {
	e, err := s.Store.EnterVisitor(ctx, d, token, room)
	return e, Unavailable(err)
}

func (s reported) EnterAdmin(ctx context.Context, who Identity, room string) (Access, Room, error) {
	a, r, err := s.Store.EnterAdmin(ctx, who, room)
	return a, r, Unavailable(err)
}

func (s reported) MayWatch(ctx context.Context, who Identity, domain string) error {
	return Unavailable(s.Store.MayWatch(ctx, who, domain))
}

func (s reported) Touch(ctx context.Context, session string) error {
	return Unavailable(s.Store.Touch(ctx, session))
}

func (s reported) Room(ctx context.Context, id string) (Room, error) {
	r, err := s.Store.Room(ctx, id)
	return r, Unavailable(err)
}

func (s reported) Events(ctx context.Context, room string, p Range) ([]Event, bool, error) {
	events, more, err := s.Store.Events(ctx, room, p)
	return events, more, Unavailable(err)
}

func (s reported) Append(ctx context.Context, a Append) (Appended, error) {
	out, err := s.Store.Append(ctx, a)
	return out, Unavailable(err)
}
