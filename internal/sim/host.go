package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

// host is a machine: what is on it when its agent, or everything, dies.
type host struct {
	w     *World
	site  site
	total resources.List
	skew  time.Duration // of its wall clock
	boots int

	disk      disk
	slowUntil time.Duration // its disk

	agent      *agent      // the latest; perhaps dead
	supervisor *supervisor // the latest; perhaps dead
	containers map[ids.ContainerID]*container
	launched   []*container // all of them, in order
	started    map[ids.ContainerID]bool
	pids       int
}

func (w *World) newHost(n int) *host {
	total := fmt.Sprintf("cpus:%d;mem:%d;ports:[31000-31019]", 2+w.rng.IntN(7), 512<<w.rng.IntN(4))
	return &host{
		w:          w,
		site:       site(fmt.Sprintf("host%d", n)),
		total:      resources.MustParse(total),
		skew:       w.between(-2*time.Second, 2*time.Second),
		containers: make(map[ids.ContainerID]*container),
		started:    make(map[ids.ContainerID]bool),
		pids:       100,
	}
}

// boot is the machine's boot id.
func (h *host) boot() string { return fmt.Sprintf("boot-%d", h.boots) }

// agentInfo is what the agent says of itself.
func (h *host) agentInfo(id ids.AgentID) *mesos.AgentInfo {
	info := &mesos.AgentInfo{
		Hostname:  new(string(h.site)),
		Port:      new(int32(5051)),
		Resources: resourcepb.ToProto(h.total, resourcepb.Stacked),
	}
	if id != "" {
		info.Id = &mesos.AgentID{Value: new(string(id))}
	}
	return info
}

// reboot is the end of everything on the machine, and its new beginning a while later.
func (h *host) reboot() {
	h.w.logf(string(h.site), "REBOOT")
	if h.agent != nil && !h.agent.dead {
		h.agent.down(true)
	}
	h.losePower()
	if h.supervisor != nil {
		h.supervisor.dead = true
	}
	for _, id := range sortedKeys(h.containers) {
		if c := h.containers[id]; c.live() {
			c.vanish()
		}
		if h.w.chance(30) { // the supervisor's own log was not synced
			delete(h.containers, id)
		}
	}
	h.launched = live(h.launched)
	h.boots++
	h.comeBack(h.w.between(3*time.Second, 30*time.Second))
}

// comeBack starts an agent a while later, unless there is one by then.
func (h *host) comeBack(later time.Duration) {
	h.w.schedule(nil, later, func() {
		if h.agent == nil || h.agent.dead {
			h.w.startAgent(h)
		}
	})
}

// program is what a container runs. It travels as the text of its command.
type program struct {
	run      time.Duration
	exit     int
	stubborn bool // ignores SIGTERM
	broken   bool // cannot be executed
	executor bool
	silent   bool // an executor that never subscribes
}

func (p program) String() string {
	words := []string{fmt.Sprintf("run=%s", p.run), fmt.Sprintf("exit=%d", p.exit)}
	for _, flag := range p.flags() {
		if *flag.set {
			words = append(words, flag.name)
		}
	}
	return strings.Join(words, " ")
}

type programFlag struct {
	name string
	set  *bool
}

func (p *program) flags() []programFlag {
	return []programFlag{{"stubborn", &p.stubborn}, {"broken", &p.broken}, {"executor", &p.executor}, {"silent", &p.silent}}
}

func parseProgram(text string) (p program) {
	for _, word := range strings.Fields(text) {
		if run, ok := strings.CutPrefix(word, "run="); ok {
			p.run, _ = time.ParseDuration(run)
		}
		if exit, ok := strings.CutPrefix(word, "exit="); ok {
			fmt.Sscan(exit, &p.exit)
		}
		for _, flag := range p.flags() {
			if word == flag.name {
				*flag.set = true
			}
		}
	}
	return p
}
