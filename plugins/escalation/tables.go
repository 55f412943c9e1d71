package escalation

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// escalation is a visitor's call for a person.
type escalation struct {
	ID         string
	DomainID   string
	RoomID     string
	State      string // as in hub.Progress
	Limited    bool   // over a limit: nobody was alerted
	AnsweredBy string // the name of who took the room over last
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

func (escalation) TableName() string { return "escalation_escalations" }

// reason is what the visitor wrote at one press of the bell.
type reason struct {
	ID           string
	EscalationID string
	DomainID     string
	Reason       string
	CreatedAt    time.Time
}

func (reason) TableName() string { return "escalation_reasons" }

// recipient is a CC rule as it was when the visitor rang.
type recipient struct {
	EscalationID string `gorm:"primaryKey"`
	RuleID       string `gorm:"primaryKey"`
	DomainID     string
	Email        string
	Label        string
}

func (recipient) TableName() string { return "escalation_recipients" }

// Migrations makes the plugin's tables. The structs in it are frozen.
func (p *Plugin) Migrations() []storage.Migration {
	return []storage.Migration{
		storage.CreateTable("escalation/0001", &escalations0001{}),
		storage.CreateTable("escalation/0002", &reasons0002{}),
		storage.CreateTable("escalation/0003", &recipients0003{}),
	}
}

type escalations0001 struct {
	ID         string    `gorm:"type:char(36);primaryKey"`
	DomainID   string    `gorm:"type:char(36);not null;index:escalation_list,priority:1"`
	RoomID     string    `gorm:"type:char(36);not null;index:escalation_room,priority:1"`
	State      string    `gorm:"size:32;not null"`
	Limited    bool      `gorm:"not null"`
	AnsweredBy string    `gorm:"size:100;not null"`
	CreatedAt  time.Time `gorm:"precision:3;not null;index:escalation_list,priority:2;index:escalation_room,priority:2"`
	UpdatedAt  time.Time `gorm:"precision:3;not null"`
}

func (escalations0001) TableName() string { return "escalation_escalations" }

type reasons0002 struct {
	ID           string    `gorm:"type:char(36);primaryKey"`
	EscalationID string    `gorm:"type:char(36);not null;index"`
	DomainID     string    `gorm:"type:char(36);not null"`
	Reason       string    `gorm:"type:text;not null"`
	CreatedAt    time.Time `gorm:"precision:3;not null"`
}

func (reasons0002) TableName() string { return "escalation_reasons" }

type recipients0003 struct {
	EscalationID string `gorm:"type:char(36);primaryKey"`
	RuleID       string `gorm:"type:char(36);primaryKey"`
	DomainID     string `gorm:"type:char(36);not null"`
	Email        string `gorm:"size:254;not null"`
	Label        string `gorm:"size:60;not null"`
}

func (recipients0003) TableName() string { return "escalation_recipients" }

// alerted are the states in which somebody was, or is being, told.
var alerted = []string{hub.StateQueued, hub.StateNotified, hub.StateCaptured, hub.StateJoined}

// openEscalation is the id of the escalation that a further bell of the room
// joins, or empty: the newest one, if it was made after since, alerted somebody
// and has not been answered.
func openEscalation(ctx context.Context, room hub.Room, since time.Time) (string, error) {
	if !slices.Contains(alerted, room.Escalation.State) {
		return "", nil
	}
	var e escalation
	err := storage.DB(ctx).Take(&e, "id = ? AND domain_id = ? AND created_at > ?", room.Escalation.Escalation, room.Domain, since).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "", nil
	}
	return e.ID, err
}

// countSince counts a room's escalations made after since.
func countSince(ctx context.Context, room hub.Room, since time.Time) (int, error) {
	var n int64
	err := storage.DB(ctx).Model(&escalation{}).
		Where("room_id = ? AND domain_id = ? AND created_at > ?", room.ID, room.Domain, since).Count(&n).Error
	return int(n), err
}

func addEscalation(ctx context.Context, e escalation, rules []storage.CCRule) error {
	if err := storage.DB(ctx).Create(&e).Error; err != nil || len(rules) == 0 {
		return err
	}
	rows := make([]recipient, len(rules))
	for i, r := range rules {
		rows[i] = recipient{EscalationID: e.ID, RuleID: r.ID, DomainID: e.DomainID, Email: r.Email, Label: r.Label}
	}
	return storage.DB(ctx).Create(&rows).Error
}

func addReason(ctx context.Context, r reason) error {
	r.ID = storage.NewID()
	return storage.DB(ctx).Create(&r).Error
}

func setState(ctx context.Context, domain, id, state, by string) error {
	set := map[string]any{"state": state, "updated_at": hub.Now()}
	if by != "" {
		set["answered_by"] = by
	}
	return storage.DB(ctx).Model(&escalation{}).Where("id = ? AND domain_id = ?", id, domain).Updates(set).Error
}

// pageSize is how many escalations the console shows at a time.
const pageSize = 50

// list reads a page of a domain's escalations, the newest first, with their
// reasons and recipients; more tells whether older ones exist.
func list(ctx context.Context, domain string, after storage.Cursor) (all []escalation, reasons map[string][]reason, to map[string][]recipient, more bool, err error) {
	q := after.After(storage.Read(ctx).Where("domain_id = ?", domain), "created_at")
	if err = q.Order("created_at DESC, id DESC").Limit(pageSize + 1).Find(&all).Error; err != nil || len(all) == 0 {
		return nil, nil, nil, false, err
	}
	if more = len(all) > pageSize; more {
		all = all[:pageSize]
	}
	ids := make([]string, len(all))
	for i, e := range all {
		ids[i] = e.ID
	}
	var rs []reason
	if err = storage.Read(ctx).Where("domain_id = ? AND escalation_id IN ?", domain, ids).Order("created_at, id").Find(&rs).Error; err != nil {
		return nil, nil, nil, false, err
	}
	var ts []recipient
	if err = storage.Read(ctx).Where("domain_id = ? AND escalation_id IN ?", domain, ids).Order("email").Find(&ts).Error; err != nil {
		return nil, nil, nil, false, err
	}
	reasons, to = map[string][]reason{}, map[string][]recipient{}
	for _, r := range rs {
		reasons[r.EscalationID] = append(reasons[r.EscalationID], r)
	}
	for _, t := range ts {
		to[t.EscalationID] = append(to[t.EscalationID], t)
	}
	return all, reasons, to, more, nil
}
