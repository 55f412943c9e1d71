package storage

import (
	"context"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// Knowledge is a text that a domain's AI answers from.
type Knowledge struct {
	ID        string
	DomainID  string
	Title     string
	Text      string // Markdown
	CreatedAt time.Time
	UpdatedAt time.Time
}

// TableName is knowledge.
func (Knowledge) TableName() string { return "knowledge" }

// KnowledgeOf lists what a domain's AI knows, in the order it was added.
func KnowledgeOf(ctx context.Context, domain string) ([]Knowledge, error) {
	var all []Knowledge
	return all, Read(ctx).Where("domain_id = ?", domain).Order("created_at, id").Find(&all).Error
}

// AddKnowledge adds texts to what a domain's AI knows.
func AddKnowledge(ctx context.Context, domain string, texts ...Knowledge) error {
	now := hub.Now()
	for i := range texts {
		texts[i].ID, texts[i].DomainID, texts[i].CreatedAt, texts[i].UpdatedAt = NewID(), domain, now, now
	}
	return DB(ctx).Create(&texts).Error
}

// KnowledgeStamp changes whenever a domain's knowledge does: its count and the
// time of its newest change. An index built from it can tell that it is old.
func KnowledgeStamp(ctx context.Context, domain string) (n int64, newest time.Time, err error) {
	var row struct {
		N      int64
		Newest *time.Time
	}
	q := Read(ctx).Model(&Knowledge{}).Where("domain_id = ?", domain)
	if err = q.Count(&row.N).Error; err != nil || row.N == 0 {
		return row.N, time.Time{}, err
	}
	var last Knowledge
	err = Read(ctx).Select("updated_at").Where("domain_id = ?", domain).Order("updated_at DESC").Take(&last).Error
	return row.N, last.UpdatedAt, err
}
