package cluster

import (
	"testing"

	"github.com/meseta/meseta/internal/core"
)

func TestAgentThatComesBackIsWhatItSaysNow(t *testing.T) {
	s := newScript()
	s.step(AgentSubscribe{Link: 1, ID: "A", Info: AgentInfo{Hostname: "old"}})
	first := *s.c.agents.Get("A")
	if first.Info.Hostname != "old" || first.Registered != s.now || first.Reregistered != (core.Time{}) {
		t.Errorf("at first it is %+v", first)
	}
	s.now = s.now.Add(1e9)
	s.step(AgentSubscribe{Link: 2, ID: "A", Info: AgentInfo{Hostname: "new"}})
	if a := s.c.agents.Get("A"); a.Info.Hostname != "new" || a.Registered != first.Registered || a.Reregistered != s.now || a.Link != 2 {
		t.Errorf("then it is %+v", a)
	}
}
