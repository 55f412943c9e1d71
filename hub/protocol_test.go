package hub

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub/spec/spectest"
)

// TestTheProtocolIsDescribed holds the wire types, and every list of words, to
// the AsyncAPI document.
func TestTheProtocolIsDescribed(t *testing.T) {
	p := spectest.Open(t)
	for schema, v := range map[string]any{
		"hello": helloData{}, "history": historyData{}, "typing": typingIn{}, "presence": presenceIn{},
	} {
		p.Type(t, v, spectest.FromClient, schema)
	}
	for _, field := range p.Fields("message") { // which is read without a type
		if _, err := messageText([]byte(`{"` + field + `":"x"}`)); err != nil {
			t.Errorf("the field %q of message is described, but refused: %v", field, err)
		}
	}
	for _, tt := range []struct {
		v       any
		schemas []string
	}{
		{welcomeData{}, []string{"welcome", "watching"}},
		{ackData{}, []string{"stored"}},
		{pageData{}, []string{"page"}},
		{eventData{}, []string{"event"}},
		{Progress{}, []string{"progress", "aiFailed"}},
		{HandOver{}, []string{"handOver"}},
		{errorData{}, []string{"error"}},
		{Stream{}, []string{"stream"}},
		{Typing{}, []string{"typist"}},
		{presenceToVisitor{}, []string{"holderPresence"}},
		{presenceToAdmin{}, []string{"roomPresence"}},
		{summaryData{}, []string{"summary"}},
	} {
		p.Type(t, tt.v, spectest.FromServer, tt.schemas...)
	}
	for _, tt := range []struct {
		what            string
		code, described []string
	}{
		{"kinds", spectest.Constants(t, "event.go", "Kind", ""), p.Enum("kind")},
		{"modes", spectest.Constants(t, "room.go", "Mode", ""), p.Enum("mode")},
		{"types of events", spectest.Constants(t, "event.go", "EventType", ""), p.Enum("event", "type")},
		{"states", spectest.Constants(t, "event.go", "", "State"), append(p.Enum("state"), StateAIFailed)},
		{"presence", []string{online, away, offline}, p.Enum("attendance")},
		{"a holder's presence", []string{online, away}, p.Enum("holderPresence", "holder")},
		{"a client's presence", []string{online, away}, p.Enum("presence", "state")},
		{"codes of errors", spectest.Constants(t, "errors.go", "Code", ""), p.Enum("error", "code")},
		{"codes of errors, for people", spectest.Constants(t, "errors.go", "Code", ""), column(p.Table("code"), 0, isWord)},
		{"codes of a close", spectest.Constants(t, "close.go", "CloseCode", ""), column(p.Table("code"), 0, isNumber)},
		{"retryable codes", retryable(t), column(p.Table("code"), 0, says("yes"), isWord)},
	} {
		slices.Sort(tt.code)
		slices.Sort(tt.described)
		if len(tt.code) == 0 || !slices.Equal(tt.code, tt.described) {
			t.Errorf("%s are %v, described are %v", tt.what, tt.code, tt.described)
		}
	}
}

// TestTheConstantsAreDescribed: a limit that nobody can look up is a trap.
func TestTheConstantsAreDescribed(t *testing.T) {
	want := []string{
		helloTimeout.String(), frameTimeout.String(), strconv.Itoa(maxHellos), strconv.Itoa(maxClientID), strconv.Itoa(maxDepth),
		strconv.Itoa(maxKeys), strconv.Itoa(MaxReason), strconv.Itoa(frameRate), strconv.Itoa(frameBurst),
		strconv.Itoa(MaxPage), strconv.Itoa(firstPage), strconv.Itoa(maxPageBytes), typingLife.String(),
	}
	if got := column(spectest.Open(t).Table("constant"), 1); !slices.Equal(got, want) {
		t.Errorf("described are %v, they are %v", got, want)
	}
}

// TestTheWidgetComesBackAsDescribed: 1006 is what browsers call a broken line,
// and never sent.
func TestTheWidgetComesBackAsDescribed(t *testing.T) {
	client, err := os.ReadFile("../static/shared/socket.js")
	if err != nil {
		t.Fatal(err)
	}
	set := regexp.MustCompile(`COME_BACK = new Set\(\[(.*)\]\)`).FindSubmatch(client)
	if set == nil {
		t.Fatal("the widget's client has no set of codes to come back after")
	}
	want := slices.DeleteFunc(strings.Split(string(set[1]), ", "), func(code string) bool { return code == "1006" })
	if got := column(spectest.Open(t).Table("code"), 0, isNumber, says("yes")); !slices.Equal(got, want) {
		t.Errorf("described are %v, the widget's are %v", got, want)
	}
}

func retryable(t *testing.T) (codes []string) {
	for _, c := range spectest.Constants(t, "errors.go", "Code", "") {
		if (&Error{Code: Code(c)}).Retryable() {
			codes = append(codes, c)
		}
	}
	return codes
}

// column takes one column of those rows that every condition holds for.
func column(rows [][]string, n int, where ...func(row []string) bool) (cells []string) {
	for _, row := range rows {
		if !slices.ContainsFunc(where, func(holds func([]string) bool) bool { return !holds(row) }) {
			cells = append(cells, row[n])
		}
	}
	return cells
}

func isNumber(row []string) bool {
	_, err := strconv.Atoi(row[0])
	return err == nil
}

func isWord(row []string) bool { return !isNumber(row) }

// says tells whether the last column begins with a word.
func says(word string) func([]string) bool {
	return func(row []string) bool { return strings.HasPrefix(row[len(row)-1], word) }
}
