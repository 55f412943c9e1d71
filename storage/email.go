package storage

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
)

// Email is one email to one recipient. Its ID is the delivery id that every
// attempt carries, so that a provider's answer can be matched to it.
type Email struct {
	ID           string
	DomainID     string
	RoomID       string // empty where it is about no room
	EscalationID string // likewise
	RuleID       string // likewise
	Kind         EmailKind
	Recipient    string
	Label        string
	Subject      string
	Data         string // JSON: what the kind's template needs, such as a Bell
	State        EmailState
	Attempts     int
	Error        string // why it failed, for people; no secrets
	ProviderID   string // the provider's message id
	Text         string // the body as last sent, the link redacted
	HTML         string `gorm:"column:html"` // likewise
	SentAt       *time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// EmailKind says which template an email is made with.
type EmailKind string

// The kinds of email.
const (
	EmailBell    EmailKind = "bell"     // a visitor rang: Data is a Bell
	EmailNewLink EmailKind = "new_link" // a recipient asked for a new link: Data is a Bell
)

// EmailState says how far an email has got. It only moves forward.
type EmailState string

// The states of an email.
const (
	EmailQueued  EmailState = "queued"  // waits for an attempt
	EmailHeld    EmailState = "held"    // waits until mail is configured
	EmailSent    EmailState = "sent"    // a provider, or the development mailbox, accepted it
	EmailFailed  EmailState = "failed"  // given up
	EmailExpired EmailState = "expired" // held for too long to be of use
)

// Bell is the Data of the emails about a visitor who rang: the facts as of that
// moment.
type Bell struct {
	Domain    string    `json:"domain"` // the name
	DomainKey string    `json:"domain_key"`
	TimeZone  string    `json:"time_zone"`
	Room      string    `json:"room"` // the reference
	Reason    string    `json:"reason"`
	At        time.Time `json:"at"`
}

// JobSendEmail is the kind of the jobs that send emails; the key is the email's
// id.
const JobSendEmail = "mail.send"

// emailPriority puts a visitor's call before everything else that waits.
const emailPriority = 10

// AddEmails stores emails in the transaction that ctx carries and returns the
// jobs that will send them, to be enqueued with what caused them.
func AddEmails(ctx context.Context, emails ...Email) ([]hub.Job, error) {
	if len(emails) == 0 {
		return nil, nil
	}
	now := hub.Now()
	jobs := make([]hub.Job, len(emails))
	for i := range emails {
		e := &emails[i]
		e.ID, e.CreatedAt, e.UpdatedAt = NewID(), now, now
		if e.State == "" {
			e.State = EmailQueued
		}
		jobs[i] = hub.Job{Kind: JobSendEmail, Key: e.ID, Payload: hub.MarshalData(e.ID), Priority: emailPriority}
	}
	return jobs, DB(ctx).Create(&emails).Error
}

// EmailByID reads an email for the worker that sends it; hub.ErrNotFound.
func EmailByID(ctx context.Context, id string) (Email, error) {
	var e Email
	err := Read(ctx).Take(&e, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = hub.ErrNotFound
	}
	return e, err
}

// Bell decodes the Data of the kinds that carry one.
func (e Email) Bell() (Bell, error) {
	var b Bell
	return b, json.Unmarshal([]byte(e.Data), &b)
}

// SaveEmail writes an email's progress: state, attempts, error, provider's id,
// bodies and time of sending.
func SaveEmail(ctx context.Context, e Email) error {
	return DB(ctx).Model(&e).Where("domain_id = ?", e.DomainID).
		Select("state", "attempts", "error", "provider_id", "text", "html", "subject", "sent_at", "updated_at").Updates(&e).Error
}

// EmailsOfRoom lists the emails about a room of a domain, the newest first.
func EmailsOfRoom(ctx context.Context, domain, roomID string) ([]Email, error) {
	var all []Email
	return all, Read(ctx).Where("domain_id = ? AND room_id = ?", domain, roomID).Order("created_at DESC, id DESC").Limit(100).Find(&all).Error
}

// EmailsOfEscalation lists the emails of one call for a person.
func EmailsOfEscalation(ctx context.Context, domain string, escalations ...string) ([]Email, error) {
	var all []Email
	return all, Read(ctx).Where("domain_id = ? AND escalation_id IN ?", domain, escalations).Order("created_at, id").Find(&all).Error
}

// HeldEmails counts a domain's emails that wait for mail to be configured.
func HeldEmails(ctx context.Context, domain string) (n int64, err error) {
	err = Read(ctx).Model(&Email{}).Where("domain_id = ? AND state = ?", domain, EmailHeld).Count(&n).Error
	return n, err
}

// HeldLife is how long a held email is still worth sending.
const HeldLife = 24 * time.Hour

// ReleaseHeld is called when mail works: held emails younger than HeldLife are
// queued, older ones expire, and their jobs with them.
func ReleaseHeld(ctx context.Context) error {
	now := hub.Now()
	return Tx(ctx, func(ctx context.Context) error {
		held := func() *gorm.DB { return DB(ctx).Model(&Email{}).Where("state = ?", EmailHeld) }
		err := held().Where("created_at <= ?", now.Add(-HeldLife)).Updates(map[string]any{"state": EmailExpired, "updated_at": now}).Error
		if err != nil {
			return err
		}
		return held().Updates(map[string]any{"state": EmailQueued, "updated_at": now}).Error
	})
}
