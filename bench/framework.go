package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
)

// bencher is a framework that runs /bin/true. Its fields are owned by the goroutine that calls runTasks; the
// driver's callbacks come to it through events.
type bencher struct {
	driver scheduler.Driver
	events chan any
	limit  int // of tasks under way
	task   func(id string, agent *mesos.AgentID) *mesos.TaskInfo

	offers   []*mesos.Offer
	started  int // tasks so far; the next one's id
	accepts  int
	flying   map[string]time.Time // since their ACCEPT
	running  []time.Duration      // ACCEPT to TASK_RUNNING, of all
	finished []time.Duration      // ACCEPT to TASK_FINISHED
}

// connect registers a framework.
func connect(c *cluster, limit int) (*bencher, error) {
	b := &bencher{events: make(chan any, 4096), limit: limit, task: task, flying: make(map[string]time.Time)}
	var err error
	b.driver, err = scheduler.NewDriver(callbacks{events: b.events}, scheduler.Config{
		Masters:   []string{c.master.address},
		Framework: &mesos.FrameworkInfo{Name: new("bench")},
	})
	if err != nil {
		return nil, err
	}
	b.driver.Start()
	return b, nil
}

func (b *bencher) stop() { b.driver.Stop(false) }

// callbacks passes on what a driver says. The driver acknowledges a status as soon as it is passed on.
type callbacks struct {
	scheduler.Base
	events chan<- any
}

// update is a status and when it came.
type update struct {
	status *mesos.TaskStatus
	at     time.Time
}

func (c callbacks) ResourceOffers(_ scheduler.Driver, offers []*mesos.Offer) { c.events <- offers }
func (c callbacks) Error(_ scheduler.Driver, err error)                      { c.events <- err }
func (c callbacks) StatusUpdate(_ scheduler.Driver, s *mesos.TaskStatus) {
	c.events <- update{s, time.Now()}
}

// errStuck means that nothing comes any more.
var errStuck = errors.New("no offer and no status within a minute")

// runTasks runs n tasks, at most as many at the same time as the limit says, and returns when the last one's
// TASK_FINISHED is here.
func (b *bencher) runTasks(ctx context.Context, n int) error {
	stuck := time.NewTimer(time.Minute)
	defer stuck.Stop()
	for left := n; ; {
		left -= b.launch(min(left, b.limit-len(b.flying)))
		if left == 0 && len(b.flying) == 0 {
			return nil
		}
		stuck.Reset(time.Minute)
		select {
		case e := <-b.events:
			if err := b.handle(e); err != nil {
				return err
			}
		case <-stuck.C:
			return errStuck
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (b *bencher) handle(event any) error {
	switch e := event.(type) {
	case []*mesos.Offer:
		b.offers = append(b.offers, e...)
	case update:
		return b.update(e)
	case error:
		return e
	}
	return nil
}

func (b *bencher) update(u update) error {
	id := u.status.GetTaskId().GetValue()
	since, ok := b.flying[id]
	if !ok {
		return nil // said again
	}
	switch u.status.GetState() {
	case mesos.TaskState_TASK_STARTING:
	case mesos.TaskState_TASK_RUNNING:
		b.running = append(b.running, u.at.Sub(since))
	case mesos.TaskState_TASK_FINISHED:
		b.finished = append(b.finished, u.at.Sub(since))
		delete(b.flying, id)
	default:
		return fmt.Errorf("task %s: %v", id, u.status)
	}
	return nil
}

// launch launches up to n tasks with one ACCEPT, if there is an offer, and returns how many.
func (b *bencher) launch(n int) int {
	if n <= 0 || len(b.offers) == 0 {
		return 0
	}
	offer := b.offers[0]
	n = min(n, int(cpus(offer)))
	b.offers = b.offers[1:]
	tasks := make([]*mesos.TaskInfo, n)
	now := time.Now()
	for i := range tasks {
		id := strconv.Itoa(b.started)
		b.started++
		tasks[i] = b.task(id, offer.AgentId)
		b.flying[id] = now
	}
	b.accepts++
	b.driver.LaunchTasks([]*mesos.OfferID{offer.Id}, tasks, &mesos.Filters{RefuseSeconds: new(0.0)})
	return n
}

func cpus(o *mesos.Offer) (sum float64) {
	for _, r := range o.Resources {
		if r.GetName() == "cpus" {
			sum += r.GetScalar().GetValue()
		}
	}
	return sum
}

func task(id string, agent *mesos.AgentID) *mesos.TaskInfo {
	scalar := func(name string, value float64) *mesos.Resource {
		return &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &value}}
	}
	return &mesos.TaskInfo{
		Name:      new("true"),
		TaskId:    &mesos.TaskID{Value: &id},
		AgentId:   agent,
		Resources: []*mesos.Resource{scalar("cpus", 1), scalar("mem", 32)},
		Command:   &mesos.CommandInfo{Shell: new(false), Value: new("/bin/true")},
	}
}
