package webhooks

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/bellhub/bellhub/hub"
)

// A decision endpoint that failed so often in a row is not asked for the pause:
// its domain's visitors would wait for nothing.
const (
	askFailures = 5
	askPause    = 10 * time.Second
)

const (
	// askBudget is what the hook takes in all, at most: a registry that is slow to
	// read must not make the visitor wait longer than for any other hook.
	askBudget = hub.HookTimeout - 100*time.Millisecond
	// askTimeout is what it is given. A machine that is too busy to end it in time
	// must not make it overdue: the breaker that would open is the deliveries', too,
	// in all domains.
	askTimeout = 2 * hub.HookTimeout
)

// The actions of an answer.
const (
	actionAllow   = "allow"
	actionVeto    = "veto"
	actionRewrite = "rewrite"
)

// What else becomes of a question, beside the outcomes of a request.
const (
	outcomeNonsense = "nonsense" // an answer that is none
	outcomeLeft     = "left"     // the visitor did not wait
)

// decisionNames are all of it, for counting.
func decisionNames() []string {
	return []string{
		actionAllow, actionVeto, actionRewrite, outcomeNonsense, outcomeLeft, outcomeHeld,
		outcomeBlocked, outcomeName, outcomeNetwork, outcomeTLS, outcomeTimeout, outcomeStatus, outcomeRedirect, outcomeGone,
	}
}

const (
	// maxVerdict bounds an answer, in bytes: a rewritten message of the greatest
	// length, every character escaped, and room to spare.
	maxVerdict = 128 << 10
	// maxVetoText bounds what a visitor is told, in characters.
	maxVetoText = 500
)

// verdict is a decision endpoint's answer.
type verdict struct {
	Action  string `json:"action"`
	Message string `json:"message"` // of a veto
	Text    string `json:"text"`    // of a rewrite
}

// decide asks the domain's decision endpoint about a visitor's message. Whatever
// that does, it is over within the owner's deadline and never fails as a hook: one
// domain's trouble must not have the hook skipped for the others.
func (p *Plugin) decide(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
	if e.Event.Type != hub.EventMessage || e.Event.Author.Kind != hub.Visitor {
		return e, nil
	}
	over := time.Now().Add(askBudget)
	entry, err := p.registry.of(ctx, e.Room.Domain)
	if err != nil {
		return e, hub.Unavailable(err)
	}
	if entry.decider == nil {
		return e, nil
	}
	v, outcome := p.ask(ctx, entry.decider, e, over)
	p.decided(outcome)
	switch outcome {
	case actionAllow:
	case actionVeto:
		return e, hub.Veto("", v.Message)
	case actionRewrite:
		e.Event.Text = v.Text
	case outcomeLeft:
		return e, hub.Unavailable(ctx.Err()) // nobody is told
	default:
		p.troubles.note(e.Room.Domain, outcome)
		if entry.decider.FailClosed {
			return e, hub.Veto(hub.CodeUnavailable, p.host.Text(e.Lang, "webhooks.visitor.closed"))
		}
	}
	return e, nil
}

// ask returns a verdict that can be followed as it is, and its action; or why
// there is none. It is back by over.
func (p *Plugin) ask(ctx context.Context, d *decider, e hub.EventAppending, over time.Time) (v verdict, outcome string) {
	if !p.asking.open(d.DomainID) {
		return v, outcomeHeld
	}
	asking, cancel := context.WithDeadline(ctx, over)
	defer cancel()
	asking, cancel = context.WithTimeout(asking, time.Duration(d.DeadlineMS)*time.Millisecond)
	defer cancel()
	domain, err := p.registry.key(asking, d.DomainID)
	if err != nil {
		return v, outcomeTimeout
	}
	body := pendingBody(domain, e, hub.Now())
	a, err := p.asker.send(asking, d.URL, d.Keys, questionID(e), body, maxVerdict)
	if ctx.Err() != nil {
		return v, outcomeLeft // says nothing about the endpoint
	}
	outcome = a.Outcome
	switch {
	case err != nil:
		outcome = outcomeNonsense
		p.host.Log.Error("webhooks: ask", "domain", d.DomainID, "err", err)
	case outcome == outcomeDelivered:
		v, outcome = p.understand(a.Body, e.Lang)
	}
	p.asking.note(d.DomainID, v.Action != "")
	return v, outcome
}

// understand reads an answer. One that cannot be followed is none. A veto without
// words gets ours, in the visitor's language.
func (p *Plugin) understand(body []byte, lang string) (verdict, string) {
	var v verdict
	if json.Unmarshal(body, &v) != nil {
		return verdict{}, outcomeNonsense
	}
	var err error
	switch v.Action {
	case actionAllow:
	case actionVeto:
		if v.Message, err = hub.CleanText(v.Message, maxVetoText, hub.CodeBadText); err != nil {
			v.Message = p.host.Text(lang, "webhooks.visitor.veto") // refused all the same
		}
	case actionRewrite:
		if v.Text, err = hub.CleanText(v.Text, p.host.Limits().MaxText, hub.CodeBadText); err != nil {
			return verdict{}, outcomeNonsense
		}
	default:
		return verdict{}, outcomeNonsense
	}
	return v, v.Action
}

// questionID is the webhook-id of a question: the same where a visitor sends the
// same message again.
func questionID(e hub.EventAppending) string {
	name := e.Room.ID + "\n" + e.Event.Author.ID + "\n" + e.ClientID
	return "ask_" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String()
}
