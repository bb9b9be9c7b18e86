package sim

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The flags have twins in the environment, for runs of more than this package.
var (
	oneSeed   = flag.Uint64("sim.seed", fromEnvironment("SIM_SEED", 0), "run this seed only, and print its whole history")
	howMany   = flag.Uint64("sim.seeds", fromEnvironment("SIM_SEEDS", 200), "how many seeds to run")
	firstSeed = flag.Uint64("sim.first", fromEnvironment("SIM_FIRST", 1), "the first of them")
)

func fromEnvironment(name string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return otherwise
}

// TestSeeds lives through many worlds. Each keeps every promise, and together they have seen every kind of
// fault and of event.
func TestSeeds(t *testing.T) {
	if *oneSeed != 0 {
		replay(t, *oneSeed)
		return
	}
	var total tally
	t.Run("all", func(t *testing.T) {
		for seed := *firstSeed; seed < *firstSeed+*howMany; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				r := Run(Options{Seed: seed})
				if r.Err != nil {
					t.Error(explain(r, 100))
				} else if r.Lasted < 10*time.Minute || r.Tasks < 100 {
					t.Errorf("it lasted %s and had %d tasks: expected 10 minutes and 100 tasks at least", r.Lasted, r.Tasks)
				}
				total.add(r)
			})
		}
	})
	t.Log(total.String())
	for _, k := range total.missing() {
		t.Errorf("in %d seeds this never happened: %s", *howMany, k)
	}
}

// replay runs one seed and prints everything.
func replay(t *testing.T, seed uint64) {
	r := Run(Options{Seed: seed, Record: true})
	fmt.Println(strings.Join(r.History, "\n"))
	t.Logf("seed %d: %d tasks, %d steps, %s, settled after %s, empty after %s", seed, r.Tasks, r.Steps, r.Lasted, r.Settled, r.Emptied)
	if r.Err != nil {
		t.Error(r.Err)
	}
}

// explain runs a seed that failed once more and tells the end of its history.
func explain(r Result, lines int) string {
	again := Run(Options{Seed: r.Seed, Record: true})
	if again.Print != r.Print {
		return fmt.Sprintf("seed %d: %v\nand, worse, its second run went another way: %v", r.Seed, r.Err, again.Err)
	}
	history := again.History[max(0, len(again.History)-lines):]
	return fmt.Sprintf("seed %d: %v\nto see all of it: go test ./internal/sim -run TestSeeds -sim.seed %d\nthe end of it:\n%s",
		r.Seed, r.Err, r.Seed, strings.Join(history, "\n"))
}

// tally sums up runs.
type tally struct {
	mu      sync.Mutex
	runs    int
	tasks   int
	steps   int
	lasted  time.Duration
	settled time.Duration // the longest
	emptied time.Duration // the longest
	counts  Counts
}

func (a *tally) add(r Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.counts == nil {
		a.counts = make(Counts)
	}
	a.runs++
	a.tasks += r.Tasks
	a.steps += r.Steps
	a.lasted += r.Lasted
	a.settled = max(a.settled, r.Settled)
	a.emptied = max(a.emptied, r.Emptied)
	for k, n := range r.Counts {
		a.counts[k] += n
	}
}

func (a *tally) missing() (kinds []Kind) {
	for _, all := range [][]Kind{Faults, Events} {
		for _, k := range all {
			if a.counts[k] == 0 {
				kinds = append(kinds, k)
			}
		}
	}
	return kinds
}

// String lists what happened.
func (a *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d worlds, %d tasks, %d steps, %s in all; settled within %s, empty within %s\n",
		a.runs, a.tasks, a.steps, a.lasted.Round(time.Second), a.settled, a.emptied)
	list := func(title string, kinds []Kind) {
		fmt.Fprintf(&b, "%s:\n", title)
		for _, k := range kinds {
			fmt.Fprintf(&b, "  %8d  %s\n", a.counts[k], k)
		}
	}
	list("faults", Faults)
	list("events", Events)
	return b.String()
}

// TestSameSeedSameRun is what replaying rests on.
func TestSameSeedSameRun(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		first, second := Run(Options{Seed: seed}), Run(Options{Seed: seed, Record: true})
		if first.Print != second.Print || first.Steps != second.Steps {
			t.Errorf("seed %d: %d steps and then %d, print %x and then %x", seed, first.Steps, second.Steps, first.Print, second.Print)
		}
	}
}

// TestPlantedBugsAreCaught shows that the promises notice what they are there for.
func TestPlantedBugsAreCaught(t *testing.T) {
	const within = 10 // seeds
	for bug := NoBug + 1; int(bug) < len(bugNames); bug++ {
		t.Run(bug.String(), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= within; seed++ {
				if r := Run(Options{Seed: seed, Bug: bug}); r.Err != nil {
					t.Logf("caught by seed %d: %v", seed, r.Err)
					return
				}
			}
			t.Errorf("not caught within %d seeds", within)
		})
	}
}

// TestMain gives the collector rest: worlds are small and short.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
