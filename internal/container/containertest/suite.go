package containertest

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
)

// Subject is a supervisor under test and what the tests need to know of it.
type Subject struct {
	container.Supervisor

	// Spec makes a container that behaves in a certain way.
	Spec func(id container.ID, does Behaviour) container.Spec
	// Ready returns once a launched container behaves as it should: a process needs
	// a moment until it ignores a signal. Nil is at once.
	Ready func(id container.ID)
	// Pass lets time pass, where it does not pass by itself.
	Pass func(d time.Duration)
}

// patience is how long anything may take on a busy machine.
const patience = 20 * time.Second

// Run checks that supervisors do what container.Supervisor says. make is called
// for each test and gives an empty one. enforced says that this machine enforces
// limits.
func Run(t *testing.T, enforced bool, make func(t *testing.T) Subject) {
	for _, test := range []struct {
		name    string
		run     func(t *testing.T, s *subject)
		bounded bool // only where limits are enforced
	}{
		{"an exit code arrives", exitCodeArrives, false},
		{"a signal arrives", signalArrives, false},
		{"a repeated launch gives the first answer", repeatedLaunch, false},
		{"a program that is missing is a launch error", missingProgram, false},
		{"an invalid spec is refused", invalidSpec, false},
		{"kill ends with SIGTERM what heeds it", killByTerm, false},
		{"kill ends with SIGKILL what ignores SIGTERM, after the grace", killByForce, false},
		{"kill without grace is SIGKILL", killAtOnce, false},
		{"a second kill brings the deadline forward", killSooner, false},
		{"a second kill does not put the deadline off", killNotLater, false},
		{"kill of what is unknown says so, of what ended does nothing", killWhatIsNot, false},
		{"exits come to every reader until collected", exitsUntilCollected, false},
		{"exits come in the order of the ends", exitsInOrder, false},
		{"what runs is not collected", runningNotCollected, false},
		{"list tells the states in the order of launches", listStates, false},
		{"the program need not be what it is told to be called", programApart, false},
		{"limits of what is unknown or has ended", limitWhatIsNot, false},
		{"what runs is measured", measureWhatRuns, true},
		{"more memory than the limit ends a container", outOfMemory, true},
		{"a container killed while out of memory was out of memory", outOfMemoryWhenKilled, true},
		{"limits grow and shrink", limitsChange, true},
		{"a container is not bounded to less memory than it uses", limitBelowUse, true},
		{"the end of its context ends a reader of exits", exitsEnd, false},
	} {
		if test.bounded && !enforced {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("nothing came for "+patience.String()))
			defer cancel()
			test.run(t, &subject{Subject: make(t), t: t, ctx: ctx})
		})
	}
}

// subject has the steps that tests are made of.
type subject struct {
	Subject
	t   *testing.T
	ctx context.Context
}

func (s *subject) launch(id container.ID, does Behaviour) container.Started {
	s.t.Helper()
	started, err := s.Launch(s.ctx, s.Spec(id, does))
	if err != nil {
		s.t.Fatalf("launching %s: %v", id, err)
	}
	if started.PID <= 0 {
		s.t.Fatalf("launching %s: pid %d", id, started.PID)
	}
	if does.Exit == nil {
		s.ready(id)
	}
	return started
}

func (s *subject) ready(id container.ID) {
	if s.Ready != nil {
		s.Ready(id)
	}
}

func (s *subject) kill(id container.ID, grace time.Duration) {
	s.t.Helper()
	if err := s.Kill(s.ctx, id, grace); err != nil {
		s.t.Fatalf("killing %s: %v", id, err)
	}
}

// exits reads n exits.
func (s *subject) exits(n int) []container.Exit {
	s.t.Helper()
	var exits []container.Exit
	for exit, err := range s.Exits(s.ctx) {
		if err != nil {
			s.t.Fatalf("after %d of %d exits: %v", len(exits), n, err)
		}
		if exits = append(exits, exit); len(exits) == n {
			break
		}
	}
	return exits
}

// exit reads the one exit there is, and expects it to be thus.
func (s *subject) exit(id container.ID, status container.Status, reason container.Reason) {
	s.t.Helper()
	exit := s.exits(1)[0]
	if exit.ID != id || exit.Status != status || exit.Reason != reason {
		s.t.Errorf("exit of %s: %v, %v; expected %s: %v, %v", exit.ID, exit.Status, exit.Reason, id, status, reason)
	}
}

func (s *subject) collect(ids ...container.ID) {
	s.t.Helper()
	if err := s.Collect(s.ctx, ids...); err != nil {
		s.t.Fatalf("collecting %v: %v", ids, err)
	}
}

// states lists id and state of everything.
func (s *subject) states() map[container.ID]container.State {
	s.t.Helper()
	states := map[container.ID]container.State{}
	for _, info := range s.list() {
		states[info.ID] = info.State
	}
	return states
}

func (s *subject) list() []container.Info {
	s.t.Helper()
	infos, err := s.List(s.ctx)
	if err != nil {
		s.t.Fatalf("list: %v", err)
	}
	return infos
}

var (
	runs     = Behaviour{}
	stubborn = Behaviour{IgnoreTerm: true}
	missing  = Behaviour{Fail: syscall.ENOENT}
)

func exits(code int) Behaviour { return Behaviour{Exit: new(container.ExitStatus(code))} }

func exitCodeArrives(t *testing.T, s *subject) {
	s.launch("a", exits(3))
	s.exit("a", container.ExitStatus(3), container.ReasonExited)
}

func signalArrives(t *testing.T, s *subject) {
	s.launch("a", Behaviour{Exit: new(container.SignalStatus(syscall.SIGUSR1))})
	s.exit("a", container.SignalStatus(syscall.SIGUSR1), container.ReasonExited)
}

func repeatedLaunch(t *testing.T, s *subject) {
	first := s.launch("a", runs)
	if again := s.launch("a", exits(1)); again != first {
		t.Errorf("a repeated launch gave %+v, the first %+v", again, first)
	}
	s.kill("a", 0)
	s.exit("a", container.SignalStatus(syscall.SIGKILL), container.ReasonKilled)
	if again := s.launch("a", exits(1)); again != first {
		t.Errorf("a launch repeated after the end gave %+v, the first %+v", again, first)
	}
	if n := len(s.list()); n != 1 {
		t.Errorf("%d containers, expected 1", n)
	}
}

func missingProgram(t *testing.T, s *subject) {
	for range 2 {
		_, err := s.Launch(s.ctx, s.Spec("a", missing))
		e, ok := errors.AsType[*container.LaunchError](err)
		if !ok || e.Stage != container.StageExec || !errors.Is(err, fs.ErrNotExist) || e.ID != "a" {
			t.Fatalf("got %v, expected a LaunchError that says that the program does not exist", err)
		}
	}
	if got := s.states()["a"]; got != container.StateFailed {
		t.Errorf("it is listed as %v, expected failed", got)
	}
	s.launch("b", exits(0))
	s.exit("b", container.ExitStatus(0), container.ReasonExited) // and not one of a
	s.collect("a")
	if _, ok := s.states()["a"]; ok {
		t.Error("it is still listed after it was collected")
	}
}

func invalidSpec(t *testing.T, s *subject) {
	spec := s.Spec("a", runs)
	spec.Argv = nil
	if _, err := s.Launch(s.ctx, spec); !errors.Is(err, container.ErrInvalid) {
		t.Errorf("got %v, expected ErrInvalid", err)
	}
	if n := len(s.list()); n != 0 {
		t.Errorf("%d containers after an invalid launch", n)
	}
}

func killByTerm(t *testing.T, s *subject) {
	s.launch("a", runs)
	s.kill("a", time.Hour)
	s.exit("a", container.SignalStatus(syscall.SIGTERM), container.ReasonKilled)
}

func killByForce(t *testing.T, s *subject) {
	s.launch("a", stubborn)
	s.kill("a", 20*time.Millisecond)
	s.Pass(20 * time.Millisecond)
	s.exit("a", container.SignalStatus(syscall.SIGKILL), container.ReasonKilled)
}

func killAtOnce(t *testing.T, s *subject) {
	s.launch("a", stubborn)
	s.kill("a", 0)
	s.exit("a", container.SignalStatus(syscall.SIGKILL), container.ReasonKilled)
}

func killSooner(t *testing.T, s *subject) {
	s.launch("a", stubborn)
	s.kill("a", time.Hour)
	if got := s.states()["a"]; got != container.StateKilling {
		t.Errorf("within the grace it is %v, expected killing", got)
	}
	s.kill("a", 20*time.Millisecond)
	s.Pass(20 * time.Millisecond)
	s.exit("a", container.SignalStatus(syscall.SIGKILL), container.ReasonKilled)
}

func killNotLater(t *testing.T, s *subject) {
	s.launch("a", stubborn)
	s.kill("a", 20*time.Millisecond)
	s.kill("a", time.Hour)
	s.Pass(20 * time.Millisecond)
	s.exit("a", container.SignalStatus(syscall.SIGKILL), container.ReasonKilled)
}

func killWhatIsNot(t *testing.T, s *subject) {
	if err := s.Kill(s.ctx, "none", 0); !errors.Is(err, container.ErrUnknown) {
		t.Errorf("killing what is unknown: got %v, expected ErrUnknown", err)
	}
	s.launch("a", exits(0))
	s.exits(1)
	s.kill("a", 0)
	s.exit("a", container.ExitStatus(0), container.ReasonExited)
}

func exitsUntilCollected(t *testing.T, s *subject) {
	s.launch("a", exits(1))
	first := s.exits(1)
	s.launch("b", exits(2))
	second := s.exits(2)
	if second[0] != first[0] {
		t.Errorf("the second reader got %+v first, the first had got %+v", second[0], first[0])
	}
	s.collect("a")
	s.exit("b", container.ExitStatus(2), container.ReasonExited)
	s.collect("b", "a", "never")
	if infos := s.list(); len(infos) != 0 {
		t.Errorf("after all was collected, there are %+v", infos)
	}
}

func exitsInOrder(t *testing.T, s *subject) {
	ends := []container.ID{"c", "a", "b"}
	for _, id := range []container.ID{"a", "b", "c"} {
		s.launch(id, runs)
	}
	s.kill(ends[0], 0)
	next := 0
	for exit, err := range s.Exits(s.ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if exit.ID != ends[next] {
			t.Fatalf("exit %d is of %s, expected %s", next, exit.ID, ends[next])
		}
		if next++; next == len(ends) {
			break
		}
		s.kill(ends[next], 0)
	}
	for i, exit := range s.exits(len(ends)) {
		if exit.ID != ends[i] {
			t.Errorf("repeated exit %d is of %s, expected %s", i, exit.ID, ends[i])
		}
	}
}

func runningNotCollected(t *testing.T, s *subject) {
	s.launch("a", runs)
	s.collect("a")
	if got := s.states()["a"]; got != container.StateRunning {
		t.Errorf("it is %v, expected running", got)
	}
	s.kill("a", 0)
	s.exits(1)
}

func listStates(t *testing.T, s *subject) {
	started := s.launch("z", runs)
	s.launch("a", exits(4))
	s.exits(1)
	infos := s.list()
	ids := make([]container.ID, len(infos))
	for i, info := range infos {
		ids[i] = info.ID
	}
	if !slices.Equal(ids, []container.ID{"z", "a"}) {
		t.Fatalf("listed %v, expected z, a", ids)
	}
	if infos[0].State != container.StateRunning || infos[0].Started != started {
		t.Errorf("z is %+v, expected running as %+v", infos[0], started)
	}
	if e := infos[1].Exit; infos[1].State != container.StateExited || e == nil || e.Status != container.ExitStatus(4) {
		t.Errorf("a is %+v, expected exited with 4", infos[1])
	}
	s.kill("z", 0)
	s.exits(2)
}

func exitsEnd(t *testing.T, s *subject) {
	s.launch("a", exits(0))
	ctx, cancel := context.WithCancelCause(s.ctx)
	because := errors.New("because")
	defer cancel(because)
	n := 0
	for _, err := range s.Exits(ctx) {
		if n++; n == 1 {
			cancel(because)
			continue
		}
		if !errors.Is(err, because) {
			t.Errorf("ended with %v, expected %v", err, because)
		}
	}
	if n != 2 {
		t.Errorf("yielded %d times, expected an exit and an error", n)
	}
}

func programApart(t *testing.T, s *subject) {
	spec := s.Spec("a", exits(3))
	spec.Program, spec.Argv[0] = spec.Argv[0], "called so"
	if _, err := s.Launch(s.ctx, spec); err != nil {
		t.Fatal(err)
	}
	s.exit("a", container.ExitStatus(3), container.ReasonExited)
}

func limitWhatIsNot(t *testing.T, s *subject) {
	limits := container.Limits{CPUShares: 512}
	if err := s.Limit(s.ctx, "none", limits); !errors.Is(err, container.ErrUnknown) {
		t.Errorf("limiting what is unknown: got %v, expected ErrUnknown", err)
	}
	s.launch("a", exits(0))
	s.exits(1)
	if err := s.Limit(s.ctx, "a", limits); err != nil {
		t.Errorf("limiting what has ended: %v", err)
	}
	if err := s.Limit(s.ctx, "a", container.Limits{CPUPeriod: -1}); !errors.Is(err, container.ErrInvalid) {
		t.Errorf("a negative period: got %v, expected ErrInvalid", err)
	}
}

// bounded are limits that nothing here runs into.
var bounded = container.Limits{CPUShares: 512, CPUQuota: 90 * time.Millisecond, MemoryBytes: 128 << 20, PIDs: 100}

// eats is the memory that a greedy container uses.
const eats = 64 << 20

var greedy = Behaviour{Memory: eats}

// launchLimited launches a container with limits, which may end it at once.
func (s *subject) launchLimited(id container.ID, does Behaviour, limits container.Limits) {
	s.t.Helper()
	spec := s.Spec(id, does)
	spec.Limits = limits
	if _, err := s.Launch(s.ctx, spec); err != nil {
		s.t.Fatalf("launching %s: %v", id, err)
	}
}

func (s *subject) statistics(ids ...container.ID) []container.Statistics {
	s.t.Helper()
	stats, err := s.Statistics(s.ctx, ids...)
	if err != nil {
		s.t.Fatalf("measuring %v: %v", ids, err)
	}
	return stats
}

func measureWhatRuns(t *testing.T, s *subject) {
	s.launchLimited("a", greedy, bounded)
	s.ready("a")
	s.launch("b", runs)
	s.launch("ended", exits(0))
	s.exits(1)
	if stats := s.statistics(); len(stats) != 2 || stats[0].ID != "a" || stats[1].ID != "b" {
		t.Errorf("measured %+v, expected a and b", stats)
	}
	stats := s.statistics("ended", "a", "never")
	if len(stats) != 1 || stats[0].ID != "a" {
		t.Fatalf("measured %+v, expected a", stats)
	}
	a := stats[0]
	if a.Memory < eats || a.Memory > 2*eats || a.MemoryAnonymous < eats || a.Processes == 0 || a.Threads == 0 {
		t.Errorf("measured %+v, expected %d bytes of memory, processes and threads", a, eats)
	}
	if got := a.Limits; got.MemoryBytes != bounded.MemoryBytes || got.CPUQuota != bounded.CPUQuota || got.PIDs != bounded.PIDs {
		t.Errorf("its limits are %+v, expected %+v", got, bounded)
	}
}

func outOfMemory(t *testing.T, s *subject) {
	limit := container.Limits{MemoryBytes: eats / 2}
	s.launchLimited("a", greedy, limit)
	exit := s.exits(1)[0]
	if exit.Reason != container.ReasonMemory || exit.OutOfMemory.Limit != eats/2 || exit.OutOfMemory.Peak < eats/4 {
		t.Errorf("ended with %+v, expected out of %d bytes of memory", exit, eats/2)
	}
}

func outOfMemoryWhenKilled(t *testing.T, s *subject) {
	s.launchLimited("a", greedy, container.Limits{MemoryBytes: eats / 2})
	first := s.exits(1)[0]
	s.kill("a", 0)
	if again := s.exits(1)[0]; again != first {
		t.Errorf("after a kill it ended with %+v, before with %+v", again, first)
	}
}

func limitsChange(t *testing.T, s *subject) {
	s.launchLimited("a", runs, bounded)
	for _, change := range []container.Limits{
		{CPUShares: 2048, CPUQuota: 200 * time.Millisecond, MemoryBytes: 256 << 20, MemorySoftBytes: 32 << 20, PIDs: 200},
		{CPUShares: 256, CPUQuota: 50 * time.Millisecond, MemoryBytes: 96 << 20, PIDs: 50},
	} {
		if err := s.Limit(s.ctx, "a", change); err != nil {
			t.Fatalf("limiting to %+v: %v", change, err)
		}
		got := s.statistics("a")[0].Limits
		if got.MemoryBytes != change.MemoryBytes || got.CPUQuota != change.CPUQuota || got.PIDs != change.PIDs {
			t.Errorf("limits are %+v, expected %+v", got, change)
		}
	}
	if err := s.Limit(s.ctx, "a", container.Limits{}); err != nil {
		t.Fatalf("lifting all limits: %v", err)
	}
	if got := s.statistics("a")[0].Limits; got.MemoryBytes != 0 || got.CPUQuota != 0 || got.PIDs != 0 {
		t.Errorf("limits are %+v, expected none", got)
	}
}

func limitBelowUse(t *testing.T, s *subject) {
	s.launchLimited("a", greedy, bounded)
	s.ready("a")
	limits := bounded
	limits.MemoryBytes, limits.PIDs = eats/2, 77
	if err := s.Limit(s.ctx, "a", limits); err == nil {
		t.Error("it was bounded to half of what it uses")
	}
	got := s.statistics("a")[0].Limits
	if got.MemoryBytes != bounded.MemoryBytes || got.PIDs != 77 {
		t.Errorf("limits are %+v, expected the memory limit as before and the others as asked for", got)
	}
}
