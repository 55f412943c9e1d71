package mail

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// zone is the time zone that a domain's people read times in; UTC where its
// name is not known.
func zone(name string) *time.Location {
	if loc, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
		return loc
	}
	return time.UTC
}

// date writes a time as people read it: Tue 3 Mar 2026, 22:14.
func (w words) date(at time.Time) string {
	return w.text("email.date",
		"weekday", pick(w.text("email.weekdays"), int(at.Weekday())),
		"day", strconv.Itoa(at.Day()),
		"month", pick(w.text("email.months"), int(at.Month())-1),
		"year", strconv.Itoa(at.Year()),
		"hour", fmt.Sprintf("%02d", at.Hour()), "minute", fmt.Sprintf("%02d", at.Minute()))
}

// dateIn is date with the zone and how far it is from UTC:
// Tue 3 Mar 2026, 22:14 Asia/Jakarta (UTC+7).
func (w words) dateIn(at time.Time) string {
	name := at.Location().String()
	if name == "UTC" {
		return w.date(at) + " UTC"
	}
	return w.date(at) + " " + name + " (" + offset(at) + ")"
}

// offset is a zone's distance at a time, as in UTC+7 or UTC-3:30.
func offset(at time.Time) string {
	_, seconds := at.Zone()
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	s := "UTC" + sign + strconv.Itoa(seconds/3600)
	if minutes := seconds % 3600 / 60; minutes != 0 {
		s += fmt.Sprintf(":%02d", minutes)
	}
	return s
}

// pick is the i-th of the words in a list.
func pick(list string, i int) string {
	all := strings.Fields(list)
	if i < 0 || i >= len(all) {
		return ""
	}
	return all[i]
}
