package schedulercore_test

import (
	"testing"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	. "github.com/meseta/meseta/internal/sdk/schedulercore"
)

// Events without the part that their type promises, before SUBSCRIBED and after it, call nobody back.
func TestEmptyEventsMeanNothing(t *testing.T) {
	for number, name := range schedulerpb.Event_Type_name {
		typ := schedulerpb.Event_Type(number)
		if typ == schedulerpb.Event_ERROR || typ == schedulerpb.Event_SUBSCRIBED {
			continue // these say enough by their type
		}
		t.Run(name, func(t *testing.T) {
			p := newPlayer()
			p.core = New(p.cfg)
			p.step(Start{})
			event := Received{Stream: 1, Event: &schedulerpb.Event{Type: &typ}}
			if said := p.step(event); said != nil {
				t.Errorf("before SUBSCRIBED: %q", said)
			}
			p.step(Received{Stream: 1, Event: &schedulerpb.Event{Type: schedulerpb.Event_SUBSCRIBED.Enum()}})
			if said := p.step(event); said != nil {
				t.Errorf("after SUBSCRIBED: %q", said)
			}
			if said := p.step(Received{Stream: 1}); said != nil {
				t.Errorf("no event at all: %q", said)
			}
		})
	}
}
