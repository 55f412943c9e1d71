package hours

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the machine may know no zones
)

// week is the hours of a few days, as the form takes them.
func week(t *testing.T, closed string, days map[time.Weekday]string) settings {
	t.Helper()
	var s settings
	for d, text := range days {
		spans, what := parseDay(text)
		if what != nil {
			t.Fatal(text, *what)
		}
		s.Week[d] = spans
	}
	var what *problem
	if s.Closed, what = parseClosed(closed, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); what != nil {
		t.Fatal(closed, *what)
	}
	return s
}

func every(text string) map[time.Weekday]string {
	days := map[time.Weekday]string{}
	for d := time.Sunday; d <= time.Saturday; d++ {
		days[d] = text
	}
	return days
}

// Times are written as the clock shows them, with the zone's name where it shows
// one of them twice.
func TestOpenOrClosed(t *testing.T) {
	working := map[time.Weekday]string{}
	for d := time.Monday; d <= time.Friday; d++ {
		working[d] = "09:00-12:00, 13:00-17:00"
	}
	bar := map[time.Weekday]string{time.Friday: "18-02", time.Saturday: "18:00–24:00", time.Sunday: "00:00-02:30"}
	for name, tt := range map[string]struct {
		days         map[time.Weekday]string
		closed, zone string
		now, want    string // want is the state and when it changes
	}{
		"no hours":                        {nil, "", "Europe/Berlin", "2026-03-03 03:00 CET", "open"},
		"no hours, a closed date ahead":   {nil, "2026-12-25 Christmas", "Europe/Berlin", "2026-03-03 03:00 CET", "open 2026-12-25 00:00 CET"},
		"no hours, on the closed date":    {nil, "2026-12-25", "Europe/Berlin", "2026-12-25 12:00 CET", "closed 2026-12-26 00:00 CET"},
		"all day, every day":              {every("0-24"), "", "Asia/Jakarta", "2026-03-03 03:00 WIB", "open"},
		"before they open":                {working, "", "Asia/Jakarta", "2026-03-03 08:59 WIB", "closed 2026-03-03 09:00 WIB"},
		"as they open":                    {working, "", "Asia/Jakarta", "2026-03-03 09:00 WIB", "open 2026-03-03 12:00 WIB"},
		"the break begins":                {working, "", "Asia/Jakarta", "2026-03-03 12:00 WIB", "closed 2026-03-03 13:00 WIB"},
		"over a weekend":                  {working, "", "Asia/Jakarta", "2026-03-06 17:00 WIB", "closed 2026-03-09 09:00 WIB"},
		"over holidays":                   {working, "2026-12-24 – 2027-01-01 Winter\n2027-01-04", "Asia/Jakarta", "2026-12-23 20:00 WIB", "closed 2027-01-05 09:00 WIB"},
		"past midnight":                   {bar, "", "Europe/Berlin", "2026-03-07 01:59 CET", "open 2026-03-07 02:00 CET"},
		"past midnight, over":             {bar, "", "Europe/Berlin", "2026-03-07 02:00 CET", "closed 2026-03-07 18:00 CET"},
		"two that meet are one":           {bar, "", "Europe/Berlin", "2026-03-07 20:00 CET", "open 2026-03-08 02:30 CET"},
		"a night into a closed date":      {bar, "2026-03-07", "Europe/Berlin", "2026-03-07 01:00 CET", "open 2026-03-07 02:00 CET"},
		"nothing begins on a closed date": {bar, "2026-03-07", "Europe/Berlin", "2026-03-07 02:00 CET", "closed 2026-03-08 00:00 CET"},
		"a zone far from UTC":             {working, "", "Pacific/Auckland", "2026-03-03 08:00 NZDT", "closed 2026-03-03 09:00 NZDT"},

		// Summer time begins in Berlin on 29 March 2026: 02:00 CET is 03:00 CEST.
		"09:00 stays 09:00 in spring":      {working, "", "Europe/Berlin", "2026-03-27 17:00 CET", "closed 2026-03-30 09:00 CEST"},
		"opens in the hour that is left":   {map[time.Weekday]string{time.Sunday: "02:30-06:00"}, "", "Europe/Berlin", "2026-03-29 01:00 CET", "closed 2026-03-29 03:00 CEST"},
		"closes in the hour that is left":  {map[time.Weekday]string{time.Saturday: "22:00-02:30"}, "", "Europe/Berlin", "2026-03-29 01:59 CET", "open 2026-03-29 03:00 CEST"},
		"all in the hour that is left":     {map[time.Weekday]string{time.Sunday: "02:10-02:50"}, "", "Europe/Berlin", "2026-03-29 01:59 CET", "closed 2026-04-05 02:10 CEST"},
		"a night that is an hour shorter":  {map[time.Weekday]string{time.Saturday: "22:00-06:00"}, "", "Europe/Berlin", "2026-03-29 05:59 CEST", "open 2026-03-29 06:00 CEST"},
		"all day on the day of the change": {every("00:00-24:00"), "2026-03-30", "Europe/Berlin", "2026-03-29 12:00 CEST", "open 2026-03-30 00:00 CEST"},

		// It ends on 25 October 2026: 03:00 CEST is 02:00 CET.
		"09:00 stays 09:00 in autumn":       {working, "", "Europe/Berlin", "2026-10-23 17:00 CEST", "closed 2026-10-26 09:00 CET"},
		"opens in the hour that comes back": {map[time.Weekday]string{time.Sunday: "02:30-06:00"}, "", "Europe/Berlin", "2026-10-25 01:00 CEST", "closed 2026-10-25 02:30 CEST"},
		"closes the first of the two times": {map[time.Weekday]string{time.Saturday: "22:00-02:30"}, "", "Europe/Berlin", "2026-10-25 02:10 CEST", "open 2026-10-25 02:30 CEST"},
		"the second is closed":              {map[time.Weekday]string{time.Saturday: "22:00-02:30"}, "", "Europe/Berlin", "2026-10-25 02:10 CET", "closed 2026-10-31 22:00 CET"},
		"a night that is an hour longer":    {map[time.Weekday]string{time.Saturday: "22:00-06:00"}, "", "Europe/Berlin", "2026-10-25 02:10 CET", "open 2026-10-25 06:00 CET"},

		// Of the two, time.Date chooses the other one west of Greenwich.
		"New York, the first of the two": {map[time.Weekday]string{time.Saturday: "22:00-01:30"}, "", "America/New_York", "2026-11-01 01:10 EDT", "open 2026-11-01 01:30 EDT"},
		"New York, the hour that's left": {map[time.Weekday]string{time.Sunday: "02:30-06:00"}, "", "America/New_York", "2026-03-08 01:00 EST", "closed 2026-03-08 03:00 EDT"},
		// Where the hour that is left is the day's first.
		"Cairo has no midnight": {every("00:00-04:00"), "", "Africa/Cairo", "2026-04-23 23:30 EET", "closed 2026-04-24 01:00 EEST"},
	} {
		t.Run(name, func(t *testing.T) {
			zone, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			const form = "2006-01-02 15:04 MST"
			now, err := time.ParseInLocation(form, tt.now, zone)
			if err != nil || now.Format(form) != tt.now {
				t.Fatalf("%s is %s, %v", tt.now, now.Format(form), err)
			}
			s := week(t, tt.closed, tt.days)
			is := s.at(now)
			got := map[bool]string{true: "open", false: "closed"}[is.open]
			if !is.until.IsZero() {
				got += is.until.In(zone).Format(" " + form)
			}
			if got != tt.want {
				t.Errorf("at %s it is %s, want %s", tt.now, got, tt.want)
			}
		})
	}
}

// What at says will happen happens: just before, things are as they were, and
// then they are the other way round. Every quarter of an hour around a change of
// the clocks, in zones that have one, and one that has none.
func TestWhatIsSaidComesTrue(t *testing.T) {
	days := every("00:00-00:45, 01:15-02:15, 02:30-02:40, 09:00-17:00, 22:30-00:00")
	days[time.Sunday] = "01:30-01:45, 02:45-08:00"
	s := week(t, "2026-03-28", days)
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Jakarta"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, around := range []string{"2026-03-08", "2026-03-29", "2026-04-05", "2026-04-24", "2026-10-04", "2026-10-25", "2026-11-01"} {
			day, _ := time.ParseInLocation(time.DateOnly, around, loc)
			for now := day.Add(-36 * time.Hour); now.Before(day.Add(36 * time.Hour)); now = now.Add(15 * time.Minute) {
				is := s.at(now)
				before, then := s.at(is.until.Add(-time.Nanosecond).In(loc)), s.at(is.until.In(loc))
				if !is.until.After(now) || before != is || then.open == is.open {
					t.Fatalf("%s, %s: %+v; just before that %+v, then %+v", zone, now, is, before, then)
				}
			}
		}
	}
}

func TestReadingADay(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		" , ":                      "",
		"9-17":                     "09:00–17:00",
		"09.00 – 17.30":            "09:00–17:30",
		"13:00-17:00;9:00-12:00":   "09:00–12:00, 13:00–17:00",
		"22-2":                     "22:00–02:00",
		"22:00—00:00":              "22:00–24:00",
		"00:00-24:00":              "00:00–24:00",
		"12:00-13:00, 13:00-14:00": "12:00–13:00, 13:00–14:00",
		"9-9":                      "hours.error.empty",
		"0-0":                      "hours.error.empty",
		"9":                        "hours.error.span",
		"9-25":                     "hours.error.span",
		"24-25":                    "hours.error.span",
		"24:00-02:00":              "hours.error.span",
		"9:60-10":                  "hours.error.span",
		"9-24:01":                  "hours.error.span",
		"9am-5pm":                  "hours.error.span",
		"9-12, 11-17":              "hours.error.overlap",
		"22-03, 23-24":             "hours.error.overlap",
		"1-2,3-4,5-6,7-8,9-10,11-12,13-14,15-16,17-18": "hours.error.spans",
	} {
		all, what := parseDay(text)
		got := writeDay(all)
		if what != nil {
			got = what.key
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestReadingClosedDates(t *testing.T) {
	today := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"":                             "",
		"\n 2026-12-25 \n":             "2026-12-25",
		"2026-12-25   Christmas Day":   "2026-12-25 Christmas Day",
		"2026-12-24 - 2027-01-01 Snow": "2026-12-24 – 2027-01-01 Snow",
		"2026-12-24..2026-12-24":       "2026-12-24",
		"2027-01-01\n2026-12-25":       "2026-12-25\n2027-01-01",
		"2020-01-01 long over":         "2020-01-01 long over",
		"25.12.2026":                   "hours.error.date",
		"2026-02-30":                   "hours.error.date",
		"2026-12-25Christmas":          "hours.error.date",
		"2026-12-24 – 2026-12-23":      "hours.error.backwards",
		"2062-12-25":                   "hours.error.far",
		"2026-12-25 a\u202eb":          "hours.error.note",
		"2026-12-25 " + strings.Repeat("é", maxNote+1):     "hours.error.note",
		strings.Repeat("2026-12-25\n", maxClosures+1):      "hours.error.dates",
		"2026-12-25 – 2026-12-26\n\n2026-13-01 third line": "hours.error.date 3",
	} {
		all, what := parseClosed(text, today)
		got := writeClosed(all)
		if what != nil {
			got = what.key
			if strings.HasSuffix(want, "3") {
				got += " " + what.pairs[1]
			}
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
