package takeover

import (
	"testing"

	"github.com/bellhub/bellhub/hub/spec/spectest"
)

func TestTakingOverIsDescribed(t *testing.T) {
	p := spectest.Open(t)
	p.Type(t, confirmation{}, spectest.FromClient, "confirmation")
	p.Type(t, ack{}, spectest.FromServer, "handed")
}
