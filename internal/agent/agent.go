package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/endpoint"
	"github.com/meseta/meseta/internal/fetch"
	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/wire"
)

// agent is a running agent.
type agent struct {
	// immutable once it serves
	config    Config
	log       *slog.Logger
	address   netip.AddrPort    // where what runs here reaches it
	reached   endpoint.Endpoint // where everybody else does
	info      agentInfo
	statuses  statusEncoder
	isolation isolation
	accounts  *accounts
	tokens    *tokens // of executors; nil unless they are asked for
	files     *files
	loop      *loop
	disks     *diskWatch
	stuck     atomic.Bool     // the journal has failed because the disk was full
	low       atomic.Bool     // the journal has given up its reserve
	again     chan struct{}   // gets a token when an agent that is stuck should begin anew
	stopped   <-chan struct{} // closed when the loop takes nothing more

	nextLink    atomic.Uint64
	nextStream  atomic.Uint64
	nextRequest atomic.Uint64
	watch       sync.WaitGroup // goroutines beside held streams and links
}

// endingTime bounds the end of everything with Config.KillTasksOnStop: the grace periods that tasks and
// executors ask for, and what the machine needs beyond them.
const endingTime = time.Minute

// Run is an agent, until ctx ends. Its tasks go on, unless Config.KillTasksOnStop is set. An error says why
// it could not begin, or why it cannot go on.
func Run(ctx context.Context, config Config, log *slog.Logger) (err error) {
	if err := config.Validate(); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	config.setDefaults()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	for {
		err := run(ctx, &config, log)
		if !errors.Is(err, errRoomAgain) {
			return err
		}
		log.Info("the disk has room again: the agent begins anew")
	}
}

// run is one life of an agent. Whoever comes after it in the same process serves at the same address.
func run(ctx context.Context, config *Config, log *slog.Logger) error {
	listener, err := wire.Listen(config.IP, config.Port, log)
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	defer listener.Close()
	if err := os.MkdirAll(config.WorkDir, 0o755); err != nil {
		return fmt.Errorf("agent: work directory: %w", err)
	}
	a := &agent{config: *config, log: log, address: endpoint.Of(listener.Addr(), config.Masters[0]),
		accounts: newAccounts(!config.KeepUser), again: make(chan struct{}, 1)}
	config.Port, config.Ready = listener.Addr().(*net.TCPAddr).Port, nil
	if err := a.serve(ctx, listener); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	return nil
}

// serve opens what the agent stands on, from the ground up, and closes it again.
func (a *agent) serve(ctx context.Context, listener net.Listener) (err error) {
	a.reached = a.config.Reached.Advertised(ctx, a.address, a.log)
	if a.info, err = describe(&a.config, a.reached); err != nil {
		return err
	}
	a.statuses = newStatusEncoder(a.reached.Address.Addr().String())
	if a.files, err = openFiles(a.config.WorkDir); err != nil {
		return err
	}
	defer a.files.close()
	if a.config.AuthenticateExecutors {
		if a.tokens, err = openTokens(a.config.WorkDir); err != nil {
			return err
		}
	}
	if a.isolation, err = parseIsolation(a.config.Isolation); err != nil {
		return err
	}
	for _, w := range a.isolation.warnings {
		a.log.Warn(w)
	}
	if err := a.revive(); err != nil {
		return err
	}
	log, err := a.openJournal()
	if err != nil {
		return err
	}
	fetcher, err := fetch.New(a.config.Fetcher)
	if journal.IsFull(err) {
		a.journalFailed(err)
		fetcher, err = fetch.New(fetch.Config{})
	}
	if err != nil {
		log.Close()
		return err
	}
	defer fetcher.Close()
	keeper, err := openKeeper(ctx, filepath.Join(a.config.WorkDir, "supervisors"), a.config.SupervisorFlags, a.log)
	if err != nil {
		log.Close()
		return err
	}
	defer keeper.Close()
	if err := a.haveSupervisor(ctx, keeper); err != nil {
		log.Close()
		return err
	}
	a.isolate(keeper.abilities())
	launcher := newLauncher(keeper, fetcher, a.config.WorkDir, a.accounts, a.log)
	launcher.environ, launcher.report = a.environment, a.loop.back.put
	launcher.isolation, launcher.outputCap = a.isolation, a.config.MaxOutputBytes
	a.loop.journal, a.loop.launcher = log, launcher
	a.disks = a.newDiskWatch()

	containers, err := survivors(ctx, keeper)
	if err != nil {
		log.Close()
		return err
	}
	a.loop.step(delivery{in: node.Recovered{Containers: containers}})
	a.loop.endTurn()
	return a.live(ctx, listener, log, keeper)
}

// haveSupervisor starts a supervisor unless one lives. A full disk may keep it from starting: then nothing new is
// started on this machine until there is room.
func (a *agent) haveSupervisor(ctx context.Context, k *keeper) error {
	err := k.ensureLiving(ctx)
	if err == nil {
		return nil
	}
	if free, roomErr := roomIn(a.config.WorkDir); roomErr == nil && free.full(fullBelow) != "" {
		a.journalFailed(fmt.Errorf("%w: %w", syscall.ENOSPC, err))
		return nil
	}
	return err
}

// revive makes the core.
func (a *agent) revive() error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	var seed node.UUID
	rand.Read(seed[:])
	a.loop = newLoop(a, node.New(node.Config{
		Seed:                          seed,
		Boot:                          boot,
		Isolation:                     a.isolation.rules(&a.config),
		WorkDir:                       a.config.WorkDir,
		ExecutorRegistrationTimeout:   a.config.ExecutorRegistrationTimeout,
		ExecutorReregistrationTimeout: a.config.ExecutorReregistrationTimeout,
		ExecutorShutdownGrace:         a.config.ExecutorShutdownGracePeriod,
		MaxCompletedTasks:             a.config.MaxCompletedTasks,
	}), a.log)
	return nil
}

// openJournal gives the core what the former run remembered.
func (a *agent) openJournal() (*journal.Journal, error) {
	j, recovered, err := journal.Open(filepath.Join(a.config.WorkDir, "journal"), journal.Options{
		Salvage:    a.config.Salvage,
		Reserve:    reserveSize,
		MaxPending: maxUnsynced + maxTurn + 2*int(a.config.MaxCallBytes), // whatever one input adds
		Hooks: journal.Hooks{
			Persisted: a.loop.back.persisted,
			Written:   a.loop.back.wrote,
			Failed:    a.journalFailed,
			Full: func() {
				a.low.Store(true)
				a.loop.back.put(node.DiskRoom{WhyNot: "the journal uses its reserve"})
			},
			Snapshotted: func(bytes int64, err error) {
				a.log.Debug("journal replaced by a snapshot", "bytes", bytes, "error", err)
			},
		},
	})
	if err != nil {
		return nil, err
	}
	a.reportJournal(recovered)
	for data := range recovered.All() {
		record, err := decodeRecord(data)
		if err != nil {
			j.Close()
			return nil, fmt.Errorf("journal: %w", err)
		}
		a.loop.core.Step(a.loop.now(), node.Replayed{Record: record})
	}
	if recovered.Full != nil {
		a.loop.broken = true
		a.journalFailed(recovered.Full)
	}
	return j, nil
}

// reportJournal says what was cut off or set aside.
func (a *agent) reportJournal(recovered journal.Recovered) {
	if recovered.Cut != nil {
		a.log.Info("an unfinished write at the end of the journal was cut off", "cut", recovered.Cut)
	}
	if recovered.Damage != nil {
		a.log.Error("the journal was damaged: what is sound before the damage is kept, the rest was set aside", "damage", recovered.Damage)
	}
}

// routes lists everything that is served.
func (a *agent) routes() http.Handler {
	r := wire.NewRouter("slave(1)")
	r.Handle("/api/v1/executor", a.serveExecutor)
	r.Handle("/api/v1", a.serveOperator)
	r.Handle("/health", a.serveHealth)
	r.Handle("/version", a.serveVersion)
	r.Handle("/monitor/statistics", a.serveStatistics)
	r.Handle("/monitor/statistics.json", a.serveStatistics)
	r.Handle("/containers", a.serveContainers)
	a.files.routes(r.Handle)
	return r
}
