package assistant_test

import (
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/plugins/assistant"
	"github.com/bellhub/bellhub/static"
)

func TestConforms(t *testing.T) {
	hubtest.Conform(t, func() hub.Plugin { return assistant.New(assistant.Options{}) }, hubtest.Options{Texts: static.Texts()})
}
