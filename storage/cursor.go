package storage

import (
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
)

// Cursor is a place in a list that is ordered by time, the newest first: what
// comes after it is older, or of the same millisecond with a smaller id. The
// zero Cursor is before everything.
type Cursor struct {
	At time.Time
	ID string
}

// ErrCursor is a text that is no cursor.
var ErrCursor = errors.New("storage: not a cursor")

// String writes a cursor for an address.
func (c Cursor) String() string { return hub.Stamp(c.At) + "~" + c.ID }

// ParseCursor reads what String wrote; the zero Cursor from an empty text.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	stamp, id, ok := strings.Cut(s, "~")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if !ok || err != nil || id == "" || at.Year() < 2000 { // before Bellhub, and before what MySQL knows
		return Cursor{}, ErrCursor
	}
	return Cursor{at.UTC(), id}, nil
}

// After narrows a query ordered by "column DESC, id DESC" to what comes after
// the cursor.
func (c Cursor) After(q *gorm.DB, column string) *gorm.DB {
	if c.At.IsZero() {
		return q
	}
	return q.Where("("+column+" < ? OR "+column+" = ? AND id < ?)", c.At.UTC(), c.At.UTC(), c.ID)
}
