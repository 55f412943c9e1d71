package console

import (
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// measure writes numbers as people of one language do.
type measure struct{ *message.Printer }

func newMeasure(lang string) measure {
	return measure{message.NewPrinter(language.Make(lang))}
}

// count writes a whole number, its thousands set apart.
func (m measure) count(n any) string { return m.Sprint(number.Decimal(n)) }

// took writes a duration with the two or three digits that matter. The signs of
// units are the same in every language.
func (m measure) took(d time.Duration) string {
	n, unit := float64(d)/float64(time.Second), "s"
	switch {
	case d < time.Millisecond:
		n, unit = float64(d)/float64(time.Microsecond), "µs"
	case d < time.Second:
		n, unit = float64(d)/float64(time.Millisecond), "ms"
	}
	digits := 1
	if n >= 10 {
		digits = 0
	}
	return m.Sprint(number.Decimal(n, number.MaxFractionDigits(digits))) + "\u00a0" + unit
}
