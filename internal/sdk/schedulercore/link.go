package schedulercore

import (
	"errors"
	"fmt"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/core"
)

// link is the driver's subscription with the master.
//
//	none ──Start──▶ waiting ──deadline──▶ subscribing ──SUBSCRIBED──▶ subscribed
//	                   ▲                       │                          │
//	                   └────────lost───────────┴───────────lost───────────┘
//
// From each of them ERROR, a refusal or the end of the driver lead to closed, for good.
type link struct {
	state    linkState
	stream   uint64        // the latest subscription's number
	deadline time.Duration // what it means depends on the state; see linkExpired
	attempts int           // since the last success

	silence    time.Duration // how long the master may be silent
	unanswered int           // calls sent on this subscription that wait for an answer
}

type linkState int

const (
	linkNone linkState = iota
	linkWaiting
	linkSubscribing
	linkSubscribed
	linkClosed
)

// open says whether there is a subscription, or an attempt to make one.
func (l *link) open() bool { return l.state == linkSubscribing || l.state == linkSubscribed }

// Causes for giving a subscription up.
var (
	errSubscribeTimeout = errors.New("no SUBSCRIBED from the master in time")
	errHeartbeats       = errors.New("no heartbeat from the master in time")
	errCallbacks        = errors.New("callbacks are slower than events: too many wait")
	errUnanswered       = errors.New("too many calls wait for the master's answer")
	errFinished         = errors.New("the driver has ended")
)

const (
	defaultHeartbeat = 15 * time.Second
	maxHeartbeat     = 24 * time.Hour // what is beyond cannot be meant
)

// linkExpired does what the link's deadline was set for.
func (c *Core) linkExpired() {
	switch c.link.state {
	case linkWaiting:
		// A driver whose callbacks lag behind waits until they have caught up.
		if c.callbacks.Drained() {
			c.subscribe()
		}
	case linkSubscribing:
		c.disconnect(errSubscribeTimeout)
	case linkSubscribed:
		c.disconnect(errHeartbeats)
	}
}

func (c *Core) subscribe() {
	if c.cfg.Framework.GetId() == nil && c.framework != nil {
		// A copy, since the shell may still be encoding the first SUBSCRIBE.
		c.cfg.Framework = cloneInfo(c.cfg.Framework)
		c.cfg.Framework.Id = c.framework
	}
	c.link.state = linkSubscribing
	c.link.stream++
	c.link.unanswered = 0
	c.link.deadline = c.now.Mono + c.cfg.SubscribeTimeout
	c.interest.told = true
	c.emit(Subscribe{Stream: c.link.stream, Call: &schedulerpb.Call{
		FrameworkId: c.framework,
		Type:        schedulerpb.Call_SUBSCRIBE.Enum(),
		Subscribe: &schedulerpb.Call_Subscribe{
			FrameworkInfo:   c.cfg.Framework,
			SuppressedRoles: c.interest.list(),
		},
	}})
}

// subscribed is SUBSCRIBED's arrival.
func (c *Core) subscribed(ev *schedulerpb.Event_Subscribed) {
	c.link.state, c.link.attempts = linkSubscribed, 0
	c.link.silence = time.Duration(c.cfg.HeartbeatTolerance) * HeartbeatInterval(ev)
	c.heard()

	if id := ev.GetFrameworkId(); id.GetValue() != "" {
		c.framework = id
	}
	again := c.registered
	c.registered = true
	if c.stop.begun {
		c.tearDown()
		return
	}
	c.tellInterest()
	if c.status != mesos.Status_DRIVER_RUNNING {
		return
	}
	if again || c.adopted {
		c.reconcileAll()
		c.killAgain()
	}
	if again {
		c.call(Reregistered{Master: ev.GetMasterInfo()}, 0)
	} else {
		c.call(Registered{Framework: c.framework, Master: ev.GetMasterInfo()}, 0)
	}
}

// HeartbeatInterval is how often a master says that it will send heartbeats. One that says nothing, or
// nonsense, has Mesos' interval.
func HeartbeatInterval(ev *schedulerpb.Event_Subscribed) time.Duration {
	seconds := ev.GetHeartbeatIntervalSeconds()
	if seconds > 0 && seconds <= maxHeartbeat.Seconds() {
		return time.Duration(seconds * float64(time.Second))
	}
	return defaultHeartbeat
}

// heard says that the master has given a sign of life.
func (c *Core) heard() { c.link.deadline = c.now.Mono + c.link.silence }

// closed is the end of a subscription, or of the attempt to make one.
func (c *Core) closed(in Closed) {
	switch {
	case in.Stream != c.link.stream || !c.link.open():
		// This core closed it, and knows.
	case in.Refused:
		c.fail(fmt.Errorf("the master refuses the subscription: %w", in.Err))
	default:
		c.linkLost()
	}
}

// disconnect gives the present subscription up, to make another.
func (c *Core) disconnect(cause error) {
	c.emit(Disconnect{Stream: c.link.stream, Cause: cause})
	c.linkLost()
}

// linkLost forgets what was true only for the subscription that is gone.
func (c *Core) linkLost() {
	was := c.link.state
	c.link.state = linkWaiting
	c.link.deadline = c.now.Mono + c.backoff()
	clear(c.offers)
	c.retries = nil
	if was == linkSubscribed && c.status == mesos.Status_DRIVER_RUNNING {
		c.callbacks.Drop(isAboutOffers) // void by now
		c.call(Disconnected{}, 0)
	}
}

// closeLink ends the subscription for good.
func (c *Core) closeLink(cause error) {
	if c.link.open() {
		c.emit(Disconnect{Stream: c.link.stream, Cause: cause})
	}
	c.link.state, c.link.deadline = linkClosed, core.Never
	clear(c.offers)
	c.retries = nil
}

// backoff is a random wait whose bound doubles with each attempt, so that the schedulers of a cluster do
// not all come at once when a master returns.
func (c *Core) backoff() time.Duration {
	bound := c.cfg.BackoffMax
	if c.link.attempts < 16 {
		bound = min(bound, c.cfg.BackoffMin<<c.link.attempts)
	}
	c.link.attempts++
	return c.chance(bound)
}

// chance is a random duration of less than bound.
func (c *Core) chance(bound time.Duration) time.Duration {
	if bound <= 0 {
		return 0
	}
	return time.Duration(c.cfg.Random() % uint64(bound))
}

// send sends a call on the present subscription. It may give the subscription up, and ignores what its
// caller goes on to send then.
func (c *Core) send(call *schedulerpb.Call) {
	if !c.connected() {
		return
	}
	call.FrameworkId = c.framework
	c.link.unanswered++
	c.emit(Send{Stream: c.link.stream, Call: call})
	if c.link.unanswered > c.cfg.MaxUnanswered {
		c.disconnect(errUnanswered)
	}
}

// connected says whether calls can be sent.
func (c *Core) connected() bool { return c.link.state == linkSubscribed }

func isAboutOffers(cb Callback) bool {
	switch cb.(type) {
	case ResourceOffers, OfferRescinded:
		return true
	}
	return false
}
