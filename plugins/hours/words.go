package hours

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
)

//go:embed texts/*.json
var words embed.FS

// Texts are the words that people read.
func (p *Plugin) Texts() hub.Texts { return hub.ReadTexts(words, "texts/*.json") }

// language is one that visitors can be told in.
type language struct{ Code, Name string }

// languages lists them, by their code.
func (p *Plugin) languages() []language {
	var all []language
	for code, texts := range p.host.Texts() {
		if name := texts["hours.language"]; name != "" {
			all = append(all, language{code, name})
		}
	}
	slices.SortFunc(all, func(a, b language) int { return strings.Compare(a.Code, b.Code) })
	return all
}

// away is the confirmation of a bell that rings now, when nobody is there until a
// time in the domain's zone. What became of the request always comes first, in
// our words: the owner words only the rest, in one language, and where it did
// not it is the visitor's.
func (p *Plugin) away(s settings, lang string, now, until time.Time, sent bool) string {
	key := "hours.noted"
	if sent {
		key = "hours.sent"
	}
	away := s.Text
	if away == "" {
		away = p.host.Text(lang, "hours.away")
	} else {
		lang = s.Lang
	}
	return p.host.Text(lang, key) + " " + strings.ReplaceAll(away, "{when}", p.when(lang, now, until))
}

// when writes a time in its zone, as in Monday 09:00 (UTC+7). The date is there
// where the day's name would leave a doubt, the zone always: who reads it may be
// anywhere.
func (p *Plugin) when(lang string, now, at time.Time) string {
	at = at.In(now.Location())
	key := "hours.when.day"
	y, m, d := now.Date()
	switch week := time.Date(y, m, d+7, 0, 0, 0, 0, now.Location()); {
	case at.Year() != y && !at.Before(week):
		key = "hours.when.year"
	case !at.Before(week):
		key = "hours.when.date"
	}
	return p.host.Text(lang, key,
		"weekday", pick(p.host.Text(lang, "hours.weekdays"), int(at.Weekday())),
		"day", strconv.Itoa(at.Day()),
		"month", pick(p.host.Text(lang, "hours.months"), int(at.Month())-1),
		"year", strconv.Itoa(at.Year()),
		"hour", fmt.Sprintf("%02d", at.Hour()), "minute", fmt.Sprintf("%02d", at.Minute())) +
		" (" + offset(at) + ")"
}

// offset is a zone's distance from UTC at a time, as in UTC+7 or UTC-3:30.
func offset(at time.Time) string {
	_, seconds := at.Zone()
	sign := "+"
	switch {
	case seconds == 0:
		return "UTC"
	case seconds < 0:
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
