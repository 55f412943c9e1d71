package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// check completes a configuration and refuses what would not work as its
// operator means it. Errors name the key.
func (c *Config) check(base, ai string) error {
	if err := c.checkAddr(base); err != nil {
		return err
	}
	if err := checkPprof(c.Pprof); err != nil {
		return err
	}
	if err := c.checkPlaces(); err != nil {
		return err
	}
	var err error
	if c.AI.BaseURL, err = apiURL("ai-base-url", ai); err != nil {
		return err
	}
	if c.AI.BaseURL != "" && c.AI.Model == "" {
		return errors.New("ai-model: which model is ai-base-url to be asked for?")
	}
	if c.AI.BaseURL == "" && c.AI.Key != "" {
		return errors.New("ai-base-url: missing, while there is an ai-key")
	}
	return nil
}

// checkAddr decides where the server listens, what people call it, and so
// whether this is development.
func (c *Config) checkAddr(base string) error {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("addr: want host:port, got %q", c.Addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("addr: %q is not a port", port)
	}
	if base == "" {
		if !loopback(host) {
			return fmt.Errorf("base-url: needed, since addr %q is not on loopback: links in emails are made of it", c.Addr)
		}
		c.BaseURL = &url.URL{Scheme: "http", Host: origin("http", host, port)}
		c.derived = true
		return nil
	}
	if c.BaseURL, err = baseURL(base); err != nil {
		return err
	}
	if !c.Development() && c.BaseURL.Scheme != "https" {
		return errors.New("base-url: must be https, except where addr and base-url are both on loopback")
	}
	return nil
}

// checkPprof keeps the program's inside, which profiles show, on this machine.
func checkPprof(addr string) error {
	if addr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("pprof: want host:port, got %q", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("pprof: %q is not a port", port)
	}
	if !loopback(host) {
		return fmt.Errorf("pprof: %q is not on loopback: a profile shows what people write", addr)
	}
	return nil
}

// baseURL reads a scheme and a host, and nothing else.
func baseURL(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil { // the error would quote a password
		return nil, errors.New("base-url: not a URL")
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "":
		return nil, errors.New("base-url: want https://host, as in https://chat.example")
	case u.User != nil:
		return nil, errors.New("base-url: must not hold a user or a password")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("base-url: must end after the host: Bellhub has one of its own")
	}
	host := u.Hostname()
	if net.ParseIP(host) == nil {
		if host, err = idna.Lookup.ToASCII(host); err != nil || host == "" {
			return nil, fmt.Errorf("base-url: %q is not a host", u.Hostname())
		}
	}
	port := u.Port()
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("base-url: %q is not a port", port)
		}
	}
	return &url.URL{Scheme: u.Scheme, Host: origin(u.Scheme, host, port)}, nil
}

// origin writes a host and a port as browsers do in the Origin header: without
// the scheme's own port.
func origin(scheme, host, port string) string {
	switch {
	case port != "" && scheme+port != "http80" && scheme+port != "https443":
		return net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

// checkPlaces looks at where things are kept and sent.
func (c *Config) checkPlaces() error {
	if c.Data == "" {
		return errors.New("data: missing")
	}
	if c.Database == "" {
		c.Database = Address(sqlitePath(c.Data))
	}
	if scheme, _, isURL := strings.Cut(string(c.Database), "://"); isURL && scheme != "mysql" {
		return fmt.Errorf("database: %s:// is not known: want mysql://user:password@host:3306/name or a file's path", scheme)
	}
	if c.NATS != "" {
		u, err := url.Parse(string(c.NATS))
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return errors.New("nats: want nats://host:4222 or tls://host:4222")
		}
	}
	return nil
}

// apiURL reads the address of somebody else's API; empty is none.
func apiURL(key, s string) (string, error) {
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%s: want a URL, as in https://api.example/v1", key)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%s: must not hold a password, a query or a fragment", key)
	}
	return strings.TrimRight(u.String(), "/"), nil
}
