package storm

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
)

const (
	tasksAtOnce = 200
	executors   = 4 // on each agent
	cpusOfATask = 0.1
)

// framework keeps tasks running until there is a file "enough", and ends when they have ended. It may be killed
// at any moment, and goes on from its journal.
type framework struct {
	scheduler.Base
	dir string

	mu      sync.Mutex
	journal journal
	live    map[string]time.Time // launched, and not known to have ended: when it was last heard of
	next    int
	broken  error
}

// silence is after how long the framework asks for a task of which it does not hear.
const silence = 15 * time.Second

func runFramework(ctx context.Context) error {
	f := &framework{dir: os.Getenv(dirVariable), live: make(map[string]time.Time)}
	if err := f.recover(); err != nil {
		return err
	}
	d, err := scheduler.NewDriver(f, scheduler.Config{
		Masters: []string{os.Getenv(masterVariable)},
		Framework: &mesos.FrameworkInfo{Name: new("storm"), FailoverTimeout: new(3600.0),
			Capabilities: []*mesos.FrameworkInfo_Capability{{Type: new(mesos.FrameworkInfo_Capability_PARTITION_AWARE)}}},
		FrameworkIDFile: filepath.Join(f.dir, "framework.id"),
		BackoffMin:      50 * time.Millisecond,
		BackoffMax:      time.Second,
		Logger:          slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go f.askNowAndThen(ctx, d)
	if s := d.Run(ctx); s != scheduler.Stopped {
		return fmt.Errorf("the driver ended as %s: %w, %w", s, d.Err(), f.broken)
	}
	return nil
}

// recover reads what earlier runs knew.
func (f *framework) recover() (err error) {
	known, err := readJournal(f.dir)
	if err != nil {
		return err
	}
	for _, e := range known {
		f.learn(e, time.Time{})
	}
	f.journal, err = openJournal(f.dir)
	return err
}

func (f *framework) learn(e entry, now time.Time) {
	switch {
	case e.Launch != nil:
		f.live[e.Launch.Task] = now
		f.next++
	case terminal(e.Status.State):
		delete(f.live, e.Status.Task)
	default:
		f.live[e.Status.Task] = now
	}
}

// note writes an entry down before it takes effect.
func (f *framework) note(d scheduler.Driver, e entry) bool {
	if err := f.journal.add(e); err != nil {
		f.broken = err
		d.Abort()
		return false
	}
	f.learn(e, time.Now())
	return true
}

// askNowAndThen asks for tasks that nobody speaks of: an earlier run may have died when it launched them.
func (f *framework) askNowAndThen(ctx context.Context, d scheduler.Driver) {
	for ctx.Err() == nil {
		select {
		case <-time.After(time.Second):
			f.ask(d)
		case <-ctx.Done():
		}
	}
}

func (f *framework) ask(d scheduler.Driver) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []*mesos.TaskStatus
	for task, heard := range f.live {
		if time.Since(heard) > silence {
			all = append(all, &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: &task}, State: new(mesos.TaskState_TASK_STAGING)})
		}
	}
	if len(all) > 0 {
		d.ReconcileTasks(all)
	}
	f.endIfDone(d)
}

func (f *framework) ResourceOffers(d scheduler.Driver, offers []*mesos.Offer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, offer := range offers {
		var tasks []*mesos.TaskInfo
		room := int(scalar(offer.Resources, "cpus") / cpusOfATask / 2) // half: executors need some, too
		for ; room > 0 && len(f.live) < tasksAtOnce && !f.enough(); room-- {
			p := f.plan(offer.AgentId.GetValue())
			if !f.note(d, entry{Launch: &p}) {
				return
			}
			tasks = append(tasks, f.task(p, offer.AgentId))
		}
		d.LaunchTasks([]*mesos.OfferID{offer.Id}, tasks, &mesos.Filters{RefuseSeconds: new(0.2)})
	}
}

func (f *framework) enough() bool {
	_, err := os.Stat(filepath.Join(f.dir, "enough"))
	return err == nil
}

func (f *framework) plan(agent string) plan {
	p := plan{Task: fmt.Sprintf("t%d", f.next), Millis: 500 + rand.IntN(12_000), Exit: rand.IntN(3)}
	if rand.IntN(10) < 3 {
		p.Executor = fmt.Sprintf("e%d-%s", rand.IntN(executors), agent)
	}
	return p
}

func (f *framework) task(p plan, agent *mesos.AgentID) *mesos.TaskInfo {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	t := &mesos.TaskInfo{Name: &p.Task, TaskId: &mesos.TaskID{Value: &p.Task}, AgentId: agent, Data: data,
		Resources: []*mesos.Resource{amount("cpus", cpusOfATask), amount("mem", 1)}}
	mark := []*mesos.Environment_Variable{{Name: new(dirVariable), Value: &f.dir}}
	if p.Executor == "" {
		file := trace(f.dir, p.Task)
		t.Command = &mesos.CommandInfo{Environment: &mesos.Environment{Variables: mark}, Value: new(fmt.Sprintf(
			"echo begin >> %s; sleep %d.%03d; echo end >> %s; exit %d", file, p.Millis/1000, p.Millis%1000, file, p.Exit))}
		return t
	}
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	mark = append(mark, &mesos.Environment_Variable{Name: new(roleVariable), Value: new("executor")})
	t.Executor = &mesos.ExecutorInfo{ExecutorId: &mesos.ExecutorID{Value: &p.Executor}, Name: new("worker"),
		Resources: []*mesos.Resource{amount("cpus", cpusOfATask), amount("mem", 16)},
		Command:   &mesos.CommandInfo{Value: &self, Shell: new(false), Arguments: []string{self}, Environment: &mesos.Environment{Variables: mark}}}
	return t
}

func (f *framework) StatusUpdate(d scheduler.Driver, s *mesos.TaskStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := status{Task: s.GetTaskId().GetValue(), State: s.GetState().String(), Message: s.GetMessage(), UUID: fmt.Sprintf("%x", s.Uuid)}
	if s.Reason != nil {
		told.Reason = s.GetReason().String()
	}
	f.note(d, entry{Status: &told})
	f.endIfDone(d)
}

func (f *framework) endIfDone(d scheduler.Driver) {
	if len(f.live) == 0 && f.enough() {
		d.Stop(false)
	}
}

func terminal(state string) bool {
	switch state {
	case "TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_UNREACHABLE":
		return false
	}
	return true
}

func amount(name string, value float64) *mesos.Resource {
	return &mesos.Resource{Name: &name, Type: new(mesos.Value_SCALAR), Scalar: &mesos.Value_Scalar{Value: &value}}
}

func scalar(all []*mesos.Resource, name string) (sum float64) {
	for _, r := range all {
		if r.GetName() == name {
			sum += r.GetScalar().GetValue()
		}
	}
	return sum
}
