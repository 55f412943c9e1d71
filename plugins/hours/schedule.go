package hours

import "time"

// settings are a domain's hours, as they are stored.
type settings struct {
	Week   [7][]span `json:"week"` // by time.Weekday; all empty: every day, all day
	Closed []closure `json:"closed"`
	Text   string    `json:"text"` // the owner's wording, with a place for {when}; empty: ours
	Lang   string    `json:"lang"` // in which visitors are told
}

// day is how many minutes a day has, by the clock.
const day = 24 * 60

// span is a part of a day, in minutes after midnight as the clock shows them. One
// that ends after more than a day's minutes ends on the next date.
type span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// closure is a run of dates, both included, as in 2026-12-24: so written they
// sort by time. It takes away the spans that begin on them; one that began the
// evening before goes on to its end.
type closure struct {
	From string `json:"from"`
	To   string `json:"to"`
	Note string `json:"note"` // the owner's, as in Christmas
}

// set tells whether the owner has set anything.
func (s settings) set() bool { return s.weekly() || len(s.Closed) > 0 }

// weekly tells whether any day of the week has hours.
func (s settings) weekly() bool {
	for _, spans := range s.Week {
		if len(spans) > 0 {
			return true
		}
	}
	return false
}

// on lists the spans that begin on a date, a midnight in UTC.
func (s settings) on(date time.Time) []span {
	written := date.Format(time.DateOnly)
	for _, c := range s.Closed {
		if c.From <= written && written <= c.To {
			return nil
		}
	}
	if !s.weekly() {
		return []span{{0, day}}
	}
	return s.Week[date.Weekday()]
}

// state is whether it is open, and when that changes; zero: never.
type state struct {
	open  bool
	until time.Time
}

// at tells how things are at a time, in the time's zone. Spans that meet are one:
// 18:00–24:00 and then 00:00–02:00 close at two.
func (s settings) at(now time.Time) state {
	zone := now.Location()
	y, m, d := now.Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	end := s.horizon(today)
	is := state{}
	// From yesterday, whose spans may last until now. They come in the order in
	// which they begin.
	for date := today.AddDate(0, 0, -1); !date.After(end); date = date.AddDate(0, 0, 1) {
		for _, span := range s.on(date) {
			from, to := clock(date, span.From, zone), clock(date, span.To, zone)
			switch {
			case !to.After(from), !to.After(now):
				// The change to summer time took all of it, or it is over.
			case is.open && from.After(is.until):
				return is
			case !is.open && from.After(now):
				return state{false, from}
			default:
				is.open = true
				if to.After(is.until) {
					is.until = to
				}
			}
		}
	}
	return state{open: is.open} // one week is like the other from here on
}

// horizon is the last date that can tell something new: a week and its eves after
// the last closed one.
func (s settings) horizon(today time.Time) time.Time {
	last := today
	for _, c := range s.Closed {
		if to, err := time.Parse(time.DateOnly, c.To); err == nil && to.After(last) {
			last = to
		}
	}
	return last.AddDate(0, 0, 9)
}

// clock is when the clocks of a zone show so many minutes past the midnight that
// begins a date. A time that they show twice, as when summer time ends, is the
// first of the two; one that they skip is when they skip it. [time.Date]
// promises neither.
func clock(date time.Time, minutes int, zone *time.Location) time.Time {
	y, m, d := date.Date()
	shown := time.Date(y, m, d, 0, minutes, 0, 0, time.UTC)
	at := time.Date(y, m, d, 0, minutes, 0, 0, zone)
	from, to := at.ZoneBounds() // of the offset that is in force at this time
	_, offset := at.Zone()
	switch got := at.Add(time.Duration(offset) * time.Second); {
	case got.After(shown):
		return from
	case got.Before(shown):
		return to
	case from.IsZero():
		return at
	}
	_, before := from.Add(-1).Zone()
	if first := at.Add(time.Duration(offset-before) * time.Second); first.Before(from) {
		return first
	}
	return at
}
