package detached

import (
	"fmt"
	"slices"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// Config is what a Core is told at its birth.
type Config struct {
	// MasterID is the id of this leadership, never used before: the framework's id is made from it.
	MasterID string
	// Epoch is the number of this leadership, never used before: ids of tasks are made from it.
	Epoch uint64
}

// Core is the state machine. It is owned by one goroutine.
type Core struct {
	config Config
	out    []Output

	framework      ids.FrameworkID
	nextFramework  int
	link           link
	reconciliation backoff

	tasks    map[ids.TaskID]*Task         // entries are replaced, not changed
	order    []ids.TaskID                 // of tasks, as they were asked for
	intents  map[ids.TaskID]bool          // launching, but no ACCEPT has left: the intent is being made durable
	promised map[ids.Role]int             // tasks that are being made durable
	bytes    int                          // of all specs, the promised ones among them
	leaving  map[ids.TaskID][]Acknowledge // out of the books, but not durably so: what to acknowledge when it is
	ended    []Ended
	resting  map[ids.TaskID]time.Duration // they wait, but want no offer before that moment
	nextTask int

	waiting    map[Ticket]func(now core.Time) // what follows when a record is durable
	lastTicket Ticket
}

// New returns a core without tasks.
func New(config Config) *Core {
	return &Core{
		config:         config,
		tasks:          make(map[ids.TaskID]*Task),
		intents:        make(map[ids.TaskID]bool),
		promised:       make(map[ids.Role]int),
		leaving:        make(map[ids.TaskID][]Acknowledge),
		resting:        make(map[ids.TaskID]time.Duration),
		waiting:        make(map[Ticket]func(core.Time)),
		link:           link{due: core.Never},
		reconciliation: backoff{due: core.Never},
	}
}

// Step applies one input at one moment and returns what has to happen because of it. The outputs are valid
// until the next call.
func (c *Core) Step(now core.Time, in Input) []Output {
	clear(c.out)
	c.out = c.out[:0]
	switch in := in.(type) {
	case Recovered:
		c.recover(now, in)
	case Run:
		c.run(now, in)
	case Kill:
		c.kill(now, in)
	case Subscribed:
		c.subscribed(now)
	case Closed:
		c.closed(now, in)
	case Offers:
		c.offers(in)
	case Status:
		c.status(now, in)
	case Persisted:
		c.persisted(now, in)
	case Tick:
	}
	c.settle(now)
	return c.out
}

// NextDeadline is the moment, on the monotonic clock, at which a Tick is due; core.Never if none is.
func (c *Core) NextDeadline() time.Duration {
	next := c.link.due
	if c.link.state == linkUp { // nobody can be asked before
		next = min(next, c.reconciliation.due)
	}
	for _, due := range c.resting {
		next = min(next, due)
	}
	return next
}

// settle does what any input may have made possible.
func (c *Core) settle(now core.Time) {
	c.wake(now)
	c.connect(now)
	c.reconcileIfDue(now)
}

// recover takes in what former leaders remembered.
func (c *Core) recover(now core.Time, in Recovered) {
	c.framework = in.Framework
	c.link.known = in.Framework != ""
	slices.SortStableFunc(in.Tasks, func(a, b Task) int { return a.Created.Compare(b.Created) })
	for _, t := range in.Tasks {
		c.put(t)
		c.bytes += len(t.Spec)
	}
	if in.Gone {
		c.tornDown(now)
	}
}

// View is what there is to tell just now.
func (c *Core) View() View {
	v := View{Framework: c.framework, Tasks: make([]Task, 0, len(c.order)), Ended: slices.Clone(c.ended)}
	for _, id := range c.order {
		v.Tasks = append(v.Tasks, *c.tasks[id])
	}
	return v
}

func (c *Core) emit(o Output)                    { c.out = append(c.out, o) }
func (c *Core) notice(text string, attrs ...any) { c.emit(Notice{text, attrs}) }

// persist asks for records to be made durable; then happens when they are.
func (c *Core) persist(then func(now core.Time), records ...Record) {
	c.lastTicket++
	c.waiting[c.lastTicket] = then
	c.emit(Persist{c.lastTicket, records})
}

func (c *Core) persisted(now core.Time, in Persisted) {
	then := c.waiting[in.Ticket]
	delete(c.waiting, in.Ticket)
	if then != nil {
		then(now)
	}
}

// put enters a task, or what it is now.
func (c *Core) put(t Task) {
	if c.tasks[t.ID] == nil {
		c.order = append(c.order, t.ID)
	}
	c.tasks[t.ID] = &t
}

// forget takes a task out of the books for good; then happens when that is durable. What is said of the task
// until then is acknowledged no sooner: the record of a task that is there proves that its end is not.
func (c *Core) forget(t *Task, then func()) {
	c.drop(t.ID)
	c.leaving[t.ID] = nil
	c.persist(func(core.Time) {
		for _, a := range c.leaving[t.ID] {
			c.emit(a)
		}
		delete(c.leaving, t.ID)
		if then != nil {
			then()
		}
	}, DropTask{t.ID})
}

// acknowledge confirms a status, when its task is in nobody's books but the agent's.
func (c *Core) acknowledge(in Status) {
	a := Acknowledge{in.Task, in.Agent, in.UUID}
	if in.UUID == (UUID{}) {
		return
	}
	if held, leaves := c.leaving[in.Task]; leaves {
		c.leaving[in.Task] = append(held, a)
		return
	}
	c.emit(a)
}

// drop takes a task out of the books.
func (c *Core) drop(id ids.TaskID) {
	c.bytes -= len(c.tasks[id].Spec)
	delete(c.tasks, id)
	delete(c.intents, id)
	delete(c.resting, id)
	c.order = slices.DeleteFunc(c.order, func(other ids.TaskID) bool { return other == id })
}

// remember keeps the end of a task that no agent ever had, for those who ask.
func (c *Core) remember(now core.Time, t *Task, state mesos.TaskState, text string) {
	if len(c.ended) == maxEnded {
		c.ended = slices.Delete(c.ended, 0, 1)
	}
	past := *t
	past.Spec = nil
	c.ended = append(c.ended, Ended{Framework: c.framework, Task: past, State: state, Text: text, At: now.Wall})
	c.notice("detached task ended without having been run", "task", t.ID, "state", state, "why", text)
}

func (c *Core) newFrameworkID() ids.FrameworkID {
	c.nextFramework++
	return ids.FrameworkID(fmt.Sprintf("%s-D%d", c.config.MasterID, c.nextFramework-1))
}

func (c *Core) newTaskID() ids.TaskID {
	c.nextTask++
	return ids.TaskID(fmt.Sprintf("run-%d-%d", c.config.Epoch, c.nextTask))
}
