package server

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
)

// requestID is where a request's id is kept, for its log lines.
const requestID = "request"

// prepare gives a request its id, its context and its identity, refuses it if
// another site made a browser send it, and sees to panics, the answer to errors
// and the log.
func (s *Server) prepare(c *fiber.Ctx) (err error) {
	id, began := s.clients.requestID(c), time.Now()
	c.SetUserContext(s.base)
	c.Locals(requestID, id)
	c.Set(fiber.HeaderXRequestID, id)
	defer func() {
		if p := recover(); p != nil {
			s.opts.Log.Error("request panicked", "request", id, "panic", p, "stack", string(debug.Stack()))
			err = fiber.ErrInternalServerError
		}
		if err != nil {
			err = s.failed(c, err) // here, so that the status is known
		}
		s.answered(c, id, time.Since(began))
	}()
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	if s.opts.BaseURL.Scheme == "https" {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	h := &c.Request().Header
	if hasHeader(h, fiber.HeaderContentLength) && hasHeader(h, fiber.HeaderTransferEncoding) {
		return fiber.NewError(fiber.StatusBadRequest, "A request has one length.") // RFC 9112, section 6.3
	}
	if err := s.sameSite(c); err != nil {
		return err
	}
	token := c.Cookies(hub.SessionCookieName(s.opts.BaseURL))
	who, err := s.opts.Identify(s.base, token)
	if err != nil {
		s.opts.Log.Error("identify", "request", id, "err", err)
		return fiber.ErrServiceUnavailable
	}
	c.SetUserContext(hub.WithIdentity(s.base, who))
	return c.Next()
}

// answered is the end of a request: a line of the access log, and a count.
func (s *Server) answered(c *fiber.Ctx, id string, took time.Duration) {
	status := c.Response().StatusCode()
	if c.Context().Hijacked() {
		status = fiber.StatusSwitchingProtocols // the WebSocket library writes it
	}
	s.opts.Metrics.requested(status, took)
	level := slog.LevelDebug
	if status >= fiber.StatusInternalServerError {
		level = slog.LevelInfo
	}
	// The route's pattern, not the path: that may hold a link's token.
	s.opts.Log.LogAttrs(c.UserContext(), level, "request", slog.String("request", id), slog.String("method", c.Method()),
		slog.String("route", c.Route().Path), slog.Int("status", status), slog.Duration("took", took))
}

// sameSite refuses a request that changes something and comes from a page of
// another origin, as Sec-Fetch-Site or Origin tell (see
// http.CrossOriginProtection). The host compared with is the base URL's: what
// the request calls its host is the sender's to choose.
func (s *Server) sameSite(c *fiber.Ctx) error {
	r := &http.Request{Method: c.Method(), Host: s.opts.BaseURL.Host, URL: &url.URL{Path: c.Path()}, Header: http.Header{}}
	for _, name := range []string{fiber.HeaderOrigin, "Sec-Fetch-Site"} {
		if v := c.Get(name); v != "" {
			r.Header.Set(name, s.alias(v))
		}
	}
	var guard http.CrossOriginProtection
	if err := guard.Check(r); err != nil {
		return fiber.NewError(fiber.StatusForbidden, "This request came from another site.")
	}
	return nil
}

// failed answers with an error's status and, for errors made for their reader,
// their words. Anything else is logged and named by its status only.
func (s *Server) failed(c *fiber.Ctx, err error) error {
	status, message := fiber.StatusInternalServerError, ""
	var f *fiber.Error
	var e *hub.Error
	switch {
	case errors.As(err, &f):
		status = f.Code
		if c.Locals(requestID) != nil { // else fasthttp could not read the request, and quotes it
			message = f.Message
		}
	case errors.As(err, &e):
		status, message = statusOf(e.Code), e.Message
	}
	if status >= fiber.StatusInternalServerError {
		s.opts.Log.Error("request failed", "request", c.Locals(requestID), "route", c.Route().Path, "status", status, "err", err)
		message = ""
	}
	if message == "" {
		message = http.StatusText(status)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.Status(status).SendString(message)
}

func statusOf(code hub.Code) int {
	switch code {
	case hub.CodeNotFound:
		return fiber.StatusNotFound
	case hub.CodeGone:
		return fiber.StatusGone
	case hub.CodeForbidden, hub.CodeVetoed:
		return fiber.StatusForbidden
	case hub.CodeRateLimited:
		return fiber.StatusTooManyRequests
	case hub.CodeHeld, hub.CodeStaleEpoch, hub.CodeMismatch, hub.CodeNoResponder:
		return fiber.StatusConflict
	case hub.CodeUnavailable:
		return fiber.StatusServiceUnavailable
	case hub.CodeInternal:
		return fiber.StatusInternalServerError
	}
	return fiber.StatusBadRequest
}
