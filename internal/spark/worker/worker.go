package worker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Worker is the state of one.
type Worker struct {
	cfg Config
	out []Output

	// the Master
	master     *endpoint.Ref // the last that had us; nil before the first
	masterUI   string
	dialled    endpoint.Address // where it was reached
	registered bool
	connected  bool
	attempts   int

	// deadlines, core.Never if not set
	retryAt     time.Duration
	retryPeriod time.Duration
	heartbeatAt time.Duration
	cleanupAt   time.Duration

	// what runs
	executors map[ExecutorID]*Executor
	drivers   map[string]*Driver
	finished  map[string]bool // applications that are over but for their executors here

	// what ran
	finishedExecutors []Executor
	finishedDrivers   []Driver

	backlog        []deploy.Message // for the next Master
	retries        []retry
	failures       map[ExecutorID]int // of reports in a row
	decommissioned bool
	stopping       bool // nothing new is taken
	ended          bool // Exit has been said
}

// Executor is one that runs or ran here.
type Executor struct {
	ID     ExecutorID
	Launch deploy.LaunchExecutor
	State  deploy.ExecutorState
}

// Driver is one that runs or ran here.
type Driver struct {
	ID     string
	Launch deploy.LaunchDriver
	State  deploy.DriverState
}

// retry is a report that failed and is made again.
type retry struct {
	at     time.Duration
	report deploy.ExecutorStateChanged
}

// New makes a Worker that waits for Start.
func New(cfg Config) *Worker {
	return &Worker{
		cfg:     cfg.orDefault(),
		retryAt: core.Never, heartbeatAt: core.Never, cleanupAt: core.Never,
		executors: make(map[ExecutorID]*Executor),
		drivers:   make(map[string]*Driver),
		finished:  make(map[string]bool),
		failures:  make(map[ExecutorID]int),
	}
}

// Step takes an input and says what is to be done.
func (w *Worker) Step(now core.Time, in Input) []Output {
	w.out = nil
	switch in := in.(type) {
	case Start:
		w.register(now)
	case Tick:
		w.tick(now)
	case Received:
		if !w.stopping {
			w.received(now, in.Message)
		}
	case Unreadable:
		w.unreadable(in)
	case Disconnected:
		if !w.stopping {
			w.disconnected(now, in)
		}
	case ExecutorChanged:
		w.executorChanged(in)
	case DriverChanged:
		w.driverChanged(in)
	case Reported:
		w.reported(now, in)
	case Decommission:
		w.decommission()
		w.tell(deploy.WorkerDecommissioning{ID: w.cfg.ID, Worker: w.cfg.Self})
	case Stop:
		w.stop()
	}
	return w.out
}

// Deadline is when the next Tick is due.
func (w *Worker) Deadline() time.Duration {
	next := min(w.retryAt, w.heartbeatAt, w.cleanupAt)
	for _, r := range w.retries {
		next = min(next, r.at)
	}
	return next
}

func (w *Worker) do(o Output) { w.out = append(w.out, o) }

func (w *Worker) note(level Level, n Notice, format string, args ...any) {
	n.Level, n.Text = level, fmt.Sprintf(format, args...)
	w.do(n)
}

// masterURL is the URL of the active Master; empty if there has been none.
func (w *Worker) masterURL() string {
	if w.master == nil {
		return ""
	}
	return w.master.Address.URL()
}

func (w *Worker) tick(now core.Time) {
	if now.Mono >= w.retryAt {
		w.registerAgain(now)
	}
	if now.Mono >= w.heartbeatAt {
		w.heartbeatAt = now.Mono + w.cfg.Heartbeat
		if w.connected {
			w.do(Send{To: *w.master, Message: deploy.Heartbeat{WorkerID: w.cfg.ID, Worker: w.cfg.Self}})
		}
	}
	if now.Mono >= w.cleanupAt {
		w.cleanupAt = now.Mono + w.cfg.CleanupInterval
		w.do(CleanWorkDir{Keep: w.living()})
	}
	due := w.retries
	w.retries = nil
	for _, r := range due {
		if now.Mono >= r.at {
			w.tell(r.report)
		} else {
			w.retries = append(w.retries, r)
		}
	}
}

// living names the applications and drivers that run something here.
func (w *Worker) living() []string {
	names := make(map[string]bool)
	for id := range w.executors {
		names[id.App] = true
	}
	for id := range w.drivers {
		names[id] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// tell gives the Master a message, or keeps it until there is one.
func (w *Worker) tell(m deploy.Message) {
	switch {
	case w.master == nil:
		w.note(Warn, Notice{Detail: fmt.Sprintf("%T", m)}, "message dropped: there has been no Master yet")
	case !w.connected:
		w.backlog = append(w.backlog, m)
	default:
		w.deliver(m)
	}
}

func (w *Worker) deliver(m deploy.Message) {
	if report, ok := m.(deploy.ExecutorStateChanged); ok {
		w.do(Report{To: *w.master, Message: report})
		return
	}
	w.do(Send{To: *w.master, Message: m})
}

// tellBacklog tells a new Master what the old one did not hear.
func (w *Worker) tellBacklog() {
	backlog, retries := w.backlog, w.retries
	w.backlog, w.retries = nil, nil
	for _, r := range retries {
		w.deliver(r.report)
	}
	for _, m := range backlog {
		w.deliver(m)
	}
}

// reported makes a report again if it did not arrive, up to a limit: a Master that does not learn of an
// end keeps waiting for the executor, so the Worker rather gives up itself.
func (w *Worker) reported(now core.Time, in Reported) {
	id := ExecutorID{in.Report.AppID, in.Report.ExecID}
	if in.Err == "" {
		delete(w.failures, id)
		return
	}
	w.failures[id]++
	n := Notice{App: id.App, Exec: &id.Exec, Master: w.masterURL(), Detail: in.Err}
	if w.failures[id] >= w.cfg.SyncAttempts {
		w.note(Error, n, "the Master did not take the state %v of an executor in %d attempts: giving up", in.Report.State, w.failures[id])
		w.exit(1, "the Master does not take the state of executors")
		return
	}
	w.note(Error, n, "the Master did not take the state %v of an executor: trying again", in.Report.State)
	at := now.Mono
	if !in.Timeout {
		at += w.cfg.AskTimeout
	}
	w.retries = append(w.retries, retry{at: at, report: in.Report})
}

func (w *Worker) decommission() {
	if !w.cfg.Decommission {
		w.note(Warn, Notice{}, "decommissioning was asked for, but spark.decommission.enabled is off")
		return
	}
	w.note(Info, Notice{}, "decommissioned: no more executors are taken")
	w.decommissioned = true
}

// stop ends what runs; the ends are reported as they come.
func (w *Worker) stop() {
	w.stopping = true
	w.retryAt, w.heartbeatAt, w.cleanupAt = core.Never, core.Never, core.Never
	for _, id := range sortedExecutors(w.executors) {
		w.do(KillExecutor{ID: id})
	}
	for _, id := range slices.Sorted(maps.Keys(w.drivers)) {
		w.do(KillDriver{ID: id})
	}
}

func (w *Worker) exit(code int, why string) {
	if w.ended {
		return
	}
	w.ended = true
	w.stop()
	w.do(Exit{Code: code, Why: why})
}

func sortedExecutors(m map[ExecutorID]*Executor) []ExecutorID {
	return slices.SortedFunc(maps.Keys(m), func(a, b ExecutorID) int {
		if a.App != b.App {
			return strings.Compare(a.App, b.App)
		}
		return a.Exec - b.Exec
	})
}
