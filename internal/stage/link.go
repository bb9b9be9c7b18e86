package stage

import (
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/internal/node"
)

// Lord is whoever an agent obeys: a leading master, or a test in its place.
type Lord interface {
	// Accept takes a new link. It returns what hears the agent on it, and what is told when the link has
	// gone, and for how long it had been silent then. All is called inside Do.
	Accept(*Link) (hear func(*linkpb.AgentMessage), closed func(silent time.Duration))
}

// Link is a connection between an agent and its lord.
type Link struct {
	agent *Agent
	id    node.LinkID

	open   bool
	held   []func() // what comes while the way is cut
	hear   func(*linkpb.AgentMessage)
	closed func(silent time.Duration)
}

// Tell sends a message down.
func (l *Link) Tell(m *linkpb.MasterMessage) {
	l.carry(linkTime, func() { l.agent.hear(l, m) })
}

// report sends a message up.
func (l *Link) report(m *linkpb.AgentMessage, delay time.Duration) {
	l.carry(linkTime+delay, func() { l.hear(m) })
}

// carry delivers something after a time, behind what is held.
func (l *Link) carry(d time.Duration, deliver func()) {
	l.agent.w.after(d, func() {
		switch {
		case !l.open:
		case l.agent.cut:
			l.held = append(l.held, deliver)
		default:
			deliver()
		}
	})
}

// heal delivers what was held.
func (l *Link) heal() {
	for _, deliver := range l.held {
		if l.open {
			deliver()
		}
	}
	l.held = nil
}

// Break ends the link, which both ends notice at once.
func (l *Link) Break() { l.end(0) }

// end ends the link. Silent is for how long nothing had come through.
func (l *Link) end(silent time.Duration) {
	if !l.open {
		return
	}
	l.open = false
	l.closed(silent)
	l.agent.linkClosed(l)
}
