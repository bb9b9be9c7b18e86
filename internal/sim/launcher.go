package sim

import (
	"strings"
	"time"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// launcher stands between an agent's core and its machine, as the agent's own launcher does: the core
// hears of each container first its start and then its end, and a kill during a start is not lost.
type launcher struct {
	a        *agent
	starting map[ids.ContainerID]*launch
}

// launch is a container on its way.
type launch struct {
	spec  node.StartContainer
	asked bool
	kill  *time.Duration
	ended *node.End
}

func (l *launcher) start(spec node.StartContainer) {
	one := &launch{spec: spec}
	l.starting[spec.Sandbox.Container] = one
	w := l.a.w
	took := w.between(50*time.Microsecond, time.Millisecond)
	missing := false
	if uris := spec.Command.URIs; len(uris) > 0 {
		took = w.between(10*time.Millisecond, 3*time.Second)
		missing = strings.Contains(uris[0].Value, "missing")
	}
	l.a.after(took, func() {
		switch {
		case one.kill != nil:
			l.failed(one, node.CauseKilled, "killed before it was started")
		case missing:
			w.count(FaultFetch)
			l.failed(one, node.CauseFetch, "404 Not Found")
		default:
			one.asked = true
			l.ask(one)
		}
	})
}

// ask asks the machine until it answers.
func (l *launcher) ask(one *launch) {
	l.a.host.launch(one.spec, func(c *container) {
		l.a.soon(func() { l.answered(one, c) })
	})
}

func (l *launcher) answered(one *launch, c *container) {
	id := one.spec.Sandbox.Container
	switch {
	case c == nil || c.supervisor.dead && c.end == nil: // the machine has to get in order first
		l.a.after(20*time.Millisecond, func() { l.ask(one) })
	case c.failure != nil:
		l.failed(one, c.failure.Cause, c.failure.Detail)
	case c.end != nil && c.end.Lost != "": // its end is told as that of others
		delete(l.starting, id)
		if one.ended != nil {
			l.a.step(node.ContainerEnded{Container: id, End: *one.ended}, nil)
		}
	default:
		delete(l.starting, id)
		l.a.step(node.ContainerStarted{Container: id, PID: c.pid}, nil)
		if one.ended != nil {
			l.a.step(node.ContainerEnded{Container: id, End: *one.ended}, nil)
		} else if one.kill != nil {
			l.killNow(id, *one.kill)
		}
	}
}

func (l *launcher) failed(one *launch, cause node.StartCause, detail string) {
	id := one.spec.Sandbox.Container
	delete(l.starting, id)
	l.a.step(node.ContainerStartFailed{Container: id, Cause: cause, Detail: detail}, nil)
}

func (l *launcher) kill(k node.KillContainer) {
	if one := l.starting[k.Container]; one != nil {
		if one.kill == nil || k.Grace < *one.kill {
			one.kill = &k.Grace
		}
		return
	}
	l.killNow(k.Container, k.Grace)
}

func (l *launcher) killNow(id ids.ContainerID, grace time.Duration) {
	h := l.a.host
	l.a.soon(func() {
		if c := h.containers[id]; c != nil && !h.supervisor.dead {
			c.kill(grace)
		}
	})
}

// exited passes an end on, behind the answer to the start.
func (l *launcher) exited(c *container) {
	if one := l.starting[c.id]; one != nil {
		one.ended = c.end
		return
	}
	l.a.step(node.ContainerEnded{Container: c.id, End: *c.end}, nil)
}
