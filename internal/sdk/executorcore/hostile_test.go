package executorcore_test

import (
	"testing"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	. "github.com/meseta/meseta/internal/sdk/executorcore"
)

// Events without the part that their type promises, before SUBSCRIBED and after it, call nobody back.
func TestEmptyEventsMeanNothing(t *testing.T) {
	for number, name := range executorpb.Event_Type_name {
		typ := executorpb.Event_Type(number)
		if typ == executorpb.Event_ERROR || typ == executorpb.Event_SUBSCRIBED || typ == executorpb.Event_SHUTDOWN {
			continue // these say enough by their type
		}
		t.Run(name, func(t *testing.T) {
			p := newPlayer()
			p.core = New(p.cfg)
			p.step(Start{})
			event := Received{Stream: 1, Event: &executorpb.Event{Type: &typ}}
			if said := p.step(event); said != nil {
				t.Errorf("before SUBSCRIBED: %q", said)
			}
			p.step(Received{Stream: 1, Event: &executorpb.Event{Type: executorpb.Event_SUBSCRIBED.Enum()}})
			if said := p.step(event); said != nil {
				t.Errorf("after SUBSCRIBED: %q", said)
			}
			if said := p.step(Received{Stream: 1}); said != nil {
				t.Errorf("no event at all: %q", said)
			}
		})
	}
}
