package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// What a hook may make of an event. The store would refuse more, and with it
// the visitor's message; so the hook's result is thrown away instead.
const (
	maxHookText = 60_000   // bytes of a message's text: MySQL's text holds 65,535
	maxHookData = 60_000   // bytes of its data
	maxJobs     = 100      // of one event, all plugins' together
	maxPayload  = 60_000   // bytes of a job's
	maxJobName  = 64       // bytes of a job's kind
	maxJobKey   = 190      // bytes of a job's key
	maxWording  = 4 * 1000 // bytes of a confirmation: four lines of talk, not a page
)

// unsound tells why what a hook returned cannot be used. was is what it got.
func (e EventAppending) unsound(was EventAppending) error {
	for _, j := range e.Jobs[min(len(was.Jobs), len(e.Jobs)):] {
		switch {
		case j.Kind == "" || len(j.Kind) > maxJobName || j.Key == "" || len(j.Key) > maxJobKey:
			return fmt.Errorf("a job needs a kind of 1 to %d bytes and a key of 1 to %d", maxJobName, maxJobKey)
		case len(j.Payload) > maxPayload || len(j.Payload) > 0 && !json.Valid(j.Payload):
			return fmt.Errorf("a job's payload is not JSON of at most %d bytes", maxPayload)
		}
	}
	if len(e.Jobs) > maxJobs {
		return fmt.Errorf("%d jobs for one event: at most %d", len(e.Jobs), maxJobs)
	}
	if len(e.Jobs) < len(was.Jobs) {
		return errors.New("jobs of earlier hooks are gone")
	}
	if e.Event.Type != EventMessage {
		return nil // nothing else of it is used
	}
	if e.Event.Text != was.Event.Text {
		if e.Event.Text == "" || len(e.Event.Text) > maxHookText || !utf8.ValidString(e.Event.Text) {
			return fmt.Errorf("the text is not 1 to %d bytes of UTF-8", maxHookText)
		}
		for _, r := range e.Event.Text {
			if !Readable(r) {
				return errors.New("the text has a character that cannot be shown")
			}
		}
	}
	if data := e.Event.Data; string(data) != string(was.Event.Data) && len(data) > 0 &&
		(len(data) > maxHookData || !isObject(data) || !json.Valid(data)) {
		return fmt.Errorf("the data is not a JSON object of at most %d bytes", maxHookData)
	}
	return nil
}

func (e BellRung) unsound(BellRung) error {
	if len(e.Message) > maxWording || !utf8.ValidString(e.Message) {
		return fmt.Errorf("the message is not UTF-8 of at most %d bytes", maxWording)
	}
	return nil
}

// Of the others the hub uses whether they were refused, and a truth value.

func (SessionOpening) unsound(SessionOpening) error { return nil }
func (HandingBack) unsound(HandingBack) error       { return nil }
