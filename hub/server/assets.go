package server

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/static"
)

// assets serves what browsers fetch. A file's address holds the hash of them
// all, so it never changes under its address and may be kept for good; only the
// launcher, which sites name, keeps its address and is asked for again.
func (s *Server) assets() {
	launcher, tag := static.Launcher(), `"`+static.Hash()+`"`
	s.app.Get("/widget.js", func(c *fiber.Ctx) error {
		anySite(c)
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
		c.Set(fiber.HeaderETag, tag)
		if c.Get(fiber.HeaderIfNoneMatch) == tag {
			return c.SendStatus(fiber.StatusNotModified)
		}
		return send(c, launcher)
	})
	s.app.Get(static.Prefix()+"/*", func(c *fiber.Ctx) error {
		f, ok := static.Open(strings.TrimPrefix(c.Path(), static.Prefix()+"/"))
		if !ok {
			return fiber.ErrNotFound
		}
		anySite(c)
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
		return send(c, f)
	})
}

// send answers with a file, compressed for browsers that accept it.
func send(c *fiber.Ctx, f static.File) error {
	c.Set(fiber.HeaderContentType, f.ContentType)
	c.Vary(fiber.HeaderAcceptEncoding)
	if c.AcceptsEncodings("gzip") == "gzip" {
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
