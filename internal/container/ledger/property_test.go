package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/ledger"
	"github.com/meseta/meseta/internal/core"
)

// world is a shell that carries outputs out in any order it likes, and notes what
// must not happen.
type world struct {
	t        *rapid.T
	l        *ledger.Ledger
	now      core.Time
	request  uint64
	asked    map[uint64]bool // requests without an answer
	served   []ledger.Ticket // enforced or surveyed, and not told
	forking  []container.ID
	running  []container.ID
	dying    map[container.ID]bool // being destroyed
	vacated  map[container.ID]bool // was found empty before its main process was reaped
	told     map[container.ID]bool // forked and not published
	uncoll   []container.ID
	stopping bool
	stopped  bool
}

func (w *world) step(in ledger.Input) {
	for _, out := range w.l.Step(w.now, in) {
		switch out := out.(type) {
		case ledger.Fork:
			if w.told[out.Spec.ID] {
				w.t.Fatalf("%s is forked again", out.Spec.ID)
			}
			w.forking = append(w.forking, out.Spec.ID)
		case ledger.Destroy:
			w.dying[out.ID] = true
		case ledger.Enforce:
			w.served = append(w.served, out.Ticket)
		case ledger.Survey:
			w.served = append(w.served, out.Ticket)
		case ledger.Answer:
			w.answered(out.Ticket)
		case ledger.Replay:
			w.answered(out.Ticket)
			if got, want := fmt.Sprint(ids(out.Exits)), fmt.Sprint(w.uncoll); got != want {
				w.t.Fatalf("replayed %s, uncollected are %s", got, want)
			}
		case ledger.Publish:
			if !w.told[out.Exit.ID] {
				w.t.Fatalf("%s is published but did not run", out.Exit.ID)
			}
			delete(w.told, out.Exit.ID)
			w.uncoll = append(w.uncoll, out.Exit.ID)
		case ledger.Stopped:
			if w.l.Live() != 0 {
				w.t.Fatalf("stopped with %d live", w.l.Live())
			}
			w.stopped = true
		}
	}
	if d := w.l.NextDeadline(); d <= w.now.Mono {
		w.t.Fatalf("deadline %v is not after now, %v", d, w.now.Mono)
	}
	if live := len(w.forking) + len(w.told); w.l.Live() != live {
		w.t.Fatalf("%d live, expected %d", w.l.Live(), live)
	}
}

func ids(exits []container.Exit) []container.ID {
	list := []container.ID{}
	for _, exit := range exits {
		list = append(list, exit.ID)
	}
	return list
}

func (w *world) ticket() ledger.Ticket {
	w.request++
	w.asked[w.request] = true
	return ledger.Ticket{Request: w.request}
}

func (w *world) answered(t ledger.Ticket) {
	if !w.asked[t.Request] {
		w.t.Fatalf("request %d is answered twice or was never made", t.Request)
	}
	delete(w.asked, t.Request)
}

func (w *world) take(list *[]container.ID) container.ID {
	i := rapid.IntRange(0, len(*list)-1).Draw(w.t, "which")
	id := (*list)[i]
	*list = append((*list)[:i:i], (*list)[i+1:]...)
	return id
}

func TestWhateverHappensTheBooksAreRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, l: ledger.New(0), asked: map[uint64]bool{}, dying: map[container.ID]bool{}, vacated: map[container.ID]bool{}, told: map[container.ID]bool{}, uncoll: []container.ID{}}
		anyID := rapid.Map(rapid.IntRange(0, 5), func(i int) container.ID { return container.ID(fmt.Sprint("c", i)) })
		grace := rapid.Map(rapid.IntRange(0, 5), func(i int) time.Duration { return time.Duration(i) * time.Second })
		ended := map[container.ID]bool{} // main process gone, set not vacant
		t.Repeat(map[string]func(*rapid.T){
			"launch": func(t *rapid.T) {
				in := launch(0, anyID.Draw(t, "id"))
				in.Ticket = w.ticket()
				w.step(in)
			},
			"kill": func(t *rapid.T) {
				w.step(ledger.Kill{Ticket: w.ticket(), ID: anyID.Draw(t, "id"), Grace: grace.Draw(t, "grace")})
			},
			"fork": func(t *rapid.T) {
				if len(w.forking) == 0 {
					t.Skip()
				}
				id := w.take(&w.forking)
				if rapid.Bool().Draw(t, "fails") {
					w.step(ledger.ForkFailed{Err: &container.LaunchError{ID: id}})
					return
				}
				w.told[id] = true
				delete(w.vacated, id)
				w.running = append(w.running, id)
				w.step(forked(id, 1))
			},
			"end": func(t *rapid.T) {
				if len(w.running) == 0 {
					t.Skip()
				}
				id := w.take(&w.running)
				vacant := rapid.Bool().Draw(t, "vacant")
				ended[id] = !vacant
				w.step(ledger.MainEnded{ID: id, Vacant: vacant})
			},
			"vacate": func(t *rapid.T) {
				id := anyID.Draw(t, "id")
				if !w.dying[id] {
					t.Skip()
				}
				delete(w.dying, id)
				w.vacated[id] = true
				if ended[id] {
					delete(ended, id)
				}
				w.step(ledger.Vacant{ID: id})
			},
			"collect": func(t *rapid.T) {
				id := anyID.Draw(t, "id")
				for i, have := range w.uncoll {
					if have == id {
						w.uncoll = append(w.uncoll[:i:i], w.uncoll[i+1:]...)
						break
					}
				}
				w.step(ledger.Collect{Ticket: w.ticket(), IDs: []container.ID{id}})
			},
			"limit":   func(t *rapid.T) { w.step(ledger.Limit{Ticket: w.ticket(), ID: anyID.Draw(t, "id")}) },
			"measure": func(t *rapid.T) { w.step(ledger.Measure{Ticket: w.ticket()}) },
			"serve":   func(t *rapid.T) { w.serve() },
			"run out of memory": func(t *rapid.T) {
				w.step(ledger.OutOfMemory{ID: anyID.Draw(t, "id")})
			},
			"watch": func(t *rapid.T) { w.step(ledger.Watch{Ticket: w.ticket()}) },
			"pass": func(t *rapid.T) {
				w.now = w.now.Add(grace.Draw(t, "time"))
				w.step(ledger.Tick{})
			},
		})
		w.windUp(ended)
	})
}

// serve tells that everything to be enforced and measured so far was.
func (w *world) serve() {
	served := w.served
	w.served = nil
	for _, t := range served {
		w.step(ledger.Served{Ticket: t})
	}
}

// windUp stops, lets everything end that has to, and expects nothing to be left
// open.
func (w *world) windUp(ended map[container.ID]bool) {
	w.step(ledger.Stop{Grace: time.Second})
	for len(w.forking) > 0 {
		id := w.forking[0]
		w.forking = w.forking[1:]
		w.told[id] = true
		w.running = append(w.running, id)
		w.step(forked(id, 1))
	}
	w.now = w.now.Add(time.Second)
	w.step(ledger.Tick{})
	for _, id := range w.running {
		if !w.dying[id] && !w.vacated[id] {
			w.t.Fatalf("%s is not destroyed after the grace", id)
		}
		w.step(ledger.MainEnded{ID: id, Vacant: true})
	}
	for id, open := range ended {
		if open {
			w.step(ledger.Vacant{ID: id})
		}
	}
	w.serve()
	if !w.stopped || len(w.asked) != 0 || len(w.told) != 0 {
		w.t.Fatalf("stopped: %v, unanswered %v, unpublished %v", w.stopped, w.asked, w.told)
	}
}
