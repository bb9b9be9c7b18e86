package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
	"github.com/meseta/meseta/internal/sdk/schedulercore"
	"github.com/meseta/meseta/internal/sim/agentwire"
)

// What the authors of schedulers decide: at random, but nothing that a sane one would not.

// consider decides about new offers.
func (s *scheduler) consider(offers []*mesos.Offer) {
	w := s.w
	if w.phase != noisy { // the end is near: hold what there is, so that all of it can be seen
		s.held = append(s.held, offers...)
		return
	}
	for _, o := range offers {
		switch {
		case w.chance(10):
			s.held = append(s.held, o)
			s.after(w.between(time.Second, 20*time.Second), func() { s.reconsider(o) })
		case s.behind() && w.chance(70):
			s.launch(s.withHeld(o))
		default:
			s.decline(o)
		}
	}
}

// behind says whether more tasks should have been launched by now, to reach the goal in time.
func (s *scheduler) behind() bool {
	t := s.tenant
	return float64(t.launched) < float64(t.goal)*float64(s.w.now-t.born)/float64(s.w.climate.noise)+8
}

// reconsider decides about an offer that was held.
func (s *scheduler) reconsider(o *mesos.Offer) {
	if s.w.phase != noisy || !slices.Contains(s.held, o) {
		return
	}
	s.forget(o.Id)
	if s.w.chance(50) {
		s.launch([]*mesos.Offer{o})
	} else {
		s.decline(o)
	}
}

func (s *scheduler) forget(id *mesos.OfferID) {
	s.held = slices.DeleteFunc(s.held, func(o *mesos.Offer) bool { return o.Id.GetValue() == id.GetValue() })
}

// withHeld adds the offers of the same agent and role that were held.
func (s *scheduler) withHeld(o *mesos.Offer) []*mesos.Offer {
	all := []*mesos.Offer{o}
	for _, h := range slices.Clone(s.held) {
		if h.AgentId.GetValue() == o.AgentId.GetValue() && h.AllocationInfo.GetRole() == o.AllocationInfo.GetRole() {
			all = append(all, h)
			s.forget(h.Id)
		}
	}
	if len(all) > 1 {
		s.w.count(EventManyOffers)
	}
	return all
}

func (s *scheduler) decline(o *mesos.Offer) {
	s.w.count(EventDecline)
	filters := s.filters()
	if !s.behind() {
		filters = &mesos.Filters{RefuseSeconds: new(s.w.between(2*time.Second, 30*time.Second).Seconds())}
	}
	s.step(schedulercore.Decline{Offers: []*mesos.OfferID{o.Id}, Filters: filters})
}

func (s *scheduler) filters() *mesos.Filters {
	switch s.w.rng.IntN(10) {
	case 0, 1, 2:
		return nil
	case 3:
		return &mesos.Filters{RefuseSeconds: new(0.0)}
	}
	return &mesos.Filters{RefuseSeconds: new(s.w.between(500*time.Millisecond, 8*time.Second).Seconds())}
}

// launch launches one to three tasks on offers of one agent.
func (s *scheduler) launch(offers []*mesos.Offer) {
	w := s.w
	var rest resources.List
	in := schedulercore.Launch{Filters: s.filters()}
	for _, o := range offers {
		in.Offers = append(in.Offers, o.Id)
		rest = rest.Add(agentwire.Must(resourcepb.FromProto(o.Resources)).Unallocated())
	}
	for range 1 + w.rng.IntN(3) {
		if task := s.task(offers[0].AgentId, &rest); task != nil {
			in.Tasks = append(in.Tasks, task)
		}
	}
	if len(s.used) > 0 && w.chance(2) {
		in.Offers = append(in.Offers, s.used[w.rng.IntN(len(s.used))])
		w.count(EventStaleOffer)
	}
	if len(in.Tasks) == 0 {
		w.count(EventDecline)
	} else {
		w.count(EventAccept)
	}
	for _, t := range in.Tasks {
		s.tenant.launched++
		w.launched++
		w.truth.task(s.tenant.id, ids.TaskID(t.TaskId.GetValue())).wanted = true
		s.tasks[ids.TaskID(t.TaskId.GetValue())] = &belief{state: mesos.TaskState_TASK_STAGING, agent: t.AgentId,
			executor: t.GetExecutor().GetExecutorId(), index: -1}
	}
	s.used = append(s.used, in.Offers...)
	s.used = s.used[max(0, len(s.used)-10):]
	s.step(in)
}

// task describes a task that fits into rest, and takes it from there; nil if nothing fits.
func (s *scheduler) task(agent *mesos.AgentID, rest *resources.List) *mesos.TaskInfo {
	w, t := s.w, s.tenant
	sizes := []string{"cpus:0.1;mem:32", "cpus:0.5;mem:64", "cpus:1;mem:128", "cpus:1.5;mem:64"}
	need := resources.MustParse(sizes[w.rng.IntN(len(sizes))])
	if w.chance(20) {
		for r := range rest.Ranges("ports").All() {
			need = need.Add(resources.MustParse(fmt.Sprintf("ports:[%d-%d]", r.Begin, min(r.End, r.Begin+uint64(w.rng.IntN(3))))))
			break
		}
	}
	custom := w.rng.IntN(100) < t.custom
	whole := need
	if custom {
		whole = whole.Add(executorResources)
	}
	if w.chance(1) {
		need = need.Add(resources.MustParse("cpus:1000"))
		w.count(EventTooMuch)
	} else if left, ok := rest.Take(whole); ok {
		*rest = left
	} else {
		return nil
	}
	t.serial++
	id := fmt.Sprintf("%c%d", t.name[len(t.name)-1], t.serial)
	info := &mesos.TaskInfo{
		Name:      &id,
		TaskId:    &mesos.TaskID{Value: &id},
		AgentId:   agent,
		Resources: resourcepb.ToProto(need, resourcepb.Classic),
	}
	p := s.program()
	if custom {
		info.Executor = t.executor(w.rng.IntN(t.executors))
		if w.chance(1) {
			info.Executor = t.executor(ghost)
		}
		info.Data = []byte(p.String())
	} else {
		p.broken = w.phase == noisy && w.chance(2)
		info.Command = &mesos.CommandInfo{Value: new(p.String()), Uris: s.uris()}
		if w.chance(5) {
			info.MaxCompletionTime = &mesos.DurationInfo{Nanoseconds: new(int64(w.between(time.Second, 30*time.Second)))}
		}
	}
	return info
}

// program is what a task does.
func (s *scheduler) program() program {
	w := s.w
	p := program{stubborn: w.chance(15)}
	switch n := w.rng.IntN(100); {
	case n < 55:
		p.run = w.between(50*time.Millisecond, 10*time.Second)
	case n < 85:
		p.run = w.between(10*time.Second, time.Minute)
	case n < 97:
		p.run = w.between(time.Minute, 5*time.Minute)
	default:
		p.run = 12 * time.Hour
	}
	if w.chance(15) {
		p.exit = 1 + w.rng.IntN(3)
	}
	return p
}

func (s *scheduler) uris() []*mesos.CommandInfo_URI {
	switch {
	case s.w.chance(3):
		return []*mesos.CommandInfo_URI{{Value: new("http://files/missing")}}
	case s.w.chance(15):
		return []*mesos.CommandInfo_URI{{Value: new("http://files/input")}}
	}
	return nil
}

var executorResources = resources.MustParse("cpus:0.1;mem:32")

// ghost is the number of an executor whose user no machine knows.
const ghost = 9

// executor is the n-th ExecutorInfo of the tenant: always the same, so that tasks share its process.
func (t *tenant) executor(n int) *mesos.ExecutorInfo {
	p := program{executor: true, stubborn: n == 1, silent: n == 2 && t.w.climate.silentExecutors}
	info := &mesos.ExecutorInfo{
		ExecutorId: &mesos.ExecutorID{Value: new(fmt.Sprintf("x%d", n))},
		Name:       new(fmt.Sprintf("executor %d of %s", n, t.name)),
		Command:    &mesos.CommandInfo{Value: new(p.String())},
		Resources:  resourcepb.ToProto(executorResources, resourcepb.Classic),
	}
	if n == ghost {
		info.Command.User = new("ghost")
	}
	return info
}

// whim does something now and then, for as long as there is noise.
func (s *scheduler) whim() {
	s.after(s.w.between(time.Second, 6*time.Second), func() {
		if s.w.phase != noisy {
			return
		}
		if s.connected && !s.stopping {
			s.act()
		}
		s.whim()
	})
}

func (s *scheduler) act() {
	w := s.w
	switch w.rng.IntN(9) {
	case 0, 1:
		if id, b, ok := s.someTask(nil); ok {
			w.count(EventKill)
			b.killed = true
			s.step(schedulercore.Kill{Task: &mesos.TaskID{Value: new(string(id))}})
		}
	case 2, 3:
		if _, b, ok := s.someTask((*belief).hasExecutor); ok {
			s.step(schedulercore.Message{Executor: b.executor, Agent: b.agent, Data: []byte("hello")})
		}
	case 4:
		w.count(EventReconcileAll)
		s.step(schedulercore.Reconcile{})
	case 5:
		s.reconcileSome(3)
	case 6:
		if !s.suppressed {
			s.suppressed = true
			w.count(EventSuppress)
			s.step(schedulercore.Suppress{})
			s.after(w.between(time.Second, 30*time.Second), s.revive)
		}
	case 7:
		s.revive()
	case 8:
		s.rareAct()
	}
}

func (s *scheduler) rareAct() {
	w := s.w
	if w.chance(50) {
		w.count(EventRequest)
		s.step(schedulercore.Request{})
		return
	}
	if _, b, ok := s.someTask((*belief).hasExecutor); ok && b.agent != nil {
		w.count(EventShutdownExecutor)
		s.beside(&schedulerpb.Call{
			FrameworkId: &mesos.FrameworkID{Value: new(string(s.tenant.id))},
			Type:        schedulerpb.Call_SHUTDOWN.Enum(),
			Shutdown:    &schedulerpb.Call_Shutdown{ExecutorId: b.executor, AgentId: b.agent},
		})
	}
}

// beside sends a call that the driver has no method for.
func (s *scheduler) beside(call *schedulerpb.Call) {
	if l := s.lines[s.stream]; l != nil {
		s.raw[call] = true
		l.send(call)
	}
}

func (s *scheduler) revive() {
	s.suppressed = false
	s.w.count(EventRevive)
	s.step(schedulercore.Revive{})
}

func (b *belief) hasExecutor() bool { return b.executor != nil && b.agent != nil }

// someTask picks a task that is alive as far as is known.
func (s *scheduler) someTask(want func(*belief) bool) (ids.TaskID, *belief, bool) {
	var all []ids.TaskID
	for _, id := range sortedKeys(s.tasks) {
		if b := s.tasks[id]; b.alive() && (want == nil || want(b)) {
			all = append(all, id)
		}
	}
	if len(all) == 0 {
		return "", nil, false
	}
	id := all[s.w.rng.IntN(len(all))]
	return id, s.tasks[id], true
}

// reconcileSome asks for the state of up to n tasks, alive or not.
func (s *scheduler) reconcileSome(n int) {
	s.w.count(EventReconcileSome)
	all := sortedKeys(s.tasks)
	var in schedulercore.Reconcile
	for range min(n, len(all)) {
		in.Statuses = append(in.Statuses, s.question(all[s.w.rng.IntN(len(all))]))
	}
	if len(in.Statuses) > 0 {
		s.step(in)
	}
}

func (s *scheduler) question(id ids.TaskID) *mesos.TaskStatus {
	q := &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new(string(id))}}
	if s.w.chance(70) {
		q.AgentId = s.tasks[id].agent
	}
	return q
}

// askForAll asks for everything: what the master knows, and what the scheduler believes in.
func (s *scheduler) askForAll() {
	if !s.connected || s.stopping {
		return
	}
	var in schedulercore.Reconcile
	for _, id := range sortedKeys(s.tasks) {
		if b := s.tasks[id]; b.alive() {
			in.Statuses = append(in.Statuses, &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new(string(id))}, AgentId: b.agent})
		}
	}
	if len(in.Statuses) > 0 {
		s.step(in)
	}
	s.step(schedulercore.Reconcile{})
	s.suppressed = false
	s.step(schedulercore.Revive{})
}
