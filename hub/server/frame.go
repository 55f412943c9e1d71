package server

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/bellhub/bellhub/hub"
)

// Opcodes and bits of a frame's first two bytes (RFC 6455, section 5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA

	bitFin    = 0x80
	bitsRSV   = 0x70
	bitMasked = 0x80

	len16 = 126 // a 7-bit length that says: the next 2 bytes are the length
	len64 = 127 // … the next 8 bytes

	maxControl = 125 // payload of a control frame (section 5.5)
	maxReason  = maxControl - 2
)

// pingFrame is every ping: it needs no payload, since any byte counts as life.
var pingFrame = []byte{bitFin | opPing, 0}

// frameText encodes one packet for all its receivers: a whole text frame,
// unmasked as a server's frames are (RFC 6455, section 5.1). It is the
// hub.Options.Frame of this transport, called once an event and not once a
// connection.
func frameText(payload []byte) []byte {
	n := len(payload)
	var frame []byte
	switch {
	case n < len16:
		frame = append(make([]byte, 0, 2+n), bitFin|opText, byte(n))
	case n < 1<<16:
		frame = append(make([]byte, 0, 4+n), bitFin|opText, len16)
		frame = binary.BigEndian.AppendUint16(frame, uint16(n))
	default:
		frame = append(make([]byte, 0, 10+n), bitFin|opText, len64)
		frame = binary.BigEndian.AppendUint64(frame, uint64(n))
	}
	return append(frame, payload...)
}

// closeFrame encodes a close that a peer accepts whatever it is given: a code
// that may not be sent becomes 1011, and a reason is made UTF-8 and cut at a
// rune boundary (RFC 6455, sections 5.5.1 and 7.4).
func closeFrame(code hub.CloseCode, reason string) []byte {
	if !sendable(code) {
		code = hub.CloseInternal
	}
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) > maxReason {
		cut := maxReason
		for !utf8.RuneStart(reason[cut]) {
			cut--
		}
		reason = reason[:cut]
	}
	frame := append(make([]byte, 0, 4+len(reason)), bitFin|opClose, byte(2+len(reason)))
	frame = binary.BigEndian.AppendUint16(frame, uint16(code))
	return append(frame, reason...)
}

// codeOf is the code of a close frame; 1005 where it has none (section 7.1.5).
func codeOf(frame []byte) hub.CloseCode {
	if len(frame) < 4 {
		return 1005
	}
	return hub.CloseCode(binary.BigEndian.Uint16(frame[2:]))
}

// sendable leaves out what stands for the absence of a close frame (1005,
// 1006, 1015), what is reserved (1004) and what belongs to nobody.
func sendable(code hub.CloseCode) bool {
	return code >= 1000 && code <= 1003 ||
		code >= 1007 && code <= 1014 ||
		code >= 3000 && code <= 4999
}

// validText tells how many bytes at the head of p are whole runes of UTF-8.
// It is false when the rest, at most three bytes, cannot become a rune
// whatever follows: F4 90 is refused before its third byte has come.
func validText(p []byte) (n int, ok bool) {
	if utf8.Valid(p) {
		return len(p), true
	}
	for n = len(p) - 1; n >= 0 && n > len(p)-utf8.UTFMax; n-- {
		if utf8.RuneStart(p[n]) {
			return n, !utf8.FullRune(p[n:]) && utf8.Valid(p[:n])
		}
	}
	return 0, false
}
