package master

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meseta/meseta/internal/spark/deploy"
)

// reason is why something waits; empty if it does not.
type reason struct {
	text   string
	passes bool // by itself, when others end
}

// noteWaiting says of what has just come why it waits, if it does. After that, views tell.
func (m *Master) noteWaiting() {
	for _, a := range m.newApps {
		m.noteWait(m.appWaits(a), Notice{App: a.ID}, "an application")
	}
	for _, d := range m.newDrivers {
		m.noteWait(m.driverWaits(d), Notice{Driver: d.ID}, "a driver")
	}
	m.newApps, m.newDrivers = nil, nil
}

func (m *Master) noteWait(why reason, n Notice, what string) {
	if why == (reason{}) {
		return
	}
	level := Warn
	if why.passes {
		level = Info
	}
	n.Detail = why.text
	m.note(level, n, "%s waits", what)
}

// appWaits says why an application has no executor, if it has none and wants one.
func (m *Master) appWaits(a *Application) reason {
	if a.State != AppWaiting && a.State != AppRunning || len(a.executors) > 0 {
		return reason{}
	}
	for _, id := range slices.Sorted(maps.Keys(a.profiles)) {
		if p := a.profiles[id]; p.target > 0 {
			return m.whyNot([]*deploy.Build{a.Build}, max(p.cores, 1), p.memory, p.resources)
		}
	}
	return reason{}
}

// driverWaits says why a driver waits, if it does.
func (m *Master) driverWaits(d *Driver) reason {
	switch {
	case !slices.Contains(m.waitingDrivers, d):
		return reason{}
	case len(m.drivers)-len(m.waitingDrivers) >= m.cfg.MaxDrivers:
		return reason{text: fmt.Sprintf("%d drivers run, which is the limit", m.cfg.MaxDrivers), passes: true}
	}
	return m.whyNot(d.Builds, d.Desc.Cores, d.Desc.Memory, d.Desc.ResourceReqs)
}

// whyNot says why there is no room now, and what would change that.
func (m *Master) whyNot(builds []*deploy.Build, cores, memory int, reqs []deploy.ResourceRequirement) reason {
	need := fmt.Sprintf("%d cores and %d MiB", cores, memory)
	for _, r := range reqs {
		need += fmt.Sprintf(" and %d of %s", r.Amount, r.ResourceName)
	}
	known := false
	for _, w := range m.workers {
		if !w.alive() || !slices.Contains(builds, w.Build) {
			continue
		}
		known = true
		if w.could(cores, memory, reqs) {
			return reason{text: "the Workers are busy: none has " + need + " free", passes: true}
		}
	}
	if known {
		return reason{text: "it requires more resource than any of Workers could have: none has " + need}
	}
	names := make([]string, len(builds))
	for i, b := range builds {
		names[i] = b.String()
	}
	return reason{text: "there is no Worker of " + strings.Join(names, " or ")}
}
