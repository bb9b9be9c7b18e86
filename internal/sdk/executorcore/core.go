package executorcore

import (
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/sdk/mailbox"
)

// Config is what a Core is made from. All fields have to be set.
type Config struct {
	Framework ids.FrameworkID
	Executor  ids.ExecutorID

	Checkpoint      bool          // the executor survives the loss of its agent
	RecoveryTimeout time.Duration // for how long
	BackoffMax      time.Duration // bound of the random wait before each attempt to subscribe again
	GracePeriod     time.Duration // from Shutdown, or Stop, to the end

	FirstTimeout     time.Duration // for the first subscription of an executor without checkpoint
	SubscribeTimeout time.Duration // for the agent to answer SUBSCRIBE with SUBSCRIBED
	Heartbeat        time.Duration // interval of the heartbeats that are sent

	Pending       mailbox.Limits // callbacks that wait; the subscription is given up when there are more
	MaxUnanswered int            // calls that wait for their answer; likewise

	Random  func() uint64   // the only source of chance
	NewUUID func() [16]byte // but for the names of updates
}

// Core is the state of one driver.
type Core struct {
	cfg       Config             // immutable
	framework *mesos.FrameworkID // immutable
	executor  *mesos.ExecutorID  // immutable

	now core.Time // of the present Step
	out []Output  // of the present Step

	status    mesos.Status
	fault     error // why the driver aborted itself
	callbacks *mailbox.Mailbox[Callback]

	link       link
	registered bool          // Registered has been due
	giveUp     time.Duration // when a lost agent stops being waited for, or core.Never

	tasks   ordered[ids.TaskID, *mesos.TaskInfo] // whose first update the agent has not acknowledged
	updates ordered[uuid, *update]               // that the agent has not acknowledged

	end end
}

// New makes a core that has not been started.
func New(cfg Config) *Core {
	return &Core{
		cfg:       cfg,
		framework: &mesos.FrameworkID{Value: new(string(cfg.Framework))},
		executor:  &mesos.ExecutorID{Value: new(string(cfg.Executor))},
		status:    mesos.Status_DRIVER_NOT_STARTED,
		callbacks: mailbox.New[Callback](cfg.Pending),
		link:      link{deadline: core.Never},
		giveUp:    core.Never,
		end:       end{deadline: core.Never},
	}
}

// Status is the driver's status.
func (c *Core) Status() mesos.Status { return c.status }

// Fault is why the driver aborted itself, or nil.
func (c *Core) Fault() error { return c.fault }

// Idle says that no callback is out or waits.
func (c *Core) Idle() bool { return c.callbacks.Len() == 0 && !c.callbacks.Busy() }

// Step applies one input. The outputs are valid until the next Step.
func (c *Core) Step(now core.Time, in Input) []Output {
	clear(c.out)
	c.now, c.out = now, c.out[:0]

	switch in := in.(type) {
	case Start:
		c.start()
	case Stop:
		c.stop()
	case Abort:
		c.abort()
	case Update:
		c.update(in.Status)
	case Message:
		c.message(in.Data)
	case Received:
		c.received(in)
	case Closed:
		c.closed(in)
	case Answered:
		c.answered(in)
	case Returned:
		c.returned()
	case Tick:
	}

	c.expire()
	c.settle()
	return c.out
}

// NextDeadline is the moment at which the core wants a Tick, if nothing happens before.
func (c *Core) NextDeadline() time.Duration {
	if c.end.finished {
		return core.Never
	}
	next := c.giveUp
	if c.end.draining {
		next = min(next, c.end.deadline)
	}
	if c.link.state != linkWaiting || c.callbacks.Drained() {
		next = min(next, c.link.deadline)
	}
	return next
}

// expire does what has become due.
func (c *Core) expire() {
	if c.now.Mono >= c.giveUp {
		c.shutdown()
	}
	if c.now.Mono >= c.link.deadline {
		c.linkExpired()
	}
}

// settle does what any input may have made possible.
func (c *Core) settle() {
	c.finish()
	if cb, ok := c.callbacks.Take(); ok {
		_, c.end.calling = cb.(Shutdown)
		c.emit(cb)
	}
}

// returned notes the end of a callback. The next one follows in settle.
func (c *Core) returned() {
	c.callbacks.Returned()
	if c.end.calling {
		c.end.calling, c.end.draining = false, true
	}
}

// start begins to subscribe.
func (c *Core) start() {
	if c.status != mesos.Status_DRIVER_NOT_STARTED {
		return
	}
	c.status = mesos.Status_DRIVER_RUNNING
	c.link.state, c.link.deadline = linkWaiting, c.now.Mono
	c.giveUp = c.now.Mono + c.cfg.FirstTimeout
	if c.cfg.Checkpoint {
		c.giveUp = c.now.Mono + c.cfg.RecoveryTimeout
	}
}

// running says whether the executor may be called back and may send.
func (c *Core) running() bool { return c.status == mesos.Status_DRIVER_RUNNING }

// emit adds an output to the present step.
func (c *Core) emit(out Output) { c.out = append(c.out, out) }

// call puts a callback in line, unless the last one is already in it.
func (c *Core) call(cb Callback, size int) {
	if c.running() && !c.end.begun {
		c.callbacks.Put(cb, size)
	}
}
