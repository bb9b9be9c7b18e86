package schedulercore

import (
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/sdk/mailbox"
)

// Config is what a Core is made from. All fields have to be set.
type Config struct {
	// Framework is the framework's description, user filled in. An id in it means that the framework may
	// exist already, with tasks.
	Framework *mesos.FrameworkInfo

	// Explicit leaves the acknowledging of updates to the framework.
	Explicit bool

	HeartbeatTolerance int           // missed heartbeats after which the master counts as lost
	BackoffMin         time.Duration // first bound of the random wait before subscribing again; it doubles
	BackoffMax         time.Duration // last bound of it
	SubscribeTimeout   time.Duration // for the master to answer SUBSCRIBE with SUBSCRIBED
	StopTimeout        time.Duration // for calls to leave when the driver is stopped

	Pending       mailbox.Limits // callbacks that wait; the subscription is given up when there are more
	MaxUnanswered int            // calls that wait for their answer; likewise

	Random func() uint64 // the only source of chance
}

// Core is the state of one driver.
type Core struct {
	cfg   Config          // immutable
	roles []string        // immutable: those that the framework subscribes to
	lost  mesos.TaskState // immutable: what the framework calls a task that did not reach the master

	now core.Time // of the present Step
	out []Output  // of the present Step

	status    mesos.Status
	fault     error // why the driver aborted itself
	callbacks *mailbox.Mailbox[Callback]
	unacked   *mesos.TaskStatus // acknowledge it when the callback that is out returns

	link       link
	framework  *mesos.FrameworkID // nil until the master gives one
	registered bool               // Registered has been due
	adopted    bool               // the framework may have tasks that this core has not heard of

	offers   map[ids.OfferID]struct{}
	tasks    map[ids.TaskID]task // alive, as far as is known
	interest interest
	retries  []retry

	stop stop
}

// task is what a driver remembers about a task that has not ended.
type task struct {
	agent       ids.AgentID // empty if unknown
	kill        bool        // the framework wants it killed
	unreachable bool        // with its agent, as the master has said
}

// New makes a core that has not been started.
func New(cfg Config) *Core {
	cfg.Framework = cloneInfo(cfg.Framework)
	if cfg.Framework.GetId().GetValue() == "" {
		cfg.Framework.Id = nil
	}
	c := &Core{
		cfg:       cfg,
		roles:     rolesOf(cfg.Framework),
		lost:      mesos.TaskState_TASK_LOST,
		status:    mesos.Status_DRIVER_NOT_STARTED,
		callbacks: mailbox.New[Callback](cfg.Pending),
		framework: cfg.Framework.GetId(),
		adopted:   cfg.Framework.GetId() != nil,
		offers:    make(map[ids.OfferID]struct{}),
		tasks:     make(map[ids.TaskID]task),
	}
	if hasCapability(cfg.Framework, mesos.FrameworkInfo_Capability_PARTITION_AWARE) {
		c.lost = mesos.TaskState_TASK_DROPPED
	}
	c.link.deadline = core.Never
	return c
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
		c.beginStop(in.Failover)
	case Abort:
		c.abort(nil)
	case Fail:
		c.abort(in.Err)
	case Received:
		c.received(in)
	case Closed:
		c.closed(in)
	case Answered:
		c.answered(in)
	case Returned:
		c.returned()
	case Tick:
	default:
		if c.status == mesos.Status_DRIVER_RUNNING {
			c.ask(in)
		}
	}

	c.expire()
	c.settle()
	return c.out
}

// ask carries out what a running driver was asked for.
func (c *Core) ask(in Input) {
	switch in := in.(type) {
	case Launch:
		c.launch(in)
	case Accept:
		c.accept(in)
	case Decline:
		c.decline(in.Offers, in.Filters)
	case Kill:
		c.kill(in.Task)
	case Revive:
		c.revive(in.Roles)
	case Suppress:
		c.suppress(in.Roles)
	case Request:
		c.request(in)
	case Reconcile:
		c.reconcile(in)
	case Acknowledge:
		if c.cfg.Explicit {
			c.acknowledge(in.Status)
		}
	case Message:
		c.message(in)
	}
}

// NextDeadline is the moment at which the core wants a Tick, if nothing happens before.
func (c *Core) NextDeadline() time.Duration {
	next := core.Never
	if c.link.state != linkWaiting || c.callbacks.Drained() {
		next = c.link.deadline
	}
	if c.stop.begun && !c.stop.finished {
		next = min(next, c.stop.deadline)
	}
	for _, r := range c.retries {
		next = min(next, r.due)
	}
	return next
}

// expire does what has become due.
func (c *Core) expire() {
	if c.now.Mono >= c.link.deadline {
		c.linkExpired()
	}
	c.retryDue()
}

// settle does what any input may have made possible.
func (c *Core) settle() {
	c.finish()
	if cb, ok := c.callbacks.Take(); ok {
		if u, ok := cb.(StatusUpdate); ok && !c.cfg.Explicit {
			c.unacked = u.Status
		}
		c.emit(cb)
	}
}

// returned acknowledges what the callback was about. The next callback follows in settle.
func (c *Core) returned() {
	c.callbacks.Returned()
	if c.unacked != nil && c.status == mesos.Status_DRIVER_RUNNING {
		c.acknowledge(c.unacked)
	}
	c.unacked = nil
}

func cloneInfo(f *mesos.FrameworkInfo) *mesos.FrameworkInfo {
	return proto.CloneOf(f)
}

// start begins to subscribe.
func (c *Core) start() {
	if c.status != mesos.Status_DRIVER_NOT_STARTED {
		return
	}
	c.status = mesos.Status_DRIVER_RUNNING
	c.link.state, c.link.deadline = linkWaiting, c.now.Mono
}

// emit adds an output to the present step.
func (c *Core) emit(out Output) { c.out = append(c.out, out) }

// call puts a callback in line.
func (c *Core) call(cb Callback, size int) { c.callbacks.Put(cb, size) }
