package storage

import (
	"context"
	"fmt"

	"github.com/bellhub/bellhub/hub"
)

// Reclaim frees what a server that crashed had taken: jobs whose lease would
// otherwise run for most of a minute, the answer that a visitor waits for among
// them. It does so only where nobody else can have them, that is with SQLite, and
// while no other server that called it runs on the same file.
func (s *Store) Reclaim(ctx context.Context) error {
	if s.mysql {
		return nil
	}
	alone, err := lockFile(s.path + ".lock")
	if err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	if alone == nil {
		s.log.Warn("storage: another server runs on this database, or this system cannot tell")
		return nil
	}
	s.alone = alone // until Close
	return s.write.WithContext(ctx).Model(&job{}).Where("state = ?", jobTaken).
		Updates(map[string]any{"state": jobReady, "run_at": hub.Now()}).Error
}
