package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// supervisor is the parent of a machine's containers. When it dies they go on, but nobody hears how they
// end, until the next agent, or the present one, ends them and starts another supervisor.
type supervisor struct{ dead bool }

// container is one container and the program in it.
type container struct {
	host       *host
	id         ids.ContainerID
	spec       node.StartContainer
	program    program
	supervisor *supervisor
	executor   *executor // if the program is one

	state   containerState
	pid     int
	killed  bool // somebody asked for its end
	killAt  time.Duration
	end     *node.End
	failure *node.ContainerStartFailed
	hidden  bool // by a planted bug: its end is kept secret
}

type containerState int

const (
	containerStarting containerState = iota
	containerRunning
	containerEnded  // its end is known
	containerLost   // it is gone, and nobody knows how it ended
	containerFailed // it never ran
)

func (c *container) live() bool { return c.state == containerRunning }

// live leaves out what ended.
func live(all []*container) []*container {
	return slices.DeleteFunc(slices.Clone(all), func(c *container) bool { return !c.live() && c.state != containerStarting })
}

// launch starts a container unless its id is known, and answers with what became of it the first time.
// The answer is nil while there is no supervisor.
func (h *host) launch(spec node.StartContainer, answer func(*container)) {
	sup := h.supervisor
	if sup == nil || sup.dead {
		answer(nil)
		return
	}
	id := spec.Sandbox.Container
	if c := h.containers[id]; c != nil {
		answer(c)
		return
	}
	c := &container{host: h, id: id, spec: spec, program: parseProgram(spec.Command.Value), supervisor: sup}
	h.containers[id] = c
	h.launched = append(h.launched, c)
	h.w.schedule(nil, h.w.between(300*time.Microsecond, 3*time.Millisecond), func() {
		if sup.dead { // it was not started
			if h.containers[id] == c {
				delete(h.containers, id)
			}
			h.launched = slices.DeleteFunc(h.launched, func(other *container) bool { return other == c })
			answer(nil)
			return
		}
		c.start()
		answer(c)
	})
}

func (c *container) start() {
	h := c.host
	if c.program.broken {
		h.w.count(FaultExec)
		c.state = containerFailed
		c.failure = &node.ContainerStartFailed{Container: c.id, Cause: node.CauseExec, Detail: "exec: no such file or directory"}
		return
	}
	h.pids++
	c.pid = h.pids
	c.state = containerRunning
	h.w.count(EventContainer)
	h.w.logf(string(h.site), "container %s runs %s %q", short(c.id), c.what(), c.program)
	h.w.truth.containerRuns(c)
	h.w.checkMachine(h)
	if c.program.executor {
		h.w.startExecutor(c)
	} else {
		h.w.schedule(nil, c.program.run, func() { c.exits(c.program.exit<<8, fmt.Sprintf("exited with status %d", c.program.exit)) })
	}
	if c.killed {
		c.kill(c.killAt - h.w.now)
	}
}

func (c *container) what() string {
	if c.spec.Task != "" {
		return "task " + string(c.spec.Task)
	}
	return "executor " + string(c.spec.Sandbox.Executor)
}

// exits is the end of the container.
func (c *container) exits(status int, text string) {
	if !c.live() {
		return
	}
	c.vanish()
	if c.supervisor.dead {
		return
	}
	c.state = containerEnded
	c.end = &node.End{Status: status, Text: text, Killed: c.killed}
	c.host.w.logf(string(c.host.site), "container %s %s", short(c.id), text)
	c.host.w.bugs.containerEnds(c)
	c.tell()
}

// vanish is an end that nobody saw.
func (c *container) vanish() {
	c.state = containerLost
	c.host.w.truth.containerGone(c)
	if c.executor != nil && !c.executor.dead {
		c.executor.die(false)
	}
}

// tell tells the agent of the end.
func (c *container) tell() {
	if a := c.host.agent; a != nil && !a.dead && a.recovered && !c.hidden {
		a.soon(func() { a.launcher.exited(c) })
	}
}

// kill asks for the end of a container: SIGTERM, and SIGKILL after the grace period.
func (c *container) kill(grace time.Duration) {
	w := c.host.w
	at := w.now + max(0, grace)
	if c.killed && c.state == containerRunning && at >= c.killAt {
		return
	}
	c.killed, c.killAt = true, at
	if c.state != containerRunning {
		return
	}
	sup := c.supervisor
	if grace > 0 && !c.program.stubborn {
		w.schedule(nil, w.between(time.Millisecond, 80*time.Millisecond), func() { c.exits(15, "terminated with signal Terminated") })
	} else if grace > 0 {
		w.count(FaultStubborn)
	}
	w.schedule(nil, max(0, grace)+w.between(100*time.Microsecond, 2*time.Millisecond), func() {
		if !sup.dead {
			c.exits(9, "terminated with signal Killed")
		}
	})
}

// crash is the supervisor's end. A living agent sees to what it leaves.
func (h *host) supervisorCrash() {
	h.w.logf(string(h.site), "supervisor CRASH")
	h.supervisor.dead = true
	if a := h.agent; a != nil && !a.dead && a.recovered {
		a.after(h.w.between(5*time.Millisecond, 500*time.Millisecond), func() { h.bury() })
	}
}

// bury ends what a dead supervisor left, and starts the next one.
func (h *host) bury() {
	if h.supervisor != nil && !h.supervisor.dead {
		return
	}
	h.supervisor = new(supervisor)
	for _, id := range sortedKeys(h.containers) {
		c := h.containers[id]
		if c.live() {
			c.vanish()
		}
		if c.state == containerLost {
			c.state = containerEnded
			c.end = &node.End{Lost: "The container's supervisor died, and the container was ended with it"}
			c.tell()
		}
	}
	h.launched = live(h.launched)
}

// list is what an agent that comes back is told.
func (h *host) list() []node.ContainerState {
	var all []node.ContainerState
	for _, id := range sortedKeys(h.containers) {
		c := h.containers[id]
		state := node.ContainerState{Container: id, PID: c.pid, End: c.end, Failure: c.failure}
		if c.hidden {
			state.End = nil
		}
		if state.End == nil && state.Failure == nil {
			h.w.count(EventFound)
		}
		all = append(all, state)
	}
	return all
}

// settled says that no start is under way.
func (h *host) settled() bool {
	for _, c := range h.launched {
		if c.state == containerStarting && h.containers[c.id] == c {
			return false
		}
	}
	return true
}

// collect forgets a container that has ended.
func (h *host) collect(id ids.ContainerID) {
	if c := h.containers[id]; c != nil && (c.end != nil || c.failure != nil) {
		delete(h.containers, id)
	}
}

// short is an id as history shows it.
func short(id ids.ContainerID) string { return string(id[len(id)-6:]) }
