package executorcore

import (
	"errors"
	"fmt"
	"time"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/sdk/outcome"
)

// link is the driver's subscription with its agent.
//
//	none ──Start──▶ waiting ──deadline──▶ subscribing ──SUBSCRIBED──▶ subscribed
//	                   ▲                       │                          │
//	                   └────────lost───────────┴───────────lost───────────┘
//
// From each of them the end of the driver leads to closed, for good.
type link struct {
	state      linkState
	stream     uint64        // the latest subscription's number
	deadline   time.Duration // what it means depends on the state; see linkExpired
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
	errSubscribeTimeout = errors.New("no SUBSCRIBED from the agent in time")
	errCallbacks        = errors.New("callbacks are slower than events: too many wait")
	errUnanswered       = errors.New("too many calls wait for the agent's answer")
	errFinished         = errors.New("the driver has ended")
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
		c.link.deadline = c.now.Mono + c.cfg.Heartbeat
		c.send(&executorpb.Call{Type: executorpb.Call_HEARTBEAT.Enum()})
	}
}

func (c *Core) subscribe() {
	c.link.state = linkSubscribing
	c.link.stream++
	c.link.unanswered = 0
	c.link.deadline = c.now.Mono + c.cfg.SubscribeTimeout

	subscribe := new(executorpb.Call_Subscribe)
	for t := range c.tasks.values() {
		subscribe.UnacknowledgedTasks = append(subscribe.UnacknowledgedTasks, t)
	}
	for u := range c.updates.values() {
		u.stream = c.link.stream
		subscribe.UnacknowledgedUpdates = append(subscribe.UnacknowledgedUpdates, &executorpb.Call_Update{Status: u.status})
	}
	c.emit(Subscribe{Stream: c.link.stream, Call: &executorpb.Call{
		ExecutorId:  c.executor,
		FrameworkId: c.framework,
		Type:        executorpb.Call_SUBSCRIBE.Enum(),
		Subscribe:   subscribe,
	}})
}

// subscribed is SUBSCRIBED's arrival.
func (c *Core) subscribed(ev *executorpb.Event_Subscribed) {
	c.link.state = linkSubscribed
	c.link.deadline = c.now.Mono + c.cfg.Heartbeat
	c.giveUp = core.Never
	if c.registered {
		c.call(Reregistered{Agent: ev.GetAgentInfo()}, 0)
	} else {
		c.registered = true
		c.call(Registered{Executor: ev.GetExecutorInfo(), Framework: ev.GetFrameworkInfo(), Agent: ev.GetAgentInfo()}, 0)
	}
	c.sendRest()
}

// closed is the end of a subscription, or of the attempt to make one. A refusal is final only for an
// executor that was never registered: an agent that has just been restarted may not know its executors yet.
func (c *Core) closed(in Closed) {
	switch {
	case in.Stream != c.link.stream || !c.link.open():
		// This core closed it, and knows.
	case in.Refused && !c.registered:
		c.fail(fmt.Errorf("the agent refuses the subscription: %w", in.Err))
	default:
		c.linkLost()
	}
}

// disconnect gives the present subscription up, to make another.
func (c *Core) disconnect(cause error) {
	c.emit(Disconnect{Stream: c.link.stream, Cause: cause})
	c.linkLost()
}

// linkLost begins to wait for the agent, or does not if nobody expects the executor to.
func (c *Core) linkLost() {
	was := c.link.state
	c.link.state = linkWaiting
	c.link.deadline = c.now.Mono + c.chance(c.cfg.BackoffMax)
	if was != linkSubscribed {
		return
	}
	c.call(Disconnected{}, 0)
	c.giveUp = c.now.Mono
	if c.cfg.Checkpoint {
		c.giveUp += c.cfg.RecoveryTimeout
	}
}

// closeLink ends the subscription for good.
func (c *Core) closeLink(cause error) {
	if c.link.open() {
		c.emit(Disconnect{Stream: c.link.stream, Cause: cause})
	}
	c.link.state, c.link.deadline = linkClosed, core.Never
	c.giveUp = core.Never
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
func (c *Core) send(call *executorpb.Call) {
	if !c.connected() {
		return
	}
	call.ExecutorId, call.FrameworkId = c.executor, c.framework
	c.link.unanswered++
	c.emit(Send{Stream: c.link.stream, Call: call})
	if c.link.unanswered > c.cfg.MaxUnanswered {
		c.disconnect(errUnanswered)
	}
}

// connected says whether calls can be sent.
func (c *Core) connected() bool { return c.link.state == linkSubscribed }

// answered handles the fate of a call.
func (c *Core) answered(in Answered) {
	current := in.Stream == c.link.stream && c.connected()
	if current {
		c.link.unanswered--
	}
	switch update := in.Call.GetType() == executorpb.Call_UPDATE; {
	case update && (in.Outcome == outcome.Refused || in.Outcome == outcome.Invalid):
		c.updateRefused(in)
	case current && (in.Outcome == outcome.Unanswered || update && in.Outcome == outcome.Busy):
		// Sending the update once more would put it behind the later ones. The next SUBSCRIBE carries
		// all of them in order.
		c.disconnect(fmt.Errorf("%s not answered: %w", in.Call.GetType(), in.Err))
	}
}
