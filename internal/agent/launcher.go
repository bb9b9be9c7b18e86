package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/fetch"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

const (
	launchers    = 8                     // starts that are with the supervisor at the same time
	maxFetches   = 32                    // sandboxes that are being filled at the same time
	askAgain     = 20 * time.Millisecond // pause before a supervisor that did not answer is asked again
	collectEvery = 10 * time.Millisecond // so that one request collects many
)

// launcher starts and ends containers. It makes sure that the core hears of each in the order start, end,
// whatever the supervisor's answers overtake, and that a kill which comes during a start is not lost.
type launcher struct {
	// immutable after newLauncher
	supervisor container.Supervisor
	fetcher    *fetch.Fetcher
	accounts   *accounts
	workDir    string
	environ    func(spec node.StartContainer, sandbox string) []string
	isolation  isolation
	outputCap  int64 // of what a container writes to stdout, and to stderr
	report     func(...node.Input)
	log        *slog.Logger

	queue   queue[func()] // what the workers do
	collect queue[container.ID]
	fetches chan struct{} // holds a token per sandbox being filled
	life    context.Context
	leave   context.CancelCauseFunc
	wait    sync.WaitGroup // goroutines of single starts and kills
	making  sync.RWMutex   // held for reading while a sandbox is made

	mu       sync.Mutex
	prepared map[ids.ContainerID]*preparation // sandboxes of containers that may start
	starting map[ids.ContainerID]*start
	leaving  map[ids.ContainerID]struct{}    // ended, and when is not noted in their sandboxes yet
	limiting map[ids.ContainerID]node.Limits // what containers are being held to
}

// preparation is a sandbox that is being made.
type preparation struct {
	done    chan struct{} // closed when what follows is valid
	dir     string
	user    *container.User
	problem string // why there is none
}

// start is a container on its way.
type start struct {
	spec   node.StartContainer
	box    *preparation
	ctx    context.Context // ends when the start is no longer wanted
	cancel context.CancelCauseFunc

	// guarded by launcher.mu
	asked  bool           // the supervisor was asked: from now on only it can end the container
	limits *node.Limits   // it is to be held to these as soon as it runs
	kill   *time.Duration // somebody wants its end, with this grace period
	ended  *node.End      // its end came before the answer to its start
}

var (
	errKilled = errors.New("killed before it was started")

	// errLost is what a supervisor's stand-in answers when the container was started by a supervisor that
	// has died: its end is told by its Exit.
	errLost = errors.New("started by a supervisor that has died")
)

func newLauncher(supervisor container.Supervisor, fetcher *fetch.Fetcher, workDir string, accounts *accounts, log *slog.Logger) *launcher {
	l := &launcher{
		supervisor: supervisor, fetcher: fetcher, accounts: accounts, workDir: workDir, log: log,
		queue:    newQueue[func()](),
		collect:  newQueue[container.ID](),
		fetches:  make(chan struct{}, maxFetches),
		prepared: make(map[ids.ContainerID]*preparation),
		starting: make(map[ids.ContainerID]*start),
		leaving:  make(map[ids.ContainerID]struct{}),
		limiting: make(map[ids.ContainerID]node.Limits),
	}
	l.life, l.leave = context.WithCancelCause(context.Background())
	return l
}

// run serves until ctx ends. By then nobody may call the launcher any more.
func (l *launcher) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { l.leave(context.Cause(ctx)) })
	defer stop()
	for range launchers {
		l.wait.Go(l.work)
	}
	l.wait.Go(l.watchExits)
	l.wait.Go(l.collectAll)
	<-ctx.Done()
	l.wait.Wait()
}

// ---- called by the loop; none of these blocks

// prepare makes the sandbox of a container that may start soon.
func (l *launcher) prepare(p node.PrepareSandbox) *preparation {
	box := &preparation{done: make(chan struct{})}
	l.mu.Lock()
	l.prepared[p.Sandbox.Container] = box
	l.mu.Unlock()
	l.queue.put(func() {
		defer close(box.done)
		if box.user, box.problem = l.accounts.find(p.User); box.problem != "" {
			return
		}
		l.making.RLock()
		defer l.making.RUnlock()
		var err error
		if box.dir, err = makeSandbox(l.workDir, p.Sandbox, box.user); err != nil {
			box.problem = err.Error()
			return
		}
		if l.isolation.ownTmp() {
			if err := makeTmp(box.dir, box.user); err != nil {
				box.problem = err.Error()
			}
		}
	})
	return box
}

// start brings a container on its way. Its sandbox is done or before it in the queue.
func (l *launcher) start(spec node.StartContainer) {
	id := spec.Sandbox.Container
	l.mu.Lock()
	s := &start{spec: spec, box: l.prepared[id]}
	s.ctx, s.cancel = context.WithCancelCause(l.life)
	delete(l.prepared, id)
	l.starting[id] = s
	l.mu.Unlock()
	if len(spec.Command.URIs) > 0 {
		l.wait.Go(func() { l.bring(s) })
		return
	}
	l.queue.put(func() { l.bring(s) })
}

// kill ends a container, or a start if the supervisor does not know of it yet.
func (l *launcher) kill(k node.KillContainer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.starting[k.Container]; s != nil {
		if s.kill == nil || k.Grace < *s.kill {
			s.kill = &k.Grace
		}
		if !s.asked {
			s.cancel(errKilled)
		}
		return
	}
	l.wait.Go(func() { l.killNow(k.Container, k.Grace) })
}

// forget has the supervisor forget a container.
func (l *launcher) forget(id ids.ContainerID) {
	l.mu.Lock()
	delete(l.prepared, id)
	l.mu.Unlock()
	l.collect.put(container.ID(id))
}

// ---- the goroutines

// work takes what is in the queue.
func (l *launcher) work() {
	for {
		select {
		case <-l.queue.ready:
			for do, ok := l.queue.take(); ok; do, ok = l.queue.take() {
				do()
			}
		case <-l.life.Done():
			return
		}
	}
}

// bring fills the sandbox and starts the container.
func (l *launcher) bring(s *start) {
	defer s.cancel(nil)
	select {
	case <-s.box.done:
	case <-l.life.Done():
		return // nobody makes sandboxes any more
	}
	sandbox, user := s.box.dir, s.box.user
	if s.box.problem != "" {
		l.failed(s, node.CauseSandbox, s.box.problem)
		return
	}
	if err := l.fetch(s, sandbox, user); err != nil {
		l.fetchFailed(s, sandbox, err)
		return
	}
	if !l.ask(s) {
		l.failed(s, node.CauseKilled, errKilled.Error())
		return
	}
	l.launch(s, l.specOf(s.spec, sandbox, user))
}

// specOf is what the supervisor is asked for.
func (l *launcher) specOf(c node.StartContainer, sandbox string, user *container.User) container.Spec {
	program, argv := commandLine(c.Command)
	spec := container.Spec{
		ID:         container.ID(c.Sandbox.Container),
		Program:    program,
		Argv:       argv,
		Env:        l.environ(c, sandbox),
		Dir:        sandbox,
		User:       user,
		Stdout:     filepath.Join(sandbox, "stdout"),
		Stderr:     filepath.Join(sandbox, "stderr"),
		OutputCap:  uint64(l.outputCap),
		NoNewPrivs: l.isolation.noNewPrivs,
		Namespaces: l.isolation.namespaces,
		Limits:     limitsOf(c.Limits),
	}
	if l.isolation.capabilities {
		spec.Capabilities = new(container.RootCapabilities)
	}
	if l.isolation.ownTmp() {
		spec.Binds = []container.Bind{{Source: filepath.Join(sandbox, tmpName), Target: "/tmp"}}
	}
	return spec
}

// ask notes that the supervisor is asked now, unless the start is not wanted any more.
func (l *launcher) ask(s *start) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.asked = s.kill == nil
	return s.asked
}

// launch asks the supervisor until it answers: repeating a request is safe.
func (l *launcher) launch(s *start, spec container.Spec) {
	for told := false; ; {
		started, err := l.supervisor.Launch(l.life, spec)
		refused, isRefusal := errors.AsType[*container.LaunchError](err)
		switch {
		case err == nil:
			l.started(s, started)
		case isRefusal && refused.Stage == container.StageExec:
			complain(spec.Dir, refused.Error())
			l.failed(s, node.CauseExec, refused.Error())
		case isRefusal, errors.Is(err, container.ErrInvalid):
			l.failed(s, node.CauseOther, err.Error())
		case errors.Is(err, errLost):
			l.lost(s)
		case l.life.Err() != nil:
			// The agent leaves; the next one finds out what became of the container.
		default:
			if !told {
				l.log.Warn("container not started yet", "container", spec.ID, "error", err)
			}
			told = true
			pause(l.life, askAgain)
			continue
		}
		return
	}
}

// started tells the core, and then what happened meanwhile.
func (l *launcher) started(s *start, started container.Started) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := s.spec.Sandbox.Container
	delete(l.starting, id)
	l.report(node.ContainerStarted{Container: id, PID: started.PID})
	if s.limits != nil && *s.limits != s.spec.Limits {
		l.limitLocked(id, *s.limits)
	}
	switch {
	case s.ended != nil:
		l.report(node.ContainerEnded{Container: id, End: *s.ended})
	case s.kill != nil:
		l.wait.Go(func() { l.killNow(id, *s.kill) })
	}
}

// lost leaves the last word to the container's Exit.
func (l *launcher) lost(s *start) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := s.spec.Sandbox.Container
	delete(l.starting, id)
	if s.ended != nil {
		l.report(node.ContainerEnded{Container: id, End: *s.ended})
	}
}

func (l *launcher) failed(s *start, cause node.StartCause, detail string) {
	if l.life.Err() != nil {
		return // not the container's fault, and nobody listens
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := s.spec.Sandbox.Container
	delete(l.starting, id)
	l.report(node.ContainerStartFailed{Container: id, Cause: cause, Detail: detail})
}

// fetch brings the URIs into the sandbox.
func (l *launcher) fetch(s *start, sandbox string, user *container.User) error {
	if len(s.spec.Command.URIs) == 0 {
		return nil
	}
	select {
	case l.fetches <- struct{}{}:
		defer func() { <-l.fetches }()
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
	request := fetch.Request{Sandbox: sandbox}
	if user != nil {
		request.User = &fetch.User{UID: user.UID, GID: user.GID, Groups: user.Groups}
	}
	for _, u := range s.spec.Command.URIs {
		request.URIs = append(request.URIs, fetch.URI(u))
	}
	return l.fetcher.Fetch(s.ctx, request)
}

func (l *launcher) fetchFailed(s *start, sandbox string, err error) {
	if errors.Is(context.Cause(s.ctx), errKilled) {
		l.failed(s, node.CauseKilled, errKilled.Error())
		return
	}
	complain(sandbox, err.Error())
	l.failed(s, node.CauseFetch, err.Error())
}

// complain leaves a sentence in the sandbox's stderr for whoever looks there first. The sandbox belongs to
// the task: a link in it leads nowhere else.
func complain(sandbox, text string) {
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return
	}
	defer root.Close()
	f, err := root.OpenFile("stderr", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintln(f, text)
}

// killNow asks the supervisor until it answers.
func (l *launcher) killNow(id ids.ContainerID, grace time.Duration) {
	for l.life.Err() == nil {
		err := l.supervisor.Kill(l.life, container.ID(id), min(grace, container.MaxGrace))
		if err == nil || errors.Is(err, container.ErrUnknown) || errors.Is(err, container.ErrInvalid) || errors.Is(err, errLost) {
			return
		}
		pause(l.life, askAgain)
	}
}

// watchExits tells the core of every end.
func (l *launcher) watchExits() {
	for l.life.Err() == nil {
		for exit, err := range l.supervisor.Exits(l.life) {
			if err != nil {
				break
			}
			l.exited(exit)
		}
		pause(l.life, askAgain)
	}
}

func (l *launcher) exited(exit container.Exit) {
	id, end := ids.ContainerID(exit.ID), endOf(exit)
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.starting[id]; s != nil {
		s.ended = &end
		return
	}
	l.report(node.ContainerEnded{Container: id, End: end})
}

// collectAll lets the supervisor forget what is recorded, many at a time.
func (l *launcher) collectAll() {
	for {
		select {
		case <-l.collect.ready:
		case <-l.life.Done():
			return
		}
		pause(l.life, collectEvery)
		ended := l.collect.takeAll()
		if len(ended) == 0 || l.life.Err() != nil {
			continue
		}
		if err := l.supervisor.Collect(l.life, ended...); err != nil {
			l.collect.put(ended...)
			pause(l.life, askAgain)
		}
	}
}
