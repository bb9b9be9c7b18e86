package sim

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/sim/agenda"
	"github.com/meseta/meseta/internal/sim/keep"
)

// Options say which run it is to be.
type Options struct {
	Seed   uint64
	Bug    Bug
	Record bool // write the history
}

// Result is what became of a run.
type Result struct {
	Seed    uint64
	Err     error // the promise that was broken first
	Counts  Counts
	Tasks   int           // launched by schedulers
	Steps   int           // of all cores
	Lasted  time.Duration // in virtual time
	Settled time.Duration // from the last fault until everything agreed
	Emptied time.Duration // from the last teardown until nothing was left
	Print   uint64        // equal for equal runs
	History []string      // if it was recorded, and something failed: the end of it
}

// phase is a part of a run.
type phase int

const (
	noisy phase = iota
	quiet
	closing
)

// World is one run.
type World struct {
	rng    *rand.Rand
	now    time.Duration
	agenda agenda.Agenda[event]

	phase    phase
	climate  climate
	faults   faults
	bugs     bugs
	truth    truth
	net      network
	registry keep.Registry
	master   *master
	hosts    []*host
	tenants  []*tenant
	launched int

	counts    Counts
	steps     int
	print     uint64
	busy      int // events at the present moment
	failure   error
	recording bool
	history   []string
}

// Run lives through the world of a seed.
func Run(opts Options) Result {
	w := &World{
		rng:       rand.New(rand.NewPCG(opts.Seed, 0x6d6573657461)),
		counts:    make(Counts),
		net:       network{cut: make(map[way]int)},
		recording: opts.Record,
	}
	w.faults = faults{w: w, strikes: allStrikes()}
	w.bugs = bugs{w: w, bug: opts.Bug}
	w.truth = newTruth(w)
	w.climate = w.newClimate()
	result := Result{Seed: opts.Seed}
	w.live(&result)
	result.Err, result.Counts, result.Tasks, result.Steps = w.failure, w.counts, w.launched, w.steps
	result.Lasted, result.Print, result.History = w.now, w.print, w.history
	return result
}

// minTasks is how many tasks a world has to have seen.
const minTasks = 100

// live is the three phases.
func (w *World) live(result *Result) {
	w.startMaster()
	for n := range w.climate.hosts {
		h := w.newHost(n)
		w.hosts = append(w.hosts, h)
		w.startAgent(h)
	}
	for range w.climate.tenants {
		t := w.newTenant()
		w.schedule(nil, w.between(0, 10*time.Second), t.startScheduler)
	}
	w.schedule(nil, 5*time.Second, w.faults.storm)
	w.runUntil(w.climate.noise)
	for w.launched < minTasks && w.failure == nil && w.now < 6*w.climate.noise {
		w.climate.calm += w.climate.calm / 4 // in so much noise nothing can be done
		w.runUntil(w.now + 30*time.Second)
	}
	if w.launched < minTasks {
		w.fail("only %d tasks were launched in %s", w.launched, w.now)
	}
	w.logf("world", "faults stop")
	w.phase = quiet
	w.faults.calm()
	w.askForAll()
	result.Settled = w.settle(settleTime, w.disagreements)
	if w.failure != nil {
		return
	}
	w.logf("world", "everything is torn down")
	w.phase = closing
	for _, t := range w.tenants {
		if !t.ended && !t.scheduler.dead {
			t.scheduler.tearDown()
		}
	}
	result.Emptied = w.settle(endTime, w.leftovers)
}

// askForAll has schedulers ask for everything again and again, as a careful one would.
func (w *World) askForAll() {
	w.schedule(nil, 20*time.Second, func() {
		if w.phase != quiet {
			return
		}
		for _, t := range w.tenants {
			if t.scheduler != nil && !t.scheduler.dead {
				t.scheduler.askForAll()
			}
		}
		w.askForAll()
	})
}

// maxAtOnce is how many events may happen at one moment. More means that two parts keep each other busy.
const maxAtOnce = 10_000

// event is something that will happen. Nothing happens to a process that has died before.
type event struct {
	owner *process
	do    func()
}

// runUntil lets everything happen up to a moment.
func (w *World) runUntil(end time.Duration) {
	for !w.agenda.Empty() && w.failure == nil && w.agenda.Next() <= end {
		at, e := w.agenda.Take()
		if e.owner != nil && e.owner.dead {
			continue
		}
		if w.busy++; at > w.now {
			w.now, w.busy = at, 0
		} else if w.busy > maxAtOnce {
			w.fail("time stands still")
			return
		}
		e.do()
	}
	w.now = max(w.now, end)
}

// schedule has something happen a while later. What has an owner happens only if that lives then.
func (w *World) schedule(owner *process, d time.Duration, do func()) {
	w.agenda.Put(w.now+max(0, d), event{owner: owner, do: do})
}

// stepped counts a step of a core, and folds it into what tells runs apart.
func (w *World) stepped() {
	w.steps++
	w.print = (w.print ^ uint64(w.now)) * 0x100000001b3
}

func (w *World) count(k Kind) { w.counts[k]++ }

// fail notes the first promise that was broken.
func (w *World) fail(format string, args ...any) {
	if w.failure == nil {
		w.failure = fmt.Errorf("at %s: %w", w.now, errors.New(fmt.Sprintf(format, args...)))
		w.logf("world", "BROKEN: "+format, args...)
	}
}

// logf writes history.
func (w *World) logf(who, format string, args ...any) {
	if w.recording {
		w.history = append(w.history, fmt.Sprintf("%12.6f %-18s %s", w.now.Seconds(), who, fmt.Sprintf(format, args...)))
	}
}

// ---- chance

// between is a duration in [from, to).
func (w *World) between(from, to time.Duration) time.Duration {
	if to <= from {
		return from
	}
	return from + time.Duration(w.rng.Int64N(int64(to-from)))
}

// chance is true in so many cases of a hundred.
func (w *World) chance(percent int) bool { return w.rng.IntN(100) < percent }

// uuid is a new random UUID.
func (w *World) uuid() (u [16]byte) {
	for i := 0; i < 16; i += 8 {
		n := w.rng.Uint64()
		for j := range 8 {
			u[i+j] = byte(n >> (8 * j))
		}
	}
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
