package server

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
)

// Rows 1 to 9 and 12 of the bad input that every release is tried with.
func TestHandshake(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), readAll)
	origin := func(o string) string { return handshakeText("Origin: " + o + "\r\n") }
	edit := func(old, with string) string { return strings.Replace(handshakeText(), old, with, 1) }
	for _, c := range []struct {
		name    string
		request string
		status  int
		header  string // "Name: value" of the response
	}{
		{"plain", handshakeText(), 101, "Upgrade: websocket"},
		{"tokens in any case", edit("Upgrade\r\nUpgrade: websocket", "upgrade\r\nUpgrade: WebSocket"), 101, ""},
		{"Connection in two lines", edit("keep-alive, Upgrade", "keep-alive\r\nConnection: Upgrade"), 101, ""},
		{"our subprotocol", handshakeText("Sec-WebSocket-Protocol: chat, bellhub.v1\r\n"), 101, "Sec-WebSocket-Protocol: bellhub.v1"},
		{"another subprotocol", handshakeText("Sec-WebSocket-Protocol: chat\r\n"), 101, "Sec-WebSocket-Protocol: "},
		{"no compression", handshakeText("Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101, "Sec-WebSocket-Extensions: "},

		{"1 POST", edit("GET", "POST"), 405, "Allow: GET"},
		{"1 HEAD", edit("GET", "HEAD"), 405, "Allow: GET"},
		{"2 no Upgrade", edit("Upgrade: websocket\r\n", ""), 426, "Upgrade: websocket"},
		{"2 another Upgrade", edit("Upgrade: websocket", "Upgrade: h2c"), 426, "Upgrade: websocket"},
		{"2 no Connection", edit("keep-alive, Upgrade", "keep-alive"), 426, ""},
		{"2 HTTP/1.0", edit("HTTP/1.1", "HTTP/1.0"), 426, ""},
		{"3 version 8", edit("Version: 13", "Version: 8"), 400, "Sec-WebSocket-Version: 13"},
		{"3 no version", edit("Sec-WebSocket-Version: 13\r\n", ""), 400, "Sec-WebSocket-Version: 13"},
		{"3 two versions", edit("Version: 13\r\n", "Version: 13\r\nSec-WebSocket-Version: 8\r\n"), 400, "Sec-WebSocket-Version: 13"},
		{"4 no key", edit("Sec-WebSocket-Key: "+handshakeKey+"\r\n", ""), 400, ""},
		{"4 short key", edit(handshakeKey, "c2hvcnQ="), 400, ""},
		{"4 key not base64", edit(handshakeKey, "?GhlIHNhbXBsZSBub25jZQ=="), 400, ""},
		{"4 doubled key", edit("\r\nSec-WebSocket-Key", "\r\nSec-WebSocket-Key: "+handshakeKey+"\r\nSec-WebSocket-Key"), 400, ""},
		{"4 key in a list", edit(handshakeKey, handshakeKey+", "+handshakeKey), 400, ""},

		{"allowed origin", origin(goodOrigin), 101, ""},
		{"in another case", origin("HTTPS://Shop.Example"), 101, ""},
		{"with the scheme's port", origin(goodOrigin + ":443"), 101, ""},
		{"with a cookie", handshakeText("Origin: "+goodOrigin+"\r\n", "Cookie: a=b\r\n"), 101, ""},
		{"5 foreign", origin("https://evil.example"), 403, ""},
		{"6 null", origin("null"), 403, ""},
		{"6 empty", origin(""), 403, ""},
		{"7 no origin but a cookie", handshakeText("Cookie: a=b\r\n"), 403, ""},
		{"8 suffix", origin("https://evilshop.example"), 403, ""},
		{"8 prefix", origin(goodOrigin + ".evil.example"), 403, ""},
		{"8 subdomain", origin("https://a.shop.example"), 403, ""},
		{"8 trailing dot", origin(goodOrigin + "."), 403, ""},
		{"8 other port", origin(goodOrigin + ":8443"), 403, ""},
		{"8 other scheme's port", origin("https://shop.example:80"), 403, ""},
		{"8 empty port", origin(goodOrigin + ":"), 403, ""},
		{"8 other scheme", origin("http://shop.example"), 403, ""},
		{"8 wss", origin("wss://shop.example"), 403, ""},
		{"8 path", origin(goodOrigin + "/"), 403, ""},
		{"8 userinfo", origin("https://shop.example@evil.example"), 403, ""},
		{"8 userinfo before", origin("https://a@shop.example"), 403, ""},
		{"8 query", origin(goodOrigin + "?"), 403, ""},
		{"8 fragment", origin(goodOrigin + "#"), 403, ""},
		{"8 escaped", origin("https://sh%6Fp.example"), 403, ""},
		{"8 full width", origin("https://ｓhop.example"), 403, ""},
		{"8 list", origin(goodOrigin + " https://evil.example"), 403, ""},
		{"8 two headers", handshakeText("Origin: "+goodOrigin+"\r\n", "Origin: "+goodOrigin+"\r\n"), 403, ""},
		{"8 no scheme", origin("shop.example"), 403, ""},

		{"9 headers of 9 KiB", handshakeText("X-Fill: " + strings.Repeat("x", 9<<10) + "\r\n"), 431, ""},
		{"headers of 7 KiB", handshakeText("X-Fill: " + strings.Repeat("x", 7<<10) + "\r\n"), 101, ""},
		{"12 two hosts", handshakeText("Host: evil.example\r\n"), 400, ""},
		{"12 length and chunks", handshakeText("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400, ""},
		{"12 length and identity", handshakeText("Content-Length: 0\r\nTransfer-Encoding: identity\r\n"), 400, ""},
		{"12 two lengths", handshakeText("Content-Length: 0\r\nContent-Length: 0\r\n"), 400, ""},
		{"12 a body", handshakeText("Content-Length: 2\r\n") + "hi", 400, ""},
		{"12 chunks", handshakeText("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := r.connect()
			defer client.Close()
			client.t = t
			client.send([]byte(c.request))
			method := http.MethodGet
			if strings.HasPrefix(c.request, http.MethodHead) {
				method = http.MethodHead
			}
			res, err := http.ReadResponse(client.br, &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != c.status {
				t.Errorf("status %d, want %d", res.StatusCode, c.status)
			}
			if name, value, ok := strings.Cut(c.header, ": "); ok && res.Header.Get(name) != value {
				t.Errorf("%s: %q, want %q", name, res.Header.Get(name), value)
			}
			if c.status == 101 {
				client.send(closeOf(1000, ""))
				client.expect("close:1000")
				client.expectEnd()
				return
			}
			body, err := io.ReadAll(res.Body)
			if err != nil || len(body) > 100 && c.status != 400 {
				t.Errorf("body %q, %v", body, err)
			}
			if ct := res.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/plain") {
				t.Errorf("Content-Type %q", ct)
			}
		})
	}
}

// Without a judge nobody with an Origin comes in, and programs still do.
func TestHandshakeWithoutJudge(t *testing.T) {
	o := edgeOptions()
	o.AllowOrigin = nil
	r := newEdgeRig(t, o, readAll)
	c := r.connect()
	c.send([]byte(handshakeText("Origin: " + goodOrigin + "\r\n")))
	res, err := http.ReadResponse(c.br, nil)
	if err != nil || res.StatusCode != http.StatusForbidden {
		t.Fatal(res, err)
	}
	r.open(closeOf(1000, "")).expect("close:1000")
}

// A refusal is an ordinary response: the same connection may try again.
func TestHandshakeAfterRefusal(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), func(c hub.Conn) { echoAll(c) })
	c := r.connect()
	for _, want := range []int{403, 101} {
		o := goodOrigin
		if want == 403 {
			o = "https://evil.example"
		}
		c.send([]byte(handshakeText("Origin: " + o + "\r\n")))
		res, err := http.ReadResponse(c.br, nil)
		if err != nil || res.StatusCode != want {
			t.Fatal(res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
	}
	c.send(textFrame("in"), closeOf(1001, ""))
	c.expect("text:in", "close:1001")
	c.expectEnd()
}

func FuzzCanonicalOrigin(f *testing.F) {
	for _, s := range []string{goodOrigin, "http://[::1]:8080", "https://a:443", "null", "https://a@b", "HTTPS://A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, ok := canonicalOrigin(s)
		if !ok {
			return
		}
		if again, ok := canonicalOrigin(o); !ok || again != o {
			t.Errorf("%q becomes %q, which becomes %q", s, o, again)
		}
		if strings.ToLower(o) != o || strings.ContainsAny(strings.SplitN(o, "://", 2)[1], "/@?#\\ ") {
			t.Errorf("%q becomes %q", s, o)
		}
	})
}
