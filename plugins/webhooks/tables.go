package webhooks

import (
	"slices"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// eventTypes are the events an endpoint can want, in the order they are shown in.
var eventTypes = []hub.EventType{hub.EventMessage, hub.EventEscalation, hub.EventTakeover, hub.EventHandback, hub.EventNotice}

// eventSet is what an endpoint wants, as text: the types, between commas.
type eventSet string

func newEventSet(names []string) eventSet {
	var all []string
	for _, t := range eventTypes {
		if slices.Contains(names, string(t)) {
			all = append(all, string(t))
		}
	}
	return eventSet(strings.Join(all, ","))
}

func (s eventSet) has(t hub.EventType) bool {
	for one := range strings.SplitSeq(string(s), ",") {
		if one == string(t) {
			return true
		}
	}
	return false
}

// The states of an endpoint. Only an active one gets anything.
const (
	endpointActive  = "active"
	endpointPaused  = "paused"  // by its owner
	endpointStopped = "stopped" // by itself: nothing arrived for too long
	endpointGone    = "gone"    // it answered 410 Gone
)

// endpoint is an address that events are delivered to.
type endpoint struct {
	ID           string
	DomainID     string
	URL          string `gorm:"column:url"`
	Description  string
	Events       eventSet
	State        string
	Keys         keys       `gorm:"embedded"`
	Failures     int        // deliveries in a row that failed for good
	FailingSince *time.Time // of the first of them
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

func (endpoint) TableName() string { return "webhooks_endpoints" }

// decider is the endpoint that a domain asks about its visitors' messages.
type decider struct {
	DomainID   string `gorm:"primaryKey"`
	URL        string `gorm:"column:url"`
	Active     bool
	DeadlineMS int  `gorm:"column:deadline_ms"`
	FailClosed bool // without an answer the message is refused
	Keys       keys `gorm:"embedded"`
	// When there was no answer last, to the minute, and why; nil: not since it
	// was saved.
	FailedAt  *time.Time
	FailedBy  string
	CreatedAt time.Time
	UpdatedAt time.Time
}

func (decider) TableName() string { return "webhooks_deciders" }

// The states of a delivery.
const (
	deliveryWaiting   = "waiting" // for its next attempt
	deliveryDelivered = "delivered"
	deliveryFailed    = "failed" // for good, until somebody replays it
)

// delivery is an event on its way to an endpoint, from its first attempt on. It
// names the event; what was said stands in the log alone.
type delivery struct {
	ID         string // the webhook-id, behind "msg_"
	DomainID   string
	EndpointID string
	RoomID     string // empty for a ping
	Seq        int64
	Type       string // of the envelope
	State      string
	Attempts   int    // in all
	Replays    int    // how many jobs it has had beyond the first, as when somebody replayed it
	Status     int    // of the last answer; 0: none
	Outcome    string // of the last attempt
	Detail     string
	TookMS     int64 `gorm:"column:took_ms"`
	NextAt     *time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

func (delivery) TableName() string { return "webhooks_deliveries" }

// Migrations makes the plugin's tables. The structs in it are frozen.
func (p *Plugin) Migrations() []storage.Migration {
	return []storage.Migration{
		storage.CreateTable("webhooks/0001", &endpoints0001{}),
		storage.CreateTable("webhooks/0002", &deciders0002{}),
		storage.CreateTable("webhooks/0003", &deliveries0003{}),
	}
}

type endpoints0001 struct {
	ID           string     `gorm:"type:char(36);primaryKey"`
	DomainID     string     `gorm:"type:char(36);not null;index"`
	URL          string     `gorm:"column:url;size:1000;not null"`
	Description  string     `gorm:"size:100;not null"`
	Events       string     `gorm:"size:100;not null"`
	State        string     `gorm:"size:16;not null"`
	Secret       string     `gorm:"size:100;not null"`
	OldSecret    string     `gorm:"size:100;not null"`
	OldUntil     *time.Time `gorm:"precision:3"`
	Failures     int        `gorm:"not null"`
	FailingSince *time.Time `gorm:"precision:3"`
	CreatedAt    time.Time  `gorm:"precision:3;not null"`
	UpdatedAt    time.Time  `gorm:"precision:3;not null"`
}

func (endpoints0001) TableName() string { return "webhooks_endpoints" }

type deciders0002 struct {
	DomainID   string     `gorm:"type:char(36);primaryKey"`
	URL        string     `gorm:"column:url;size:1000;not null"`
	Active     bool       `gorm:"not null"`
	DeadlineMS int        `gorm:"column:deadline_ms;not null"`
	FailClosed bool       `gorm:"not null"`
	Secret     string     `gorm:"size:100;not null"`
	OldSecret  string     `gorm:"size:100;not null"`
	OldUntil   *time.Time `gorm:"precision:3"`
	FailedAt   *time.Time `gorm:"precision:3"`
	FailedBy   string     `gorm:"size:16;not null"`
	CreatedAt  time.Time  `gorm:"precision:3;not null"`
	UpdatedAt  time.Time  `gorm:"precision:3;not null"`
}

func (deciders0002) TableName() string { return "webhooks_deciders" }

type deliveries0003 struct {
	ID         string     `gorm:"type:char(36);primaryKey"`
	DomainID   string     `gorm:"type:char(36);not null;index:webhooks_deliveries_list,priority:1;index:webhooks_deliveries_state,priority:1"`
	EndpointID string     `gorm:"type:char(36);not null"`
	RoomID     string     `gorm:"type:varchar(36);not null"`
	Seq        int64      `gorm:"not null"`
	Type       string     `gorm:"size:40;not null"`
	State      string     `gorm:"size:16;not null;index:webhooks_deliveries_state,priority:2"`
	Attempts   int        `gorm:"not null"`
	Replays    int        `gorm:"not null"`
	Status     int        `gorm:"not null"`
	Outcome    string     `gorm:"size:16;not null"`
	Detail     string     `gorm:"size:255;not null"`
	TookMS     int64      `gorm:"column:took_ms;not null"`
	NextAt     *time.Time `gorm:"precision:3"`
	CreatedAt  time.Time  `gorm:"precision:3;not null;index:webhooks_deliveries_list,priority:2;index:webhooks_deliveries_state,priority:3"`
	UpdatedAt  time.Time  `gorm:"precision:3;not null;index"`
}

func (deliveries0003) TableName() string { return "webhooks_deliveries" }
