package masterd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/master"
	"github.com/meseta/meseta/internal/spark/rpc"
	"github.com/meseta/meseta/internal/spark/ui"
)

// Run runs a Master until ctx is done, or until it has to give up, which is the error. Nothing that it
// started runs on when it returns; Workers, applications and drivers do.
func Run(ctx context.Context, cfg Config, log *slog.Logger) (err error) {
	if err := cfg.Validate(); err != nil {
		return err
	}
	store, err := cfg.store()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	l, err := cfg.listen()
	if err != nil {
		return err
	}
	self := endpoint.Ref{Name: "Master", Address: l.address}
	d := &daemon{
		cfg: cfg, store: store, log: log, begin: time.Now(),
		peers: make(chan event, 1000), views: make(chan chan<- master.View), ended: make(chan struct{}),
		core: master.New(cfg.core(self, l.webUI)), calls: make(map[master.CallID]func(any) error),
	}
	d.env = rpc.NewEnv(rpc.Config{Advertise: l.address, Secret: cfg.Properties.Secret(cfg.Environ), Log: log, AskTimeout: cfg.Properties.AskTimeout()})
	d.env.Register("Master", mailbox{d})
	log.Info("starting Master", "url", l.address.URL(), "webui", l.webUI, "rest", l.restURL)
	if cfg.Ready != nil {
		cfg.Ready(l.address, l.webUI, l.restURL)
	}
	return d.run(ctx, l)
}

// store is where the Master keeps what the next one has to know.
func (c Config) store() (Store, error) {
	if strings.EqualFold(c.Properties[keyRecoveryMode], "FILESYSTEM") {
		return openDirectory(c.Properties[keyRecoveryDir])
	}
	return forgetful{}, nil
}

// listeners are the ports of a Master. rest is nil if no submissions are taken.
type listeners struct {
	rpc, ui, rest  net.Listener
	address        endpoint.Address
	webUI, restURL string
}

func (c Config) listen() (l listeners, err error) {
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	retries := c.Properties.Number("spark.port.maxRetries", 16)
	// A Master's own port is the one that it was told: clients look nowhere else.
	if l.rpc, l.address, err = rpc.Listen(c.Host, c.Port, 0); err != nil {
		return l, err
	}
	var at endpoint.Address
	if l.ui, at, err = rpc.Listen(c.Host, c.WebUIPort, retries); err != nil {
		return l, err
	}
	l.webUI = "http://" + net.JoinHostPort(c.publicHost(), strconv.Itoa(at.Port))
	if !c.rest() {
		return l, nil
	}
	host := c.Host
	if h := c.Properties["spark.master.rest.host"]; h != "" {
		host = h
	}
	if l.rest, at, err = rpc.Listen(host, c.Properties.Number("spark.master.rest.port", 6066), retries); err != nil {
		return l, err
	}
	l.restURL = "http://" + at.HostPort()
	return l, nil
}

func (l listeners) close() {
	for _, ln := range []net.Listener{l.rpc, l.ui, l.rest} {
		if ln != nil {
			ln.Close()
		}
	}
}

// run runs the parts. A Master that may lead does before anybody comes: whoever comes to one that stands
// by has to wait.
func (d *daemon) run(ctx context.Context, l listeners) error {
	defer l.close() // of parts that are not reached
	leads, err := d.lead()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.env.Run(ctx, l.rpc) })
	group.Go(func() error { return ui.Serve(ctx, l.ui, d.pages(), d.log) })
	if l.rest != nil {
		group.Go(func() error { return ui.Serve(ctx, l.rest, d.submissions(l.address), d.log) })
	}
	if !leads {
		d.log.Info("another Master leads: standing by")
		group.Go(func() error { return d.standBy(ctx) })
	}
	group.Go(func() error { return d.loop(ctx) })
	return group.Wait()
}

// standbyPeriod is how often a Master that stands by looks whether it may lead.
const standbyPeriod = 250 * time.Millisecond

// standBy waits until this Master leads.
func (d *daemon) standBy(ctx context.Context) error {
	again := time.NewTicker(standbyPeriod)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
			if leads, err := d.lead(); leads || err != nil {
				return err
			}
		}
	}
}

// lead makes this Master the leader, if it may be, and begins with what the last one knew.
func (d *daemon) lead() (bool, error) {
	leads, err := d.store.Lead()
	if err != nil || !leads {
		return false, err
	}
	known, err := d.store.Load()
	if err != nil {
		return false, err
	}
	d.put(event{in: master.Elected{Known: known}})
	return true, nil
}
