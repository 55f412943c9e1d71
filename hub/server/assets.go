package server

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub/spec"
	"github.com/bellhub/bellhub/static"
)

// assets serves what browsers fetch. A file's address holds the hash of them
// all, so it never changes under its address and may be kept for good; only the
// launcher, which sites name, and the descriptions of what the server
// understands keep their address and are asked for again.
func (s *Server) assets() {
	s.app.Get("/widget.js", fixed(static.Launcher()))
	s.app.Get("/asyncapi.yaml", readable(fixed(static.NewFile(spec.AsyncAPI(), spec.MediaType))))
	s.app.Get("/openapi.yaml", readable(fixed(static.NewFile(spec.OpenAPI(), spec.MediaType))))
	s.app.Get(static.Prefix()+"/*", immutable(static.Prefix(), static.Open))
}

// immutable serves files under a prefix that names their content.
func immutable(prefix string, open func(name string) (static.File, bool)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		f, ok := open(strings.TrimPrefix(c.Path(), prefix+"/"))
		if !ok {
			return fiber.ErrNotFound
		}
		anySite(c)
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
		return send(c, f)
	}
}

// fixed serves a file whose content changes with the program's version, and its
// address does not.
func fixed(f static.File) fiber.Handler {
	sum := sha256.Sum256(f.Data)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(c *fiber.Ctx) error {
		anySite(c)
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
		c.Set(fiber.HeaderETag, tag)
		if c.Get(fiber.HeaderIfNoneMatch) == tag {
			return c.SendStatus(fiber.StatusNotModified)
		}
		return send(c, f)
	}
}

// readable has a person's browser show a text that it would otherwise download.
func readable(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := next(c)
		c.Vary(fiber.HeaderAccept)
		if strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML) {
			c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
		}
		return err
	}
}

// send answers with a file, compressed for who says that it may be: a tool that
// says nothing would mostly show what it gets.
func send(c *fiber.Ctx, f static.File) error {
	c.Set(fiber.HeaderContentType, f.ContentType)
	c.Vary(fiber.HeaderAcceptEncoding)
	if c.Get(fiber.HeaderAcceptEncoding) != "" && c.AcceptsEncodings("gzip") == "gzip" {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(f.Gzip)
	}
	return c.Send(f.Data)
}

// anySite lets pages of other origins load a file: modules need the first
// header, pages with Cross-Origin-Embedder-Policy the second.
func anySite(c *fiber.Ctx) {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
}
