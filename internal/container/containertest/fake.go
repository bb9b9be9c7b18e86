// Package containertest says what every container.Supervisor must do ([Run]), and
// has a fake that does it ([Fake]) without starting anything.
package containertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/ledger"
	"github.com/meseta/meseta/internal/core"
)

// Behaviour is what a container does. The zero Behaviour runs until it is killed,
// and ends on SIGTERM.
type Behaviour struct {
	Exit       *container.Status // ends with this at once
	IgnoreTerm bool              // takes no notice of SIGTERM
	Fail       syscall.Errno     // cannot be executed
	Memory     uint64            // bytes it uses; over its limit, it is ended for it
	CPU        time.Duration     // it has used when it is measured
}

// Fake is a supervisor whose containers are pretended: they end when the test says
// so (Finish), when they are killed, or as Behave has it. It makes its decisions
// with the ledger of the real one. The zero value is ready.
//
// It has no goroutine and no clock: time passes by Advance or At, everything a
// call leads to has happened when the call returns, and the same calls give the
// same results. A simulation uses it as a plain value: Launch and Kill never
// block, and Uncollected is Exits without waiting.
type Fake struct {
	// Behave says what a container does; nil is the zero Behaviour for all.
	Behave func(container.Spec) Behaviour
	// FirstPID is the pid of the first container; those of later ones follow.
	FirstPID int

	mu      sync.Mutex
	book    *ledger.Ledger // guarded by mu, as all below
	now     core.Time
	forks   int
	running map[container.ID]*pretended
	answers map[uint64]ledger.Answer
	request uint64
	news    chan struct{} // closed when an exit was published, and replaced
	dead    bool
}

// pretended is a container that runs.
type pretended struct {
	Behaviour
	limits container.Limits
}

var _ container.Supervisor = (*Fake)(nil)

// Launch is container.Supervisor's.
func (f *Fake) Launch(ctx context.Context, spec container.Spec) (container.Started, error) {
	a, err := f.ask(ctx, func(t ledger.Ticket) ledger.Input { return ledger.Launch{Ticket: t, Spec: spec} })
	return a.Started, err
}

// Kill is container.Supervisor's.
func (f *Fake) Kill(ctx context.Context, id container.ID, grace time.Duration) error {
	_, err := f.ask(ctx, func(t ledger.Ticket) ledger.Input { return ledger.Kill{Ticket: t, ID: id, Grace: grace} })
	return err
}

// Limit is container.Supervisor's.
func (f *Fake) Limit(ctx context.Context, id container.ID, limits container.Limits) error {
	_, err := f.ask(ctx, func(t ledger.Ticket) ledger.Input { return ledger.Limit{Ticket: t, ID: id, Limits: limits} })
	return err
}

// Statistics is container.Supervisor's.
func (f *Fake) Statistics(ctx context.Context, ids ...container.ID) ([]container.Statistics, error) {
	a, err := f.ask(ctx, func(t ledger.Ticket) ledger.Input { return ledger.Measure{Ticket: t, IDs: ids} })
	return a.Statistics, err
}

// List is container.Supervisor's.
func (f *Fake) List(ctx context.Context) ([]container.Info, error) {
	a, err := f.ask(ctx, func(t ledger.Ticket) ledger.Input { return ledger.List{Ticket: t} })
	return a.List, err
}

// Collect is container.Supervisor's.
func (f *Fake) Collect(ctx context.Context, ids ...container.ID) error {
	_, err := f.ask(ctx, func(t ledger.Ticket) ledger.Input { return ledger.Collect{Ticket: t, IDs: ids} })
	return err
}

// Exits is container.Supervisor's.
func (f *Fake) Exits(ctx context.Context) iter.Seq2[container.Exit, error] {
	return func(yield func(container.Exit, error) bool) {
		seen := map[container.ID]bool{}
		for {
			exits, news, err := f.unseen(seen)
			for _, exit := range exits {
				if !yield(exit, nil) {
					return
				}
			}
			if err == nil && len(exits) == 0 {
				select {
				case <-news:
				case <-ctx.Done():
					err = context.Cause(ctx)
				}
			}
			if err != nil {
				yield(container.Exit{}, err)
				return
			}
		}
	}
}

// unseen returns the uncollected exits that are not in seen, and puts them there.
func (f *Fake) unseen(seen map[container.ID]bool) (exits []container.Exit, news <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init()
	if f.dead {
		return nil, nil, container.ErrUnavailable
	}
	for _, exit := range f.book.Uncollected() {
		if !seen[exit.ID] {
			seen[exit.ID] = true
			exits = append(exits, exit)
		}
	}
	return exits, f.news, nil
}

// Uncollected lists the exits that nobody has collected.
func (f *Fake) Uncollected() []container.Exit {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init()
	return f.book.Uncollected()
}

// Finish ends the main process of a running container with a status.
func (f *Fake) Finish(id container.ID, status container.Status) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init()
	if _, ok := f.running[id]; !ok {
		return fmt.Errorf("finishing container %q, which does not run", id)
	}
	f.step(f.ended(id, status))
	return nil
}

// Use sets what a running container uses. Over its memory limit, that ends it.
func (f *Fake) Use(id container.ID, memory uint64, cpu time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init()
	p, ok := f.running[id]
	if !ok {
		return fmt.Errorf("container %q does not run and uses nothing", id)
	}
	p.Memory, p.CPU = memory, cpu
	for _, in := range f.overLimit(id, p) {
		f.step(in)
	}
	return nil
}

// Running reports whether a container runs.
func (f *Fake) Running(id container.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.running[id]
	return ok
}

// At sets the time, which must not go back, and lets deadlines fall due.
func (f *Fake) At(now core.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init()
	f.now = now
	f.step(ledger.Tick{})
}

// Advance lets time pass.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	now := f.now
	f.mu.Unlock()
	f.At(now.Add(d))
}

// NextDeadline is the moment for which it waits to kill something, or core.Never.
func (f *Fake) NextDeadline() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init()
	return f.book.NextDeadline()
}

// Die ends the supervisor and everything it ran, as kill -9 and a call of
// supervisor.EndAll do together, and returns what EndAll does. Afterwards the Fake
// answers nothing.
func (f *Fake) Die() []container.Exit {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init()
	var exits []container.Exit
	for _, info := range f.book.Snapshot() {
		switch {
		case info.Exit != nil:
			exits = append(exits, *info.Exit)
		case info.State.Live():
			exits = append(exits, container.Exit{ID: info.ID, Reason: container.ReasonLost, At: f.now.Wall})
		}
	}
	f.dead = true
	clear(f.running)
	close(f.news)
	f.news = make(chan struct{})
	return exits
}

func (f *Fake) init() {
	if f.book != nil {
		return
	}
	f.book = ledger.New(0)
	f.running = map[container.ID]*pretended{}
	f.answers = map[uint64]ledger.Answer{}
	f.news = make(chan struct{})
	if f.FirstPID == 0 {
		f.FirstPID = 1000
	}
}

func (f *Fake) ask(ctx context.Context, request func(ledger.Ticket) ledger.Input) (ledger.Answer, error) {
	if ctx.Err() != nil {
		return ledger.Answer{}, context.Cause(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init()
	if f.dead {
		return ledger.Answer{}, container.ErrUnavailable
	}
	f.request++
	t := ledger.Ticket{Request: f.request}
	f.step(request(t))
	a, ok := f.answers[t.Request]
	if !ok {
		return ledger.Answer{}, errors.New("the ledger did not answer")
	}
	delete(f.answers, t.Request)
	return a, a.Err
}

// step feeds the ledger until nothing follows from anything any more.
func (f *Fake) step(in ledger.Input) {
	for queue := []ledger.Input{in}; len(queue) > 0; queue = queue[1:] {
		for _, out := range f.book.Step(f.now, queue[0]) {
			queue = append(queue, f.perform(out)...)
		}
	}
}

// perform pretends to do what the ledger wants, and says what came of it.
func (f *Fake) perform(out ledger.Output) []ledger.Input {
	switch out := out.(type) {
	case ledger.Fork:
		return f.fork(out.Spec)
	case ledger.Terminate:
		if b, ok := f.running[out.ID]; ok && !b.IgnoreTerm {
			return []ledger.Input{f.ended(out.ID, container.SignalStatus(syscall.SIGTERM))}
		}
	case ledger.Destroy:
		if _, ok := f.running[out.ID]; ok {
			return []ledger.Input{f.ended(out.ID, container.SignalStatus(syscall.SIGKILL))}
		}
		return []ledger.Input{ledger.Vacant{ID: out.ID}}
	case ledger.Enforce:
		return []ledger.Input{ledger.Served{Ticket: out.Ticket, Err: f.enforce(out)}}
	case ledger.Survey:
		return []ledger.Input{ledger.Served{Ticket: out.Ticket, Statistics: f.survey(out.IDs)}}
	case ledger.Answer:
		f.answers[out.Ticket.Request] = out
	case ledger.Publish:
		close(f.news)
		f.news = make(chan struct{})
	}
	return nil
}

func (f *Fake) fork(spec container.Spec) []ledger.Input {
	var b Behaviour
	if f.Behave != nil {
		b = f.Behave(spec)
	}
	if b.Fail != 0 {
		return []ledger.Input{ledger.ForkFailed{Err: &container.LaunchError{
			ID: spec.ID, Stage: container.StageExec, Errno: b.Fail, What: cmp.Or(spec.Program, spec.Argv[0])}}}
	}
	started := container.Started{PID: f.FirstPID + f.forks, StartTime: uint64(f.now.Mono / (10 * time.Millisecond)), At: f.now.Wall}
	f.forks++
	p := &pretended{b, spec.Limits}
	f.running[spec.ID] = p
	inputs := append([]ledger.Input{ledger.Forked{ID: spec.ID, Started: started}}, f.overLimit(spec.ID, p)...)
	if b.Exit != nil && len(inputs) == 1 {
		inputs = append(inputs, f.ended(spec.ID, *b.Exit))
	}
	return inputs
}

// overLimit ends a container that uses more memory than it may.
func (f *Fake) overLimit(id container.ID, p *pretended) []ledger.Input {
	limit := p.limits.MemoryBytes
	if limit == 0 || p.Memory <= limit {
		return nil
	}
	in := f.ended(id, container.SignalStatus(syscall.SIGKILL)).(ledger.MainEnded)
	in.OutOfMemory = &container.OutOfMemory{Limit: limit, Peak: limit}
	return []ledger.Input{in}
}

// enforce gives a container its new limits, except for a memory limit that it is
// over already.
func (f *Fake) enforce(e ledger.Enforce) error {
	p := f.running[e.ID]
	if p == nil {
		return nil
	}
	if limit := e.Limits.MemoryBytes; limit != 0 && p.Memory > limit {
		e.Limits.MemoryBytes = p.limits.MemoryBytes
		p.limits = e.Limits
		return fmt.Errorf("container %q uses %d bytes of memory, which cannot be limited to %d", e.ID, p.Memory, limit)
	}
	p.limits = e.Limits
	return nil
}

func (f *Fake) survey(ids []container.ID) (measured []container.Statistics) {
	for _, id := range ids {
		if p := f.running[id]; p != nil {
			measured = append(measured, container.Statistics{
				ID: id, At: f.now.Wall, CPUUser: p.CPU, Memory: p.Memory, MemoryAnonymous: p.Memory,
				Processes: 1, Threads: 1, Limits: p.limits,
			})
		}
	}
	return measured
}

func (f *Fake) ended(id container.ID, status container.Status) ledger.Input {
	delete(f.running, id)
	return ledger.MainEnded{ID: id, Status: status, Vacant: true}
}
