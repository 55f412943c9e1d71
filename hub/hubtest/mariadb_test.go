package hubtest_test

import (
	"os"
	"testing"

	"github.com/bellhub/bellhub/hub/hubtest"
)

func TestMain(m *testing.M) { os.Exit(hubtest.Main(m)) }

// A database is fresh for each test that asks.
func TestMariaDB(t *testing.T) {
	if a, b := hubtest.MariaDB(t), hubtest.MariaDB(t); a == b {
		t.Errorf("two tests share %s", a)
	}
}
