package hub

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Identity is who a request or a connection acts as. The server puts it into
// the request's context; the zero Identity is nobody.
//
// A visitor is known by the widget's token and is bound to one Domain. An admin
// is known by the browser's session, which holds a signed-in account, grants
// from emailed links, or both; what the session may open is asked of the store
// each time (see [Store].EnterAdmin), never kept here.
type Identity struct {
	Kind   Kind   // Visitor or Admin; empty: nobody
	ID     string // of the visitor, or of the signed-in admin; empty for a session with grants alone
	Name   string // as the other side sees it
	Domain string // the visitor's domain

	Session  string // the browser session's id, for admins
	Email    string // the signed-in admin's address: for the log and the console, never for visitors
	Operator bool   // the signed-in admin may see every domain
}

// SignedIn tells whether an account, not only a link's grant, stands behind i.
func (i Identity) SignedIn() bool { return i.Kind == Admin && i.ID != "" }

// Access is what lets an admin's connection into a room, so that it can be
// withdrawn: a revocation that names any of these ends the connection.
type Access struct {
	Author  Author // who the admin is in this room
	Session string
	Link    string // the emailed link, or empty for a member of the domain
	Rule    string // the CC rule that the link was made for
}

type identityKey struct{}

// WithIdentity returns a context that carries i.
func WithIdentity(ctx context.Context, i Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, i)
}

// IdentityOf returns the identity that ctx carries, or nobody.
func IdentityOf(ctx context.Context) Identity {
	i, _ := ctx.Value(identityKey{}).(Identity)
	return i
}

// SessionCookieName is the name of the browser session's cookie. Over https it
// has the __Host- prefix, which binds it to this host, to Secure and to the
// path / (RFC 6265bis, section 4.1.3.2).
func SessionCookieName(base *url.URL) string {
	if base.Scheme == "https" {
		return "__Host-bellhub"
	}
	return "bellhub"
}

// SessionCookie is the one cookie Bellhub sets: the browser session's token.
// A zero expiry deletes it.
func SessionCookie(base *url.URL, token string, expires time.Time) *http.Cookie {
	c := &http.Cookie{
		Name: SessionCookieName(base), Value: token, Path: "/", Expires: expires,
		Secure: base.Scheme == "https", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if expires.IsZero() {
		c.Value, c.MaxAge = "", -1
	}
	return c
}
