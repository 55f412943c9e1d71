package hubtest_test

import (
	"errors"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

func TestMemory(t *testing.T) {
	hubtest.TestStore(t, func(*testing.T) (hub.Store, hubtest.Fixture) {
		m := hubtest.NewMemory()
		return m, m
	})
}

func TestMemoryRepeatsWithin(t *testing.T) {
	hubtest.TestStore(t, func(*testing.T) (hub.Store, hubtest.Fixture) {
		m := hubtest.NewMemory()
		m.RepeatWithin = true
		return m, m
	})
}

func TestMemoryFails(t *testing.T) {
	m := hubtest.NewMemory()
	d := m.AddDomain(hub.Domain{})
	e, err := m.EnterVisitor(t.Context(), d, "", "")
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("disk full")
	m.Fail(broken)
	a := hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "x"}
	if _, err := m.Append(t.Context(), a); !errors.Is(err, hub.ErrUnavailable) || !errors.Is(err, broken) {
		t.Errorf("Append: %v, want %v because of %v", err, hub.ErrUnavailable, broken)
	}
	if _, err := m.Room(t.Context(), e.Room.ID); !errors.Is(err, broken) {
		t.Errorf("Room: %v", err)
	}
	m.Fail(nil)
	if got, err := m.Append(t.Context(), a); err != nil || got.Event.Seq != 1 {
		t.Errorf("after the fault: %+v, %v", got, err)
	}
}
