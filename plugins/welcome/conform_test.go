package welcome_test

import (
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/plugins/welcome"
	"github.com/bellhub/bellhub/static"
)

func TestConforms(t *testing.T) {
	hubtest.Conform(t, func() hub.Plugin { return welcome.New() }, hubtest.Options{Texts: static.Texts()})
}
