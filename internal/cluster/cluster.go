package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/allocator"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// Config is what a Cluster is told at its birth.
type Config struct {
	// MasterID is the id of this leadership: a UUID, never used before. New ids are made from it.
	MasterID string
	// AgentTimeout is how long an agent may be away before it is removed (default 75 s: 15 s × 5).
	AgentTimeout time.Duration
	// AgentReturn is how long agents of a former leader are waited for (default 10 min).
	AgentReturn time.Duration
	// AgentRemovalPause is the time from the removal of one agent to that of the next (default 10 ms).
	AgentRemovalPause time.Duration
	// AgentRemovalLimit is how many of the agents, in percent, may be away before none is removed any more
	// (default 50).
	AgentRemovalLimit int
	// AllocationPause is the time from the moment that something becomes free until it is offered (default
	// 2 ms): what becomes free within it is offered together.
	AllocationPause time.Duration
	// CompletedFrameworks and CompletedTasks bound the history (defaults 50, and 1,000 per framework).
	CompletedFrameworks int
	CompletedTasks      int
}

func (c *Config) setDefaults() {
	c.AgentTimeout = cmp.Or(c.AgentTimeout, 75*time.Second)
	c.AgentReturn = cmp.Or(c.AgentReturn, 10*time.Minute)
	c.AgentRemovalPause = cmp.Or(c.AgentRemovalPause, 10*time.Millisecond)
	c.AgentRemovalLimit = cmp.Or(c.AgentRemovalLimit, 50)
	c.AllocationPause = cmp.Or(c.AllocationPause, 2*time.Millisecond)
	c.CompletedFrameworks = cmp.Or(c.CompletedFrameworks, 50)
	c.CompletedTasks = cmp.Or(c.CompletedTasks, 1000)
}

// Cluster is the state machine. It is owned by one goroutine.
type Cluster struct {
	config Config
	out    []Output

	// published: immutable entries
	frameworks *Table[ids.FrameworkID, Framework]
	agents     *Table[ids.AgentID, Agent]
	tasks      *Table[TaskKey, Task]
	offers     *Table[ids.OfferID, Offer]
	executors  *Table[executorKey, Executor]
	history    history

	// indexes
	streams map[StreamID]ids.FrameworkID
	links   map[LinkID]ids.AgentID
	byAgent map[ids.AgentID]*agentBook
	byFrame map[ids.FrameworkID]*frameworkBook
	gone    tombstones // ids of frameworks that may not come back

	absent   absent                     // agents that are not in the books
	early    map[TaskKey][]byte         // kills of tasks that only agents on their way can know
	away     deadlines[ids.AgentID]     // agents without a link, until they are removed
	removals removals                   // what holds that back
	failover deadlines[ids.FrameworkID] // frameworks without a stream, until they are removed

	alloc      *allocator.Allocator
	allocation allocationClock
	waiting    map[Ticket]func(now core.Time) // what follows when a record is durable
	lastTicket Ticket

	nextFramework, nextAgent, nextOffer uint64
}

type executorKey struct {
	agent     ids.AgentID
	framework ids.FrameworkID
	executor  ids.ExecutorID
}

// New returns an empty cluster.
func New(config Config) *Cluster {
	config.setDefaults()
	return &Cluster{
		config:     config,
		frameworks: NewTable[ids.FrameworkID, Framework](),
		agents:     NewTable[ids.AgentID, Agent](),
		tasks:      NewTable[TaskKey, Task](),
		offers:     NewTable[ids.OfferID, Offer](),
		executors:  NewTable[executorKey, Executor](),
		history:    newHistory(),
		streams:    make(map[StreamID]ids.FrameworkID),
		links:      make(map[LinkID]ids.AgentID),
		byAgent:    make(map[ids.AgentID]*agentBook),
		byFrame:    make(map[ids.FrameworkID]*frameworkBook),
		gone:       tombstones{seen: make(map[ids.FrameworkID]bool)},
		alloc:      allocator.New(allocator.Options{}),
		waiting:    make(map[Ticket]func(core.Time)),
		absent:     newAbsent(),
		early:      make(map[TaskKey][]byte),
		away:       newDeadlines[ids.AgentID](),
		failover:   newDeadlines[ids.FrameworkID](),
	}
}

// Step applies one input at one moment and returns what has to happen because of it. The outputs are
// valid until the next call.
func (c *Cluster) Step(now core.Time, in Input) []Output {
	c.out = c.out[:0]
	switch in := in.(type) {
	case Recovered:
		c.recover(now, in)
	case Subscribe:
		c.subscribe(now, in)
	case StreamClosed:
		c.streamClosed(now, in)
	case SchedulerCall:
		c.schedulerCall(now, in)
	case OperatorCall:
		c.order(now, in)
	case AgentSubscribe:
		c.agentSubscribe(now, in)
	case LinkClosed:
		c.linkClosed(now, in)
	case AgentUpdate:
		c.agentUpdate(now, in)
	case AgentMessage:
		c.agentMessage(in)
	case AgentExecutorExited:
		c.executorExited(now, in)
	case AgentTaskRefused:
		c.taskRefused(now, in)
	case AgentFrameworkGone:
		c.frameworkGone(now, in)
	case AgentUnregistered:
		c.agentUnregistered(now, in)
	case Persisted:
		c.persisted(now, in)
	case Tick:
	}
	c.expire(now)
	return c.out
}

// NextDeadline is the moment, on the monotonic clock, at which a Tick is due; core.Never if none is.
func (c *Cluster) NextDeadline() time.Duration {
	return min(c.nextAllocation(), c.nextRemoval(), c.failover.next())
}

// expire lets everything happen whose deadline has come, in a defined order.
func (c *Cluster) expire(now core.Time) {
	c.expireAgents(now)
	c.expireFrameworks(now)
	c.allocateIfDue(now)
}

func (c *Cluster) emit(o Output)              { c.out = append(c.out, o) }
func (c *Cluster) answer(code Code, s string) { c.emit(Answer{Code: code, Text: s}) }

// tell sends an event to a framework, if it is there to hear it.
func (c *Cluster) tell(f *Framework, e Event) {
	if f != nil && f.Connected() {
		c.emit(Send{f.Stream, e})
	}
}

// command sends a command to an agent, if it is there to hear it.
func (c *Cluster) command(a *Agent, cmd Command) {
	if a != nil && a.Connected() {
		c.emit(ToAgent{a.Link, cmd})
	}
}

func (c *Cluster) publish(what Change) { c.emit(Publish{what}) }

func (c *Cluster) notice(level Level, text string, attrs ...any) {
	c.emit(Notice{level, text, attrs})
}

// persist asks for records to be made durable; then happens when they are.
func (c *Cluster) persist(then func(now core.Time), records ...Record) {
	c.lastTicket++
	c.waiting[c.lastTicket] = then
	c.emit(Persist{c.lastTicket, records})
}

func (c *Cluster) persisted(now core.Time, in Persisted) {
	then := c.waiting[in.Ticket]
	delete(c.waiting, in.Ticket)
	if then != nil {
		then(now)
	}
}

// newFrameworkID makes an id that nobody has, not even one who brought his own and chose it alike.
func (c *Cluster) newFrameworkID() ids.FrameworkID {
	for {
		id := ids.FrameworkID(fmt.Sprintf("%s-%04d", c.config.MasterID, c.nextFramework))
		c.nextFramework++
		if c.byFrame[id] == nil && !c.gone.has(id) {
			return id
		}
	}
}

// newAgentID makes an id that no agent has.
func (c *Cluster) newAgentID() ids.AgentID {
	for {
		id := ids.AgentID(fmt.Sprintf("%s-S%d", c.config.MasterID, c.nextAgent))
		c.nextAgent++
		if c.byAgent[id] == nil {
			return id
		}
	}
}

func (c *Cluster) newOfferID() ids.OfferID {
	c.nextOffer++
	return ids.OfferID(fmt.Sprintf("%s-O%d", c.config.MasterID, c.nextOffer-1))
}

// sorted gives the keys of a set in a defined order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
