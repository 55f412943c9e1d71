package escalation

import (
	"testing"

	"github.com/bellhub/bellhub/hub/spec/spectest"
)

func TestTheBellIsDescribed(t *testing.T) {
	p := spectest.Open(t)
	p.Type(t, request{}, spectest.FromClient, "bell")
	p.Type(t, receipt{}, spectest.FromServer, "rung")
}
