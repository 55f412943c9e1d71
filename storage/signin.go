package storage

import (
	"context"
	"net/url"
)

// DeveloperEmail is whom a server in development signs in, and emails: an
// address that no email can reach (RFC 2606, section 3).
const DeveloperEmail = "you@kopitugu.example"

// SignInLink makes a link, below the base URL, that signs an admin in once and
// then leads to next, or to the console where that is empty. An admin who is new
// may see the domains given, or all of them if none is.
func SignInLink(ctx context.Context, base *url.URL, email, next string, domains ...string) (string, error) {
	a, err := EnsureAdmin(ctx, email, domains...)
	if err != nil {
		return "", err
	}
	token, err := NewSignIn(ctx, a.ID)
	if err != nil {
		return "", err
	}
	link := base.String() + "/console/sign-in/" + token
	if next != "" {
		link += "?next=" + url.QueryEscape(next)
	}
	return link, nil
}
