package node

import (
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

// Node is the state of one agent. One goroutine at a time may use it.
type Node struct {
	config Config

	identity   IdentityRecord
	frameworks map[ids.FrameworkID]*framework
	containers map[ids.ContainerID]*executor // from the launch until the recorded end
	streams    map[StreamID]*executor
	history    history
	link       link
	commits    commits
	timers     timers

	live      bool                        // the replay is over
	replayed  map[replayedStatus]struct{} // while it lasts, to know repetitions
	noRoom    string                      // why the disk takes no more work
	ending    *ending                     // everything is to end
	described int                         // bytes that describe all that lives here
	crowd     int                         // executors that start, and statuses that are owed
	created   uint64                      // entities so far; gives them a defined order
	serial    uint64                      // uuids so far

	// of the Step under way
	now     core.Time
	out     []Output
	changed []*executor // of which the demand did
}

// New gives a core that waits for Replayed records and then for Recovered.
func New(config Config) *Node {
	return &Node{
		config:     config.withDefaults(),
		frameworks: make(map[ids.FrameworkID]*framework),
		containers: make(map[ids.ContainerID]*executor),
		streams:    make(map[StreamID]*executor),
		replayed:   make(map[replayedStatus]struct{}),
	}
}

// Step applies one input at one moment and returns what has to happen because of it. What it returns is
// valid until the next Step.
func (n *Node) Step(now core.Time, in Input) []Output {
	n.now = now
	clear(n.out)
	n.out = n.out[:0]
	switch in := in.(type) {
	case Replayed:
		n.replay(in.Record)
	case Recovered:
		n.recovered(in)
	case Persisted:
		n.safe(in.Ticket, durable)
	case Written:
		n.safe(in.Ticket, written)
	case PersistFailed:
		n.persistFailed(in)
	case DiskRoom:
		n.diskRoom(in)
	case Tick: // the timers ring below, whatever came in
	case Accepting:
		n.accepting()
	case EndAll:
		n.endAll("")
	case LinkOpened:
		n.linkOpened(in)
	case LinkClosed:
		n.linkClosed(in)
	case FromMaster:
		n.fromMaster(in)
	case ExecutorSubscribes:
		n.executorSubscribes(in)
	case ExecutorUpdates:
		n.executorUpdates(in)
	case ExecutorSends:
		n.executorSends(in)
	case ExecutorBeats:
		n.executorBeats(in)
	case StreamClosed:
		n.streamClosed(in)
	case ContainerStarted:
		n.containerStarted(in)
	case ContainerStartFailed:
		n.containerStartFailed(in)
	case ContainerEnded:
		n.containerEnded(in)
	case DiskUsed:
		n.diskUsed(in)
	}
	n.timers.ring(n)
	n.limitChanged()
	n.sealCommit()
	n.sayWhenAllEnded()
	return n.out
}

// NextDeadline is when a Tick is due at the latest, on the clock of core.Time.Mono; core.Never if none is.
func (n *Node) NextDeadline() time.Duration {
	return min(n.timers.next(), n.commits.next())
}

// Identity is what is known of the agent's place in a cluster.
func (n *Node) Identity() IdentityRecord { return n.identity }

func (n *Node) emit(out Output) { n.out = append(n.out, out) }

// newUUID counts up from the seed; version and variant are those of a random UUID.
func (n *Node) newUUID() UUID {
	n.serial++
	u := n.config.Seed
	for i, carry := 15, n.serial; carry > 0 && i >= 0; i-- {
		carry += uint64(u[i])
		u[i] = byte(carry)
		carry >>= 8
	}
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// nextCreated numbers an entity.
func (n *Node) nextCreated() uint64 {
	n.created++
	return n.created
}

// ending is the end of everything that runs, on its way.
type ending struct {
	reason string // why the cluster has given the agent up; empty if it has not
	said   bool
}

// endAll ends every task and executor.
func (n *Node) endAll(reason string) {
	if n.ending != nil {
		return
	}
	n.ending = &ending{reason: reason}
	for _, f := range n.orderedFrameworks() {
		n.endExecutors(f)
	}
}

// sayWhenAllEnded answers EndAll once nothing runs and all of that is recorded, as far as the log works.
func (n *Node) sayWhenAllEnded() {
	if n.ending == nil || n.ending.said {
		return
	}
	if n.commits.broken == "" && !n.commits.settled() {
		return
	}
	for _, e := range n.containers {
		neverBegins := n.commits.broken != "" && !e.launched
		if e.state != executorGone && !neverBegins {
			return
		}
	}
	if n.ending.reason != "" && n.identity.Agent != "" && n.commits.broken == "" {
		n.beginAnew()
		return // until that is durable
	}
	n.ending.said = true
	if n.ending.reason == "" {
		n.tell(AgentLeaves{})
	}
	n.emit(AllEnded{Reason: n.ending.reason})
}

// beginAnew forgets who the agent was: the next one that starts here is another.
func (n *Node) beginAnew() {
	for _, f := range n.orderedFrameworks() {
		n.record(FrameworkGone{Framework: f.ID})
		n.forgetFramework(f)
	}
	n.identity = IdentityRecord{Boot: n.config.Boot}
	n.record(n.identity)
	n.sealCommit()
}
