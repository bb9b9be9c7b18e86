package workerd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/rpc"
	"github.com/meseta/meseta/internal/spark/ui"
	"github.com/meseta/meseta/internal/spark/worker"
)

// Run runs a Worker until ctx is done, or until it has to give up, which is the error. Nothing that it
// started runs on when it returns.
func Run(ctx context.Context, cfg Config, log *slog.Logger) (err error) {
	if err := cfg.Validate(); err != nil {
		return err
	}
	build, err := cfg.build()
	if err != nil {
		return err
	}
	if cfg.WorkDir, err = filepath.Abs(cmp.Or(cfg.WorkDir, filepath.Join(cfg.SparkHome, "work"))); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.WorkDir, 0o755); err != nil {
		return fmt.Errorf("work directory: %w", err)
	}
	resources, err := cfg.resources(ctx)
	if err != nil {
		return err
	}
	scratch, err := newScratch(cfg.scratchRoots())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scratch.close()) }()
	ln, address, err := rpc.Listen(cfg.Host, cfg.Port, cfg.Properties.Number("spark.port.maxRetries", 16))
	if err != nil {
		return err
	}
	pages, uiAddress, err := rpc.Listen(cfg.Host, cfg.WebUIPort, cfg.Properties.Number("spark.port.maxRetries", 16))
	if err != nil {
		ln.Close()
		return err
	}
	d := &daemon{
		cfg: cfg, build: build, scratch: scratch, log: log, begin: time.Now(),
		self:      endpoint.Ref{Name: "Worker", Address: address},
		webUI:     "http://" + net.JoinHostPort(cfg.publicHost(), strconv.Itoa(uiAddress.Port)),
		in:        inputs{ready: make(chan struct{}, 1)},
		peers:     make(chan worker.Input, 1000),
		ended:     make(chan struct{}),
		executors: make(map[worker.ExecutorID]context.CancelFunc),
		drivers:   make(map[string]context.CancelFunc),
	}
	d.env = rpc.NewEnv(rpc.Config{Advertise: address, Secret: cfg.Properties.Secret(cfg.Environ), Log: log,
		AskTimeout: cfg.Properties.AskTimeout()})
	d.core = worker.New(d.coreConfig(resources))
	view := d.core.View()
	d.view.Store(&view)
	d.env.Register("Worker", mailbox{d})
	log.Info("starting Worker", "id", view.ID, "address", address.String(), "cores", cfg.Cores, "memory", cfg.Memory, "spark", build.String(), "workdir", cfg.WorkDir, "webui", d.webUI)
	if s := cfg.Properties["spark.executor.logs.rolling.strategy"]; s != "" {
		log.Warn("logs of executors are not rolled: spark.executor.logs.rolling.* is not supported", "strategy", s)
	}
	if cfg.Ready != nil {
		cfg.Ready(d.self, d.webUI)
	}
	return d.run(ctx, ln, pages)
}

// run runs the parts: connections and pages stay until the loop has ended.
func (d *daemon) run(ctx context.Context, ln, pages net.Listener) error {
	outer, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group, parts := errgroup.WithContext(outer)
	group.Go(func() error { return d.env.Run(parts, ln) })
	group.Go(func() error { return ui.Serve(parts, pages, d.routes(), d.log) })
	if d.cfg.Properties.Flag("spark.decommission.enabled", false) {
		group.Go(func() error { return d.awaitDecommission(parts) })
	}
	group.Go(func() error {
		defer end()
		both, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(parts, cancel)()
		return d.loop(both)
	})
	return group.Wait()
}

func (d *daemon) coreConfig(resources map[string]deploy.Resource) worker.Config {
	c := d.cfg
	const stamp = "20060102150405"
	timeout := c.Properties.Seconds("spark.worker.timeout", time.Minute)
	return worker.Config{
		ID:   fmt.Sprintf("worker-%s-%s-%d", d.begin.Format(stamp), d.self.Address.Host, d.self.Address.Port),
		Self: d.self, Cores: c.Cores, Memory: c.Memory, WebUI: d.webUI, Masters: c.Masters, Resources: resources,
		Fuzz:             0.5 + rand.Float64(),
		Heartbeat:        timeout / 4,
		InitialRetries:   c.Properties.Number("spark.worker.initialRegistrationRetries", 0),
		MaxRetries:       c.Properties.Number("spark.worker.maxRegistrationRetries", 0),
		NoCleanup:        !c.Properties.Flag("spark.worker.cleanup.enabled", true),
		CleanupInterval:  c.Properties.Seconds("spark.worker.cleanup.interval", 0),
		Retained:         c.Properties.Number("spark.worker.ui.retainedExecutors", 0),
		SyncAttempts:     c.Properties.Number("spark.worker.executorStateSync.maxAttempts", 0),
		AskTimeout:       c.Properties.AskTimeout(),
		Decommission:     c.Properties.Flag("spark.decommission.enabled", false),
		PreferConfigured: c.Properties.Flag("spark.worker.preferConfiguredMasterAddress", false),
	}
}

// awaitDecommission takes the signal by which Spark's Workers are told to go. (A signal of another name,
// spark.worker.decommission.signal, is not heard.)
func (d *daemon) awaitDecommission(ctx context.Context) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGPWR)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
			d.in.put(worker.Decommission{})
		}
	}
}
