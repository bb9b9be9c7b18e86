package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/sdk/line"
	"github.com/meseta/meseta/internal/sdk/machine"
	"github.com/meseta/meseta/internal/sdk/mailbox"
	"github.com/meseta/meseta/internal/sdk/outcome"
	core "github.com/meseta/meseta/internal/sdk/schedulercore"
	"github.com/meseta/meseta/internal/wire"
)

// What bounds a driver's memory: callbacks that wait behind a slow one, and calls that a master leaves
// unanswered. At either bound the subscription is given up and made anew.
var pendingLimits = mailbox.Limits{Items: 100_000, Bytes: 256 << 20}

const maxUnanswered = 100_000

const subscribeTimeout = 30 * time.Second

type (
	eventLine = line.Line[schedulerpb.Event, *schedulerpb.Event]
	stepper   = machine.Machine[core.Input, core.Output]
)

// driver is the shell around a scheduler core. The machine owns the core; carry hands its outputs to
// the goroutines:
//
//   - one makes the callbacks, from Start to Finished;
//   - two for each subscription read events and send calls (see package line).
type driver struct {
	// immutable after NewDriver
	scheduler Scheduler
	cfg       Config
	wire      wire.ClientOptions
	log       *slog.Logger
	core      *core.Core
	machine   *stepper

	callbacks chan core.Callback // holds one, since one is out at most
	finished  chan struct{}      // closed at Finished
	wg        sync.WaitGroup     // everything that was started

	// guarded by the machine
	lines map[uint64]*eventLine // by number of the subscription
}

var _ Driver = (*driver)(nil)

// NewDriver makes a driver for s that has not been started. The error says everything that is wrong with
// the configuration.
func NewDriver(s Scheduler, cfg Config) (Driver, error) {
	cfg, info, err := cfg.complete()
	if s == nil {
		err = errors.Join(errors.New("scheduler driver without a Scheduler"), err)
	}
	if err != nil {
		return nil, err
	}
	d := &driver{
		scheduler: s,
		cfg:       cfg,
		wire:      cfg.wireOptions(),
		log:       cfg.Logger,
		callbacks: make(chan core.Callback, 1),
		finished:  make(chan struct{}),
		lines:     make(map[uint64]*eventLine),
	}
	d.core = core.New(core.Config{
		Framework:          info,
		Explicit:           cfg.ExplicitAcknowledgements,
		HeartbeatTolerance: cfg.HeartbeatTolerance,
		BackoffMin:         cfg.BackoffMin,
		BackoffMax:         cfg.BackoffMax,
		SubscribeTimeout:   subscribeTimeout,
		StopTimeout:        cfg.StopTimeout,
		Pending:            pendingLimits,
		MaxUnanswered:      maxUnanswered,
		Random:             rand.Uint64,
	})
	d.machine = machine.New(d.core, core.Input(core.Tick{}), d.carry)
	return d, nil
}

// Start implements Driver.
func (d *driver) Start() Status {
	_, after := d.start()
	return after
}

// start starts the driver, and says whether it was this call that did.
func (d *driver) start() (started bool, status Status) {
	before, after := d.machine.Do(core.Start{})
	if before != NotStarted {
		return false, after
	}
	d.wg.Go(d.makeCallbacks)
	return true, after
}

// Stop implements Driver.
func (d *driver) Stop(failover bool) Status {
	before, after := d.machine.Do(core.Stop{Failover: failover})
	if after != Stopped {
		return after
	}
	<-d.finished
	if before == Aborted {
		return Aborted
	}
	return Stopped
}

// Abort implements Driver.
func (d *driver) Abort() Status { return d.do(core.Abort{}) }

// Join implements Driver.
func (d *driver) Join() Status {
	if status := d.machine.Status(); status == NotStarted {
		return status
	}
	<-d.machine.Ended()
	status := d.machine.Status()
	if status == Stopped {
		<-d.finished
	}
	return status
}

// Run implements Driver.
func (d *driver) Run(ctx context.Context) Status {
	started, status := d.start()
	if !started {
		if status == Running {
			return d.Join()
		}
		return status
	}
	select {
	case <-d.machine.Ended():
	case <-ctx.Done():
		d.Stop(true)
	}
	status = d.Join()
	<-d.machine.Quiet()
	select {
	case <-d.finished:
		d.wg.Wait()
	default: // aborted, and still subscribed until Stop
	}
	return status
}

// Err implements Driver.
func (d *driver) Err() (err error) {
	d.machine.Locked(func() { err = d.core.Fault() })
	return err
}

// do applies an input.
func (d *driver) do(in core.Input) Status {
	_, after := d.machine.Do(in)
	return after
}

// LaunchTasks implements Driver.
func (d *driver) LaunchTasks(offers []*mesos.OfferID, tasks []*mesos.TaskInfo, filters *mesos.Filters) Status {
	return d.do(core.Launch{Offers: offers, Tasks: tasks, Filters: filters})
}

// AcceptOffers implements Driver.
func (d *driver) AcceptOffers(offers []*mesos.OfferID, operations []*mesos.Offer_Operation, filters *mesos.Filters) Status {
	return d.do(core.Accept{Offers: offers, Operations: operations, Filters: filters})
}

// DeclineOffer implements Driver.
func (d *driver) DeclineOffer(offer *mesos.OfferID, filters *mesos.Filters) Status {
	return d.do(core.Decline{Offers: []*mesos.OfferID{offer}, Filters: filters})
}

// KillTask implements Driver.
func (d *driver) KillTask(task *mesos.TaskID) Status { return d.do(core.Kill{Task: task}) }

// ReviveOffers implements Driver.
func (d *driver) ReviveOffers(roles ...string) Status { return d.do(core.Revive{Roles: roles}) }

// SuppressOffers implements Driver.
func (d *driver) SuppressOffers(roles ...string) Status { return d.do(core.Suppress{Roles: roles}) }

// RequestResources implements Driver.
func (d *driver) RequestResources(requests []*mesos.Request) Status {
	return d.do(core.Request{Requests: requests})
}

// ReconcileTasks implements Driver.
func (d *driver) ReconcileTasks(statuses []*mesos.TaskStatus) Status {
	return d.do(core.Reconcile{Statuses: statuses})
}

// AcknowledgeStatusUpdate implements Driver.
func (d *driver) AcknowledgeStatusUpdate(status *mesos.TaskStatus) Status {
	return d.do(core.Acknowledge{Status: status})
}

// SendFrameworkMessage implements Driver.
func (d *driver) SendFrameworkMessage(executor *mesos.ExecutorID, agent *mesos.AgentID, data []byte) Status {
	return d.do(core.Message{Executor: executor, Agent: agent, Data: data})
}

// carry hands an output to the goroutine that it is for.
func (d *driver) carry(out core.Output) {
	switch out := out.(type) {
	case core.Subscribe:
		d.lines[out.Stream] = line.Open[schedulerpb.Event](d.wire, out.Call, d.reports(out.Stream), d.wg.Go)
	case core.Send:
		d.lines[out.Stream].Send(out.Call)
	case core.Disconnect:
		d.lines[out.Stream].Close(out.Cause)
	case core.Dropped:
		d.log.Warn("framework message dropped: too many callbacks wait", "bytes", out.Size)
	case core.Finished:
		d.finish(out.TornDown)
	case core.Callback:
		d.callbacks <- out
	}
}

// reports are what a subscription's line tells the core.
func (d *driver) reports(stream uint64) line.Reports[schedulerpb.Event] {
	log := d.log.With("subscription", stream)
	return line.Reports[schedulerpb.Event]{
		Received: func(ev *schedulerpb.Event, size int) {
			d.do(core.Received{Stream: stream, Event: ev, Size: size})
		},
		Undecodable: func(err error) { log.Warn("event skipped", "error", err) },
		Answered: func(m proto.Message, what outcome.Outcome, err error) {
			call := m.(*schedulerpb.Call)
			if what != outcome.Accepted {
				log.Warn("call not accepted", "call", call.GetType(), "outcome", what, "error", err)
			}
			d.do(core.Answered{Stream: stream, Call: call, Outcome: what, Err: err})
		},
		Closed: func(refused bool, err error) {
			log.Info("subscription ended", "error", err)
			d.do(core.Closed{Stream: stream, Refused: refused, Err: err})
		},
		Gone: func() { d.machine.Locked(func() { delete(d.lines, stream) }) },
		// An agent repeats an update until it is acknowledged, and passes over a second acknowledgement.
		Repeatable: func(m proto.Message) bool {
			return m.(*schedulerpb.Call).GetType() == schedulerpb.Call_ACKNOWLEDGE
		},
	}
}

// finish ends everything but a callback that is still out.
func (d *driver) finish(tornDown bool) {
	for _, l := range d.lines {
		l.Close(errStopped)
	}
	if tornDown {
		d.forgetFrameworkID()
	}
	close(d.callbacks)
	close(d.finished)
}

var errStopped = errors.New("the driver has ended")
