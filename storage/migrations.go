package storage

import "time"

// migrations are this package's steps. The structs below are frozen: see
// [Migration]. The models beside the queries say what the columns mean.
func migrations() []Migration {
	return []Migration{
		CreateTable("storage/0001", &domains0001{}),
		CreateTable("storage/0002", &domainOrigins0002{}),
		CreateTable("storage/0003", &settings0003{}),
		CreateTable("storage/0004", &admins0004{}),
		CreateTable("storage/0005", &memberships0005{}),
		CreateTable("storage/0006", &signIns0006{}),
		CreateTable("storage/0007", &sessions0007{}),
		CreateTable("storage/0008", &visitors0008{}),
		CreateTable("storage/0009", &rooms0009{}),
		CreateTable("storage/0010", &events0010{}),
		CreateTable("storage/0011", &jobs0011{}),
		CreateTable("storage/0012", &ccRules0012{}),
		CreateTable("storage/0013", &links0013{}),
		CreateTable("storage/0014", &grants0014{}),
		CreateTable("storage/0015", &emails0015{}),
		CreateTable("storage/0016", &knowledge0016{}),
	}
}

type domains0001 struct {
	ID        string    `gorm:"type:char(36);primaryKey"`
	Key       string    `gorm:"column:widget_key;size:64;not null;uniqueIndex"`
	Name      string    `gorm:"size:200;not null"`
	TimeZone  string    `gorm:"size:64;not null"`
	AI        bool      `gorm:"column:ai;not null"`
	CreatedAt time.Time `gorm:"precision:3;not null"`
}

func (domains0001) TableName() string { return "domains" }

type domainOrigins0002 struct {
	DomainID string `gorm:"type:char(36);primaryKey"`
	Origin   string `gorm:"size:255;primaryKey"`
}

func (domainOrigins0002) TableName() string { return "domain_origins" }

type settings0003 struct {
	DomainID  string    `gorm:"type:char(36);primaryKey"`
	Plugin    string    `gorm:"size:64;primaryKey"`
	Value     string    `gorm:"type:text;not null"`
	UpdatedAt time.Time `gorm:"precision:3;not null"`
}

func (settings0003) TableName() string { return "settings" }

type admins0004 struct {
	ID        string    `gorm:"type:char(36);primaryKey"`
	Email     string    `gorm:"size:254;not null;uniqueIndex"`
	Name      string    `gorm:"size:100;not null"`
	Operator  bool      `gorm:"not null"`
	CreatedAt time.Time `gorm:"precision:3;not null"`
}

func (admins0004) TableName() string { return "admins" }

type memberships0005 struct {
	AdminID   string    `gorm:"type:char(36);primaryKey"`
	DomainID  string    `gorm:"type:char(36);primaryKey;index"`
	CreatedAt time.Time `gorm:"precision:3;not null"`
}

func (memberships0005) TableName() string { return "memberships" }

type signIns0006 struct {
	TokenHash string     `gorm:"type:char(64);primaryKey"`
	AdminID   string     `gorm:"type:char(36);not null"`
	ExpiresAt time.Time  `gorm:"precision:3;not null;index"`
	UsedAt    *time.Time `gorm:"precision:3"`
}

func (signIns0006) TableName() string { return "sign_ins" }

type sessions0007 struct {
	ID            string     `gorm:"type:char(36);primaryKey"`
	TokenHash     string     `gorm:"type:char(64);not null;uniqueIndex"`
	AdminID       *string    `gorm:"type:char(36)"`
	AdminUntil    *time.Time `gorm:"precision:3"`
	AdminActiveAt *time.Time `gorm:"precision:3"`
	ExpiresAt     time.Time  `gorm:"precision:3;not null;index"`
	CreatedAt     time.Time  `gorm:"precision:3;not null"`
}

func (sessions0007) TableName() string { return "sessions" }

type visitors0008 struct {
	ID        string    `gorm:"type:char(36);primaryKey"`
	DomainID  string    `gorm:"type:char(36);not null"`
	TokenHash string    `gorm:"type:char(64);not null;uniqueIndex"`
	Name      string    `gorm:"size:100;not null"`
	ExpiresAt time.Time `gorm:"precision:3;not null;index"`
	CreatedAt time.Time `gorm:"precision:3;not null"`
}

func (visitors0008) TableName() string { return "visitors" }

type rooms0009 struct {
	ID              string     `gorm:"type:char(36);primaryKey"`
	DomainID        string     `gorm:"type:char(36);not null;uniqueIndex:rooms_ref,priority:1;index:rooms_list,priority:1"`
	Ref             string     `gorm:"size:16;not null;uniqueIndex:rooms_ref,priority:2"`
	VisitorID       string     `gorm:"type:char(36);not null;uniqueIndex:rooms_open,priority:1"`
	Open            *bool      `gorm:"column:is_open;uniqueIndex:rooms_open,priority:2"`
	Mode            string     `gorm:"size:16;not null"`
	HolderID        string     `gorm:"size:36;not null"`
	HolderName      string     `gorm:"size:100;not null"`
	Epoch           int64      `gorm:"not null"`
	Seq             int64      `gorm:"not null"`
	EscalationID    string     `gorm:"size:36;not null"`
	EscalationState string     `gorm:"size:32;not null"`
	LastText        string     `gorm:"size:200;not null"`
	LastKind        string     `gorm:"size:16;not null"`
	LastAt          *time.Time `gorm:"precision:3;index:rooms_list,priority:2"`
	CreatedAt       time.Time  `gorm:"precision:3;not null;index"`
}

func (rooms0009) TableName() string { return "rooms" }

type events0010 struct {
	RoomID     string    `gorm:"type:char(36);primaryKey;uniqueIndex:events_client,priority:1"`
	Seq        int64     `gorm:"primaryKey;autoIncrement:false"`
	Type       string    `gorm:"size:16;not null"`
	AuthorKind string    `gorm:"size:16;not null;uniqueIndex:events_client,priority:2"`
	AuthorID   string    `gorm:"size:36;not null;uniqueIndex:events_client,priority:3"`
	AuthorName string    `gorm:"size:100;not null"`
	ClientID   *bytewise `gorm:"size:128;uniqueIndex:events_client,priority:4"`
	BodyHash   string    `gorm:"size:64;not null"`
	Text       string    `gorm:"type:mediumtext;not null"` // -max-text may be lifted: text ends at 64 KiB
	Data       string    `gorm:"type:mediumtext;not null"`
	At         time.Time `gorm:"precision:3;not null"`
}

func (events0010) TableName() string { return "events" }

type jobs0011 struct {
	ID        string    `gorm:"type:char(36);primaryKey"`
	Kind      string    `gorm:"size:64;not null;uniqueIndex:jobs_key,priority:1;index:jobs_due,priority:1"`
	Key       string    `gorm:"column:job_key;size:190;not null;uniqueIndex:jobs_key,priority:2"`
	State     string    `gorm:"size:16;not null;index:jobs_due,priority:2"`
	RunAt     time.Time `gorm:"precision:3;not null;index:jobs_due,priority:3"`
	Priority  int       `gorm:"not null"`
	Payload   string    `gorm:"type:text;not null"`
	RoomID    string    `gorm:"size:36;not null"`
	Seq       int64     `gorm:"not null"`
	Attempts  int       `gorm:"not null"`
	LastError string    `gorm:"size:500;not null"`
	CreatedAt time.Time `gorm:"precision:3;not null"`
	UpdatedAt time.Time `gorm:"precision:3;not null;index"`
}

func (jobs0011) TableName() string { return "jobs" }

type ccRules0012 struct {
	ID        string    `gorm:"type:char(36);primaryKey"`
	DomainID  string    `gorm:"type:char(36);not null;uniqueIndex:cc_rules_address,priority:1"`
	Email     string    `gorm:"size:254;not null;uniqueIndex:cc_rules_address,priority:2"`
	Label     string    `gorm:"size:60;not null"`
	Active    bool      `gorm:"not null"`
	AddedBy   string    `gorm:"size:254;not null"`
	CreatedAt time.Time `gorm:"precision:3;not null"`
	UpdatedAt time.Time `gorm:"precision:3;not null"`
}

func (ccRules0012) TableName() string { return "cc_rules" }

type links0013 struct {
	ID        string     `gorm:"type:char(36);primaryKey"`
	TokenHash string     `gorm:"type:char(64);not null;uniqueIndex"`
	DomainID  string     `gorm:"type:char(36);not null"`
	RoomID    string     `gorm:"type:char(36);not null;index"`
	RuleID    string     `gorm:"type:char(36);not null;index"`
	EmailID   string     `gorm:"size:36;not null"`
	Recipient string     `gorm:"size:254;not null"`
	Label     string     `gorm:"size:60;not null"`
	ExpiresAt time.Time  `gorm:"precision:3;not null;index"`
	RevokedAt *time.Time `gorm:"precision:3"`
	CreatedAt time.Time  `gorm:"precision:3;not null"`
}

func (links0013) TableName() string { return "links" }

type grants0014 struct {
	SessionID string    `gorm:"type:char(36);primaryKey"`
	LinkID    string    `gorm:"type:char(36);primaryKey;index"`
	RoomID    string    `gorm:"type:char(36);not null"`
	Name      string    `gorm:"size:100;not null"`
	CreatedAt time.Time `gorm:"precision:3;not null"`
}

func (grants0014) TableName() string { return "grants" }

type emails0015 struct {
	ID           string     `gorm:"type:char(36);primaryKey"`
	DomainID     string     `gorm:"type:char(36);not null;index:emails_list,priority:1"`
	RoomID       string     `gorm:"size:36;not null"`
	EscalationID string     `gorm:"size:36;not null;index"`
	RuleID       string     `gorm:"size:36;not null"`
	Kind         string     `gorm:"size:32;not null"`
	Recipient    string     `gorm:"size:254;not null"`
	Label        string     `gorm:"size:60;not null"`
	Subject      string     `gorm:"size:500;not null"`
	Data         string     `gorm:"type:text;not null"`
	State        string     `gorm:"size:16;not null;index"`
	Attempts     int        `gorm:"not null"`
	Error        string     `gorm:"size:500;not null"`
	ProviderID   string     `gorm:"size:255;not null"`
	Text         string     `gorm:"type:mediumtext;not null"`
	HTML         string     `gorm:"column:html;type:mediumtext;not null"`
	SentAt       *time.Time `gorm:"precision:3"`
	CreatedAt    time.Time  `gorm:"precision:3;not null;index:emails_list,priority:2"`
	UpdatedAt    time.Time  `gorm:"precision:3;not null"`
}

func (emails0015) TableName() string { return "emails" }

type knowledge0016 struct {
	ID        string    `gorm:"type:char(36);primaryKey"`
	DomainID  string    `gorm:"type:char(36);not null;index"`
	Title     string    `gorm:"size:200;not null"`
	Text      string    `gorm:"type:mediumtext;not null"`
	CreatedAt time.Time `gorm:"precision:3;not null"`
	UpdatedAt time.Time `gorm:"precision:3;not null"`
}

func (knowledge0016) TableName() string { return "knowledge" }
