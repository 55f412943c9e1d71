package storage

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// NewID makes an id: a UUIDv7, so that rows made one after the other lie side
// by side in an index.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// NewToken makes a secret of 256 random bits, safe in a URL, and the hash that
// is kept in its place.
func NewToken() (token, hash string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, HashToken(token)
}

// HashToken is what is stored of a token. Tokens are random, so a plain SHA-256
// is enough: there is nothing to guess that salt or stretching would slow down.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// utc is how times are kept: SQLite compares them as text, so all must be in one
// zone, and MySQL rounds what is finer than its column.
func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// crockford is Crockford's base 32 alphabet: no I, L, O or U to misread.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newRef makes a room's reference, as in K7QM-2XAB: 40 random bits, unique in
// its domain.
func newRef() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	ref := make([]byte, 0, 9)
	for i, c := range b {
		if i == 4 {
			ref = append(ref, '-')
		}
		ref = append(ref, crockford[c%32])
	}
	return string(ref)
}

// newKey makes a widget key for a domain whose owner chose none.
func newKey() string {
	var b [10]byte
	_, _ = rand.Read(b[:])
	key := make([]byte, len(b))
	for i, c := range b {
		key[i] = "0123456789abcdefghjkmnpqrstvwxyz"[c%32]
	}
	return string(key)
}
