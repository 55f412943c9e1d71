package example

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// visit is the page that a room's visitor was on last.
type visit struct {
	RoomID   string `gorm:"type:char(36);primaryKey"`
	DomainID string `gorm:"type:char(36);not null"`
	URL      string `gorm:"size:500;not null"`
	Title    string `gorm:"size:200;not null"`

	At time.Time `gorm:"precision:3;not null;index"`
}

func (visit) TableName() string { return "example_visits" }

// bell is a page that a visitor called from.
type bell struct {
	RoomID   string `gorm:"type:char(36);primaryKey"`
	Seq      int64  `gorm:"primaryKey;autoIncrement:false"`
	DomainID string `gorm:"type:char(36);not null"`
	URL      string `gorm:"size:500;not null"`
	Title    string `gorm:"size:200;not null"`

	At time.Time `gorm:"precision:3;not null;index"`
}

func (bell) TableName() string { return "example_bells" }

// Migrations makes the tables. Once released, a migration's struct is frozen: a
// model that changes gets a copy, and a migration more.
func (*Plugin) Migrations() []storage.Migration {
	return []storage.Migration{
		storage.CreateTable("example/0001", &visit{}),
		storage.CreateTable("example/0002", &bell{}),
	}
}

// savePage notes where a room's visitor is now.
func savePage(ctx context.Context, room hub.Room, at place) error {
	row := visit{RoomID: room.ID, DomainID: room.Domain, URL: at.URL, Title: at.Title, At: hub.Now()}
	return storage.DB(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

// pageOf reads where a room's visitor was last; the zero place if it never said.
func pageOf(ctx context.Context, room hub.Room) (place, error) {
	var row visit
	err := storage.Read(ctx).Take(&row, "room_id = ? AND domain_id = ?", room.ID, room.Domain).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return place{}, nil
	}
	return place{row.URL, row.Title}, err
}

// saveBell notes a call. The event's number makes it the same one again.
func saveBell(ctx context.Context, room hub.Room, seq int64, at place) error {
	row := bell{RoomID: room.ID, Seq: seq, DomainID: room.Domain, URL: at.URL, Title: at.Title, At: hub.Now()}
	return storage.DB(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error
}

// purge forgets what is older.
func purge(ctx context.Context, before time.Time) error {
	return errors.Join(
		storage.DB(ctx).Where("at < ?", before).Delete(&visit{}).Error,
		storage.DB(ctx).Where("at < ?", before).Delete(&bell{}).Error,
	)
}

// count is a page with its calls.
type count struct {
	URL, Title string
	Bells      int
}

// mostCalled lists the pages of a domain that were called from most.
func mostCalled(ctx context.Context, domain string) (all []count, err error) {
	err = storage.Read(ctx).Model(&bell{}).Select("url, MAX(title) AS title, COUNT(*) AS bells").
		Where("domain_id = ?", domain).Group("url").Order("bells DESC, url").Limit(50).Find(&all).Error
	return all, err
}
