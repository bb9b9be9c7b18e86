package sim

import (
	"math"
	"slices"
	"time"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/sdk/schedulercore"
)

// faults make things go wrong, as long as there is noise.
type faults struct {
	w                 *World
	slowRegistryUntil time.Duration
	partitions        [][]way
	strikes           []strike
}

// strike is one kind of fault and its ordinary weight.
type strike struct {
	weight int
	do     func(*faults)
}

func allStrikes() []strike {
	return []strike{
		{2, (*faults).masterCrash},
		{5, (*faults).agentCrash},
		{2, (*faults).supervisorCrash},
		{1, (*faults).reboot},
		{4, (*faults).schedulerCrash},
		{6, (*faults).executorCrash},
		{2, (*faults).failover},
		{2, (*faults).stopScheduler},
		{1, (*faults).tearDown},
		{6, (*faults).tearConnection},
		{3, (*faults).partition},
		{2, (*faults).slowDisk},
		{2, (*faults).slowRegistry},
		{1, (*faults).fullDisk},
		{1, (*faults).stopAgent},
		{2, (*faults).busyMaster},
		{1, (*faults).busyAgent},
	}
}

// storm strikes again and again.
func (f *faults) storm() {
	w := f.w
	pause := time.Duration(-math.Log(1-w.rng.Float64()) * float64(w.climate.calm))
	w.schedule(nil, pause, func() {
		if w.phase != noisy {
			return
		}
		f.strike()
		f.storm()
	})
}

func (f *faults) strike() {
	sum := 0
	for _, n := range f.w.climate.weights {
		sum += n
	}
	if sum == 0 {
		return
	}
	n := f.w.rng.IntN(sum)
	for i, weight := range f.w.climate.weights {
		if n -= weight; n < 0 {
			f.strikes[i].do(f)
			return
		}
	}
}

// calm ends all faults, and has everything come back that is down.
func (f *faults) calm() {
	w := f.w
	for _, ways := range f.partitions {
		w.heal(ways)
	}
	for _, c := range w.net.conns {
		c.doom = false
	}
	f.partitions = nil
	f.slowRegistryUntil = 0
	w.master.busyUntil, w.master.doom, w.master.fated = 0, 0, false
	for _, h := range w.hosts {
		h.slowUntil, h.disk.full = 0, false
		if a := h.agent; a != nil && !a.dead {
			a.busyUntil, a.doom, a.fated = 0, 0, false
			if a.journal.broken {
				a.crash()
			}
		}
		for _, c := range h.launched {
			if c.executor != nil {
				c.executor.doom, c.executor.fated = 0, false
			}
		}
		h.comeBack(w.between(0, 2*time.Second))
	}
	for _, t := range w.tenants {
		if s := t.scheduler; s != nil {
			s.doom, s.fated = 0, false
		}
		t.comeBack(w.between(0, 5*time.Second))
	}
}

// ---- crashes

// doom has a process die before one of its next outputs, or while it writes next, or in a moment if there
// is nothing of that.
func (f *faults) doom(p *process, crash func()) {
	if f.w.chance(40) {
		p.fated = true
	} else {
		p.doom = 1 + f.w.rng.IntN(8)
	}
	f.w.schedule(p, f.w.between(0, 3*time.Second), func() {
		if p.doom > 0 || p.fated {
			crash()
		}
	})
}

func (f *faults) masterCrash() {
	if m := f.w.master; !m.dead {
		f.w.count(FaultMasterCrash)
		f.doom(&m.process, m.crash)
	}
}

func (f *faults) agentCrash() {
	if a := f.someAgent(); a != nil {
		f.w.count(FaultAgentCrash)
		f.doom(&a.process, a.crash)
	}
}

// stopAgent has an operator end everything on a machine for a while.
func (f *faults) stopAgent() {
	if a := f.someAgent(); a != nil && a.serving && !a.stopping {
		a.stop()
	}
}

func (f *faults) someHost() *host { return f.w.hosts[f.w.rng.IntN(len(f.w.hosts))] }

// someAgent is an agent that lives, or nil.
func (f *faults) someAgent() *agent {
	if a := f.someHost().agent; a != nil && !a.dead {
		return a
	}
	return nil
}

func (f *faults) supervisorCrash() {
	if h := f.someHost(); h.supervisor != nil && !h.supervisor.dead {
		f.w.count(FaultSupervisorCrash)
		h.supervisorCrash()
	}
}

func (f *faults) reboot() {
	f.w.count(FaultReboot)
	f.someHost().reboot()
}

// someScheduler is a scheduler that lives, or nil.
func (f *faults) someScheduler() *scheduler {
	var living []*scheduler
	for _, t := range f.w.tenants {
		if s := t.scheduler; !t.ended && s != nil && !s.dead && !s.stopping {
			living = append(living, s)
		}
	}
	if len(living) == 0 {
		return nil
	}
	return living[f.w.rng.IntN(len(living))]
}

func (f *faults) schedulerCrash() {
	if s := f.someScheduler(); s != nil {
		f.w.count(FaultSchedulerCrash)
		f.doom(&s.process, s.crash)
	}
}

// failover starts a second scheduler while the first one lives. Whoever watches over the two ends the first
// one if the master does not.
func (f *faults) failover() {
	if s := f.someScheduler(); s != nil && s.tenant.id != "" {
		f.w.count(FaultFailover)
		s.tenant.startScheduler()
		s.after(f.w.between(0, 30*time.Second), func() { s.die(false) })
	}
}

// stopScheduler ends a scheduler in good order; the next one takes over.
func (f *faults) stopScheduler() {
	if s := f.someScheduler(); s != nil {
		f.w.count(EventStopped)
		s.step(schedulercore.Stop{Failover: true})
	}
}

// tearDown ends a framework, sometimes by way of an abort.
func (f *faults) tearDown() {
	s := f.someScheduler()
	if s == nil || f.w.now < f.w.climate.noise/4 {
		return
	}
	s.tearDown()
}

func (s *scheduler) tearDown() {
	s.logf("tears its framework down")
	s.stopping = true
	if s.w.chance(30) {
		s.step(schedulercore.Abort{})
		s.after(s.w.between(0, 2*time.Second), func() { s.step(schedulercore.Stop{}) })
		return
	}
	s.step(schedulercore.Stop{})
}

func (f *faults) executorCrash() {
	var living []*executor
	for _, h := range f.w.hosts {
		for _, c := range h.launched {
			if c.live() && c.executor != nil && !c.executor.dead {
				living = append(living, c.executor)
			}
		}
	}
	if len(living) > 0 {
		x := living[f.w.rng.IntN(len(living))]
		f.w.count(FaultExecutorCrash)
		f.doom(&x.process, x.crash)
	}
}

// downtime is how long a process that died is away.
func (f *faults) downtime() time.Duration {
	w := f.w
	switch n := w.rng.IntN(10); {
	case w.phase != noisy:
		return w.between(50*time.Millisecond, 3*time.Second)
	case n < 6:
		return w.between(50*time.Millisecond, 3*time.Second)
	case n < 9:
		return w.between(3*time.Second, 20*time.Second)
	}
	return w.between(20*time.Second, 2*time.Minute)
}

// ---- the network

var connKinds = map[string]Kind{
	"link": FaultAgentLink, "agent stream": FaultExecutorStream, "master stream": FaultSchedulerStream,
	"agent stream calls": FaultCalls, "master stream calls": FaultCalls,
}

// tearConnection breaks a connection, first choosing a kind.
func (f *faults) tearConnection() {
	kinds := []string{"link", "agent stream", "master stream", "agent stream calls", "master stream calls"}
	kind := kinds[f.w.rng.IntN(len(kinds))]
	var open []*conn
	for _, c := range f.w.net.conns {
		if c.name == kind && c.ends[0].open && c.ends[1].open && !c.torn {
			open = append(open, c)
		}
	}
	if len(open) == 0 {
		return
	}
	c := open[f.w.rng.IntN(len(open))]
	f.w.count(connKinds[kind])
	f.w.logf("network", "the %s of %s and %s breaks", kind, c.ends[0].p.name, c.ends[1].p.name)
	c.late = kind == "link" && f.w.chance(70)
	if c.doom = f.w.chance(60); !c.doom {
		c.tear()
	}
}

// partition cuts the ways between the master and somebody else.
func (f *faults) partition() {
	w := f.w
	other := f.someHost().site
	if w.chance(40) {
		if s := f.someScheduler(); s != nil {
			other = s.site
		}
	}
	ways := []way{{"master", other}, {other, "master"}}
	if w.chance(40) {
		w.count(FaultOneWayPartition)
		n := w.rng.IntN(2)
		ways = ways[n : n+1]
	} else {
		w.count(FaultPartition)
	}
	lasts := w.between(500*time.Millisecond, 20*time.Second)
	if w.chance(30) {
		lasts = w.between(20*time.Second, 3*time.Minute)
	}
	w.logf("network", "cut for %s: %v", lasts, ways)
	f.partitions = append(f.partitions, ways)
	w.partition(ways)
	w.schedule(nil, lasts, func() {
		if i := slices.IndexFunc(f.partitions, func(p []way) bool { return &p[0] == &ways[0] }); i >= 0 {
			f.partitions = slices.Delete(f.partitions, i, i+1)
			w.logf("network", "healed: %v", ways)
			w.heal(ways)
		}
	})
}

// repeats says whether a call arrives twice, as a proxy may have it. Only what the protocol lets a driver
// repeat is.
func (f *faults) repeats(call any) bool {
	if f.w.phase != noisy || !f.w.chance(1) {
		return false
	}
	switch call := call.(type) {
	case *schedulerpb.Call:
		switch call.GetType() {
		case schedulerpb.Call_DECLINE, schedulerpb.Call_KILL, schedulerpb.Call_ACKNOWLEDGE, schedulerpb.Call_RECONCILE,
			schedulerpb.Call_SUPPRESS, schedulerpb.Call_REVIVE, schedulerpb.Call_TEARDOWN:
			return true
		}
	case *executorpb.Call:
		return call.GetType() == executorpb.Call_UPDATE
	}
	return false
}

// ---- slowness

func (f *faults) slowDisk() {
	f.someHost().slowUntil = f.w.now + f.w.between(time.Second, 20*time.Second)
}
func (f *faults) slowRegistry() {
	f.slowRegistryUntil = f.w.now + f.w.between(time.Second, 20*time.Second)
}

// fullDisk makes a journal fail. An operator makes room and starts the agent again.
func (f *faults) fullDisk() {
	a := f.someAgent()
	if a == nil {
		return
	}
	a.host.disk.full = true
	a.after(f.w.between(5*time.Second, time.Minute), a.crash)
}

func (f *faults) busyMaster() {
	f.w.master.busyUntil = f.w.now + f.w.between(100*time.Millisecond, 5*time.Second)
}

func (f *faults) busyAgent() {
	if a := f.someAgent(); a != nil {
		a.busyUntil = f.w.now + f.w.between(100*time.Millisecond, 5*time.Second)
	}
}

// hangs says whether a callback of an executor never returns.
func (f *faults) hangs() bool { return f.w.phase == noisy && f.w.rng.IntN(400) == 0 }

// callbackTime is how long a callback takes.
func (f *faults) callbackTime() time.Duration {
	w := f.w
	if w.phase == noisy && w.rng.IntN(200) == 0 {
		w.count(FaultSlowCallback)
		return w.between(100*time.Millisecond, 20*time.Second)
	}
	return w.between(10*time.Microsecond, 500*time.Microsecond)
}
