package wordfilter_test

import (
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/plugins/wordfilter"
	"github.com/bellhub/bellhub/static"
)

func TestConforms(t *testing.T) {
	hubtest.Conform(t, func() hub.Plugin { return wordfilter.New() }, hubtest.Options{Texts: static.Texts()})
}
