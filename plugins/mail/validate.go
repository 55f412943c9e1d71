package mail

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strings"

	"github.com/bellhub/bellhub/storage"
)

// Validate checks the options; the error names the flag and never its value
// where that is a secret.
func (p *Plugin) Validate() error {
	o := p.opts
	if o.From != "" {
		if err := validFrom(o.From); err != nil {
			return err
		}
	}
	if err := validBase(o.APIBase); err != nil {
		return err
	}
	switch {
	case o.Key == "" && o.Domain != "":
		return errors.New("-mailgun-key must be set where -mailgun-domain is: half of a provider would let bells ring and nobody hear")
	case o.Key == "":
		return nil
	case o.Domain == "":
		return errors.New("-mailgun-domain must be set where -mailgun-key is")
	case o.SigningKey == "":
		return errors.New("-mailgun-signing-key must be set where -mailgun-key is: anybody could report an email as delivered")
	}
	if strings.ContainsFunc(string(o.Key), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("-mailgun-key has a space or a character that no key has")
	}
	if _, err := storage.ParseAddress("postmaster@" + o.Domain); err != nil {
		return fmt.Errorf("-mailgun-domain %q is not a host name", o.Domain)
	}
	return nil
}

// validFrom wants one address that answers can be sent to, with or without a
// display name.
func validFrom(from string) error {
	a, err := mail.ParseAddress(from)
	if err != nil || strings.ContainsAny(from, "\r\n") {
		return fmt.Errorf("-mail-from %q is not one address, such as Bellhub <bell@mg.example>", from)
	}
	if _, err := storage.ParseAddress(a.Address); err != nil {
		return fmt.Errorf("-mail-from: %q is not an email address", a.Address)
	}
	return nil
}

// validBase wants https, or http on loopback, where only a test can listen: the
// key and the links travel to it.
func validBase(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return errors.New("-mailgun-api-base is not a URL, such as " + DefaultAPIBase)
	}
	switch {
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("-mailgun-api-base must be a plain URL: no user, query or fragment")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		return errors.New("-mailgun-api-base must be https")
	case !strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/v3"):
		return errors.New("-mailgun-api-base must end with /v3")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
