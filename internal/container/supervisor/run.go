package supervisor

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/cgroup"
	"github.com/meseta/meseta/internal/container/ledger"
	"github.com/meseta/meseta/internal/container/protocol"
	"github.com/meseta/meseta/internal/container/spawn"
	"github.com/meseta/meseta/internal/container/track"
)

// Config says how a supervisor works. Only Dir is needed.
type Config struct {
	// Dir is where it keeps its socket and its log: a directory of its own.
	Dir string

	// Tracking restricts how process sets are tracked; KindNone is the best way that
	// works here.
	Tracking track.Kind

	// StopGrace is how long containers have between SIGTERM and SIGKILL when the
	// supervisor is told to stop. Zero is DefaultStopGrace, negative is none.
	StopGrace time.Duration

	// Limit is how many containers, live and uncollected, it holds; 0 is
	// ledger.MaxContainers.
	Limit int

	// Ready is called once the socket accepts connections. Nil is nobody.
	Ready func()

	// Logger gets the complaints. Nil is nobody.
	Logger *slog.Logger
}

// DefaultStopGrace is how long containers may take to end when their supervisor
// is told to stop.
const DefaultStopGrace = 3 * time.Second

// handCount is how many containers can be starting at the same moment. More than
// a few do not make it faster; the rest is for those that hang.
const handCount = 16

// Run is the supervisor. It takes over this process: it becomes the parent of its
// orphaned descendants and waits for all children, so nothing else in the process
// may start any. It returns nil when ctx was cancelled and everything it started
// is gone, or an error when it could not begin.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.StopGrace == 0 {
		cfg.StopGrace = DefaultStopGrace
	}
	protected, err := prepareProcess()
	if err != nil {
		return err
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return err
	}
	defer lock.Close()

	hands := make([]*spawn.Spawner, handCount)
	for i := range hands {
		hands[i] = spawn.New()
	}
	mains := newMains(hands)
	sets, err := track.Open(track.Config{Key: trackKey(cfg.Dir), Only: cfg.Tracking, Still: mains.still})
	if err != nil {
		return fmt.Errorf("tracking process sets: %w", err)
	}
	defer sets.Close()
	if err := track.Adopt(sets); err != nil {
		cfg.Logger.Warn("staying in the cgroup this was started in", "err", err)
	}

	limiter := cgroup.Open(trackKey(cfg.Dir), tracked2(sets))
	defer limiter.Close()
	trimmer, err := newTrimmer(cfg.Logger)
	if err != nil {
		return err
	}
	defer trimmer.close()
	s := &server{
		log: cfg.Logger, oomProtected: protected, stopGrace: cfg.StopGrace,
		sets: sets, limiter: limiter, trimmer: trimmer, mains: mains, ender: newEnder(),
		forks: newQueue[container.Spec](), chores: newQueue[ledger.Output](),
		events: make(chan event, 1024), done: make(chan struct{}), begin: time.Now(),
		ledger: ledger.New(cfg.Limit),
		conns:  map[uint64]*conn{}, unsaid: map[*conn]struct{}{},
	}
	if s.hello, err = introduce(sets, limiter); err != nil {
		return err
	}
	if s.logFile, err = createLog(filepath.Join(cfg.Dir, logName), logHeader(s.hello, sets)); err != nil {
		return err
	}
	defer s.logFile.close()
	listener, err := listen(cfg.Dir)
	if err != nil {
		return errors.Join(err, Remove(cfg.Dir)) // nothing was started yet that would need the log
	}
	defer listener.Close()
	if cfg.Ready != nil {
		cfg.Ready()
	}
	cfg.Logger.Info("supervising", "dir", cfg.Dir, "tracking", s.hello.Tracking, "oom_protected", protected)
	s.run(ctx, listener)
	if err := s.logFile.finish(); err != nil {
		return err
	}
	if s.ledger.Len() == 0 {
		return Remove(cfg.Dir)
	}
	return nil
}

// run starts the goroutines, is the loop itself, and returns when all are gone.
func (s *server) run(ctx context.Context, listener *net.UnixListener) {
	var wg sync.WaitGroup
	ending, endEnder := context.WithCancel(context.WithoutCancel(ctx))
	wg.Go(s.reaper)
	wg.Go(func() { s.end(ending) })
	wg.Go(s.warden)
	wg.Go(s.trimmer.run)
	wg.Go(func() {
		s.limiter.WatchMemory(func(id string, m container.OutOfMemory) {
			s.tell(ledger.OutOfMemory{ID: container.ID(id), Memory: m})
		})
	})
	for _, spawner := range s.mains.hands {
		wg.Go(func() { s.hand(spawner) })
	}
	wg.Go(func() { s.accept(listener, &wg) })

	s.loop(ctx)

	listener.Close()
	s.open.close()
	s.forks.close()
	s.chores.close()
	s.limiter.Close()
	s.trimmer.close()
	endEnder()
	s.mains.close()
	killStrays(s.mains)
	wg.Wait()
}

// killStrays kills what is left of our descendants: processes that escaped their
// set. Each that dies hands its children to us.
func killStrays(m *mains) {
	for range 100 {
		children := childrenOfSelf()
		if len(children) == 0 {
			return
		}
		m.killStrays(children)
		time.Sleep(time.Millisecond)
	}
}

// trackKey is a name for a supervisor's cgroups that is always the same for its
// directory.
func trackKey(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	h := fnv.New64a()
	h.Write([]byte(dir))
	return fmt.Sprintf("%016x", h.Sum64())
}

// tracked2 is the directory in which containers are tracked, if that is in cgroup
// version 2.
func tracked2(sets track.Sets) string {
	if p := sets.Place(); p.Kind == track.KindCgroupV2 {
		return p.Path
	}
	return ""
}

func introduce(sets track.Sets, limiter *cgroup.Limiter) (protocol.ServerHello, error) {
	self, err := track.Identify(os.Getpid())
	if err != nil {
		return protocol.ServerHello{}, fmt.Errorf("is /proc mounted? %w", err)
	}
	return protocol.ServerHello{
		Version:   protocol.Version,
		Process:   container.Started{PID: self.PID, StartTime: self.StartTime, At: time.Now().Round(0)},
		Tracking:  sets.Place().Kind.String() + " " + sets.Place().Path,
		Abilities: append(limiter.Abilities(), abilities()...),
	}, nil
}

func logHeader(h protocol.ServerHello, sets track.Sets) protocol.LogHeader {
	return protocol.LogHeader{
		Version: h.Version, BootID: bootID(), Process: h.Process,
		TrackKind: uint64(sets.Place().Kind), TrackPlace: sets.Place().Path,
	}
}

// bootID tells this run of the kernel from others.
func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

// ErrRemains says that a directory holds what a dead supervisor left: EndAll has
// to end it, and Remove to forget it, before another supervisor begins there.
var ErrRemains = errors.New("the remains of another supervisor")

// ErrRunning says that a supervisor is at work in the directory.
var ErrRunning = errors.New("a supervisor runs there already")

// lockDir makes the directory this supervisor's own.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: %w", dir, ErrRunning)
	}
	if _, err := os.Stat(filepath.Join(dir, logName)); err == nil {
		lock.Close()
		return nil, fmt.Errorf("%s: %w", dir, ErrRemains)
	}
	return lock, nil
}

// The files of a supervisor's directory.
const (
	lockName   = "lock"
	socketName = "socket"
	logName    = "containers"
	stderrName = "log"
)
