package executor

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/ids"
	core "github.com/meseta/meseta/internal/sdk/executorcore"
	"github.com/meseta/meseta/internal/sdk/line"
	"github.com/meseta/meseta/internal/sdk/machine"
	"github.com/meseta/meseta/internal/sdk/mailbox"
	"github.com/meseta/meseta/internal/sdk/outcome"
	"github.com/meseta/meseta/internal/wire"
)

// What bounds a driver's memory: callbacks that wait behind a slow one, and calls that an agent leaves
// unanswered. At either bound the subscription is given up and made anew.
var pendingLimits = mailbox.Limits{Items: 100_000, Bytes: 256 << 20}

const maxUnanswered = 100_000

const (
	firstTimeout     = time.Minute // by then an agent has given an executor up that did not subscribe
	subscribeTimeout = 30 * time.Second
	heartbeat        = 30 * time.Minute
)

type (
	eventLine = line.Line[executorpb.Event, *executorpb.Event]
	stepper   = machine.Machine[core.Input, core.Output]
)

// driver is the shell around an executor core. The machine owns the core; carry hands its outputs to
// the goroutines:
//
//   - one makes the callbacks, from Start to Finished;
//   - two for each subscription read events and send calls (see package line).
type driver struct {
	// immutable after NewDriver
	executor Executor
	wire     wire.ClientOptions
	log      *slog.Logger
	core     *core.Core
	machine  *stepper

	callbacks chan core.Callback // holds one, since one is out at most
	finished  chan struct{}      // closed at Finished
	wg        sync.WaitGroup     // everything that was started

	// guarded by the machine
	lines map[uint64]*eventLine // by number of the subscription
}

var _ Driver = (*driver)(nil)

// NewDriver makes a driver for x that has not been started. The error says everything that is wrong with
// the configuration.
func NewDriver(x Executor, cfg Config) (Driver, error) {
	cfg, err := cfg.complete()
	if x == nil {
		err = errors.Join(errors.New("executor driver without an Executor"), err)
	}
	if err != nil {
		return nil, err
	}
	d := &driver{
		executor:  x,
		wire:      cfg.wireOptions(),
		log:       cfg.Logger,
		callbacks: make(chan core.Callback, 1),
		finished:  make(chan struct{}),
		lines:     make(map[uint64]*eventLine),
	}
	d.core = core.New(core.Config{
		Framework:        ids.FrameworkID(cfg.Environment.FrameworkID),
		Executor:         ids.ExecutorID(cfg.Environment.ExecutorID),
		Checkpoint:       cfg.Environment.Checkpoint,
		RecoveryTimeout:  cfg.Environment.RecoveryTimeout,
		BackoffMax:       cfg.Environment.SubscriptionBackoffMax,
		GracePeriod:      cfg.Environment.ShutdownGracePeriod,
		FirstTimeout:     firstTimeout,
		SubscribeTimeout: subscribeTimeout,
		Heartbeat:        heartbeat,
		Pending:          pendingLimits,
		MaxUnanswered:    maxUnanswered,
		Random:           rand.Uint64,
		NewUUID:          func() [16]byte { return uuid.New() },
	})
	d.machine = machine.New(d.core, core.Input(core.Tick{}), d.carry)
	return d, nil
}

// Start implements Driver.
func (d *driver) Start() Status {
	_, status := d.start()
	return status
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
func (d *driver) Stop() Status {
	before, after := d.machine.Do(core.Stop{})
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
		d.Stop()
	}
	status = d.Join()
	<-d.machine.Quiet()
	d.wg.Wait()
	return status
}

// Err implements Driver.
func (d *driver) Err() (err error) {
	d.machine.Locked(func() { err = d.core.Fault() })
	return err
}

// SendStatusUpdate implements Driver.
func (d *driver) SendStatusUpdate(status *mesos.TaskStatus) Status {
	return d.do(core.Update{Status: status})
}

// SendFrameworkMessage implements Driver.
func (d *driver) SendFrameworkMessage(data []byte) Status { return d.do(core.Message{Data: data}) }

// do applies an input.
func (d *driver) do(in core.Input) Status {
	_, after := d.machine.Do(in)
	return after
}

// carry hands an output to the goroutine that it is for.
func (d *driver) carry(out core.Output) {
	switch out := out.(type) {
	case core.Subscribe:
		d.lines[out.Stream] = line.Open[executorpb.Event](d.wire, out.Call, d.reports(out.Stream), d.wg.Go)
	case core.Send:
		d.lines[out.Stream].Send(out.Call)
	case core.Disconnect:
		d.lines[out.Stream].Close(out.Cause)
	case core.Dropped:
		d.log.Warn("framework message dropped: too many callbacks wait", "bytes", out.Size)
	case core.Finished:
		d.finish(out.Unacknowledged)
	case core.Callback:
		d.callbacks <- out
	}
}

// reports are what a subscription's line tells the core.
func (d *driver) reports(stream uint64) line.Reports[executorpb.Event] {
	log := d.log.With("subscription", stream)
	return line.Reports[executorpb.Event]{
		Received: func(ev *executorpb.Event, size int) {
			d.do(core.Received{Stream: stream, Event: ev, Size: size})
		},
		Undecodable: func(err error) { log.Warn("event skipped", "error", err) },
		Answered: func(m proto.Message, what outcome.Outcome, err error) {
			call := m.(*executorpb.Call)
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
	}
}

// finish ends everything but a callback that is still out.
func (d *driver) finish(unacknowledged int) {
	for _, l := range d.lines {
		l.Close(errEnded)
	}
	if unacknowledged > 0 {
		d.log.Error("ended with updates that the agent has not acknowledged", "updates", unacknowledged)
	}
	close(d.callbacks)
	close(d.finished)
}

var errEnded = errors.New("the driver has ended")
