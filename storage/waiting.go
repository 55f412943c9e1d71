package storage

import (
	"context"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// CountWaiting counts a domain's conversations whose visitor rang and waits for
// a person.
func CountWaiting(ctx context.Context, domain string) (n int64, err error) {
	err = Read(ctx).Model(&room{}).Where("domain_id = ? AND last_at IS NOT NULL AND escalation_state IN ?", domain, waiting).Count(&n).Error
	return n, err
}

// UnopenedAfter is how long a recipient may leave emails unopened before the
// owner is asked whether it is still on the team.
const UnopenedAfter = 30 * 24 * time.Hour

// UnopenedRules lists the ids of a domain's CC rules that were emailed within
// UnopenedAfter, were added before that, and whose links nobody has opened in
// that time.
func UnopenedRules(ctx context.Context, domain string) (map[string]bool, error) {
	since := hub.Now().Add(-UnopenedAfter)
	var ids []string
	opened := Read(ctx).Model(&Link{}).Select("links.rule_id").Joins("JOIN grants g ON g.link_id = links.id").
		Where("links.domain_id = ? AND g.created_at > ?", domain, since)
	emailed := Read(ctx).Model(&Email{}).Select("rule_id").
		Where("domain_id = ? AND state = ? AND sent_at > ?", domain, EmailSent, since)
	err := Read(ctx).Model(&CCRule{}).
		Where("domain_id = ? AND active = ? AND created_at < ? AND id IN (?) AND id NOT IN (?)", domain, true, since, emailed, opened).
		Pluck("id", &ids).Error
	out := map[string]bool{}
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}
