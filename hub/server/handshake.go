package server

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// checkHandshake tells why a request is no opening handshake (RFC 6455,
// section 4.2.1) or comes from a page that may not open one (section 10.2). It
// runs before the hijack, so that a refusal is an ordinary response. Its texts
// are for people with a debugger and repeat nothing of the request.
func checkHandshake(c *fiber.Ctx, allow func(*fiber.Ctx, string) bool) *fiber.Error {
	h := &c.Request().Header
	switch {
	case !h.IsGet():
		c.Set(fiber.HeaderAllow, fiber.MethodGet)
		return fiber.NewError(fiber.StatusMethodNotAllowed, "a WebSocket is opened with GET")
	case hasHeader(h, fiber.HeaderTransferEncoding) || h.ContentLength() > 0:
		return fiber.NewError(fiber.StatusBadRequest, "a WebSocket handshake has no body")
	case !h.IsHTTP11(), !offers(h, fiber.HeaderConnection, "upgrade"), !offers(h, fiber.HeaderUpgrade, "websocket"):
		c.Set(fiber.HeaderConnection, "Upgrade") // RFC 9110, section 7.8
		c.Set(fiber.HeaderUpgrade, "websocket")
		return fiber.NewError(fiber.StatusUpgradeRequired, "this is a WebSocket endpoint")
	}
	if v, ok := only(h, fiber.HeaderSecWebSocketVersion); !ok || v != "13" {
		c.Set(fiber.HeaderSecWebSocketVersion, "13") // section 4.4
		return fiber.NewError(fiber.StatusBadRequest, "only WebSocket version 13 is spoken here")
	}
	if k, ok := only(h, fiber.HeaderSecWebSocketKey); !ok || !validKey(k) {
		return fiber.NewError(fiber.StatusBadRequest, "one Sec-WebSocket-Key of 16 bytes is needed")
	}
	if !allowedOrigin(c, allow) {
		return fiber.NewError(fiber.StatusForbidden, "this origin may not connect")
	}
	return nil
}

// allowedOrigin holds a page to the origins that may connect. Programs send no
// Origin and are let through, unless they come with a cookie: then it may be a
// browser that hides where the request comes from.
func allowedOrigin(c *fiber.Ctx, allow func(*fiber.Ctx, string) bool) bool {
	h := &c.Request().Header
	switch origins := h.PeekAll(fiber.HeaderOrigin); len(origins) {
	case 0:
		return len(h.Peek(fiber.HeaderCookie)) == 0
	case 1:
		origin, ok := canonicalOrigin(string(origins[0]))
		return ok && allow != nil && allow(c, origin)
	default:
		return false
	}
}

// canonicalOrigin is scheme://host[:port] in lower case, without the scheme's
// own port, as browsers write an origin (RFC 6454, section 6.2). It is false
// for everything else, among it "null", a path and a host that is not ASCII:
// lower case would turn the Kelvin sign into a k.
func canonicalOrigin(raw string) (string, bool) {
	for _, b := range []byte(raw) {
		if b <= ' ' || b > '~' {
			return "", false
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", false
	}
	if !strings.EqualFold(raw, u.Scheme+"://"+u.Host) || strings.HasSuffix(u.Host, ":") {
		return "", false // something beside scheme, host and port, were it only a slash
	}
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; strings.HasSuffix(host, port) {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host, true
}

// hasHeader looks at a request's header as it came. fasthttp drops
// Transfer-Encoding once it has acted on it, and serves a request that has a
// Content-Length as well, the opening for request smuggling (RFC 9112, section
// 6.3); all other doublings it refuses with 400.
func hasHeader(h *fasthttp.RequestHeader, name string) bool {
	for line := range bytes.SplitSeq(h.RawHeaders(), []byte("\n")) {
		if key, _, _ := bytes.Cut(line, []byte(":")); strings.EqualFold(string(key), name) {
			return true
		}
	}
	return false
}

// only returns the value of a header that must come exactly once, as a copy.
func only(h *fasthttp.RequestHeader, name string) (string, bool) {
	values := h.PeekAll(name)
	if len(values) != 1 {
		return "", false
	}
	return strings.TrimSpace(string(values[0])), true
}

// offers looks for a token in a comma-separated header.
func offers(h *fasthttp.RequestHeader, name, token string) bool {
	for _, line := range h.PeekAll(name) {
		for value := range bytes.SplitSeq(line, []byte(",")) {
			if strings.EqualFold(string(bytes.TrimSpace(value)), token) {
				return true
			}
		}
	}
	return false
}

func validKey(key string) bool {
	raw, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(raw) == 16
}
