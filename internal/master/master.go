package master

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/endpoint"
	"github.com/meseta/meseta/internal/operator"
	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/wire"
)

// errStopping is why calls fail and streams end when the master stops.
var errStopping = errors.New("the master is stopping")

// Master is a leading master.
type Master struct {
	// immutable once it serves
	config     Config
	log        *slog.Logger
	id         string // of this leadership
	clusterID  string
	epoch      uint64
	info       *mesos.MasterInfo
	started    time.Time
	elected    time.Time
	heartbeats heartbeats // of schedulers' streams
	pulses     heartbeats // of operators' streams
	loop       *loop
	registrar  *registrar
	lifetime   context.Context // of held streams and links
	stopping   <-chan struct{}

	nextLink   atomic.Uint64
	watching   atomic.Int32 // operators' streams
	verbosity  *verbosity
	attendants attendants
}

// Run is a master, from its election until ctx ends or its leadership does.
func Run(ctx context.Context, config Config, log *slog.Logger) error {
	if err := config.Validate(); err != nil {
		return err
	}
	config.setDefaults()
	listener, err := wire.Listen(config.IP, config.Port, log)
	if err != nil {
		return fmt.Errorf("master: %w", err)
	}
	defer listener.Close()

	reg, err := registry.Open(ctx, registry.Config{Dir: filepath.Join(config.WorkDir, "registry"), Log: log})
	if err != nil {
		return fmt.Errorf("master: %w", err)
	}
	defer reg.Close()
	return lead(ctx, config, log, listener, reg)
}

// lead waits for leadership and serves as long as it lasts.
func lead(ctx context.Context, config Config, log *slog.Logger, listener net.Listener, reg registry.Registry) error {
	started := time.Now()
	leadership, err := reg.Campaign(ctx)
	if err != nil {
		return fmt.Errorf("master: campaign: %w", err)
	}
	state, err := reg.Load(ctx)
	if err != nil {
		return fmt.Errorf("master: %w", err)
	}
	first, err := recovered(state)
	if err != nil {
		return fmt.Errorf("master: %w", err)
	}
	tasks, err := recoveredDetached(state)
	if err != nil {
		return fmt.Errorf("master: %w", err)
	}
	heartbeats, err := encodeHeartbeats(&schedulerpb.Event{Type: schedulerpb.Event_HEARTBEAT.Enum()})
	if err != nil {
		return fmt.Errorf("master: %w", err)
	}
	pulses, err := encodeHeartbeats(operator.Heartbeat())
	if err != nil {
		return fmt.Errorf("master: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	m := &Master{config: config, log: log, id: uuid.NewString(), clusterID: reg.ClusterID(), epoch: leadership.Epoch(),
		started: started, elected: time.Now(), heartbeats: heartbeats, pulses: pulses, lifetime: ctx, stopping: ctx.Done(), verbosity: newVerbosity(config.Level)}
	reached := config.Reached.Advertised(ctx, endpoint.Of(listener.Addr(), endpoint.Somewhere), log)
	m.info = masterInfo(m.id, reached)
	m.loop = newLoop(m, cluster.New(cluster.Config{
		MasterID:            m.id,
		AgentTimeout:        config.AgentPingTimeout * time.Duration(config.MaxAgentPingTimeouts),
		AgentReturn:         config.AgentReregister,
		AgentRemovalPause:   config.AgentRemovalPause,
		AgentRemovalLimit:   config.AgentRemovalLimit,
		CompletedTasks:      config.MaxCompletedTasks,
		CompletedFrameworks: config.MaxCompletedFrames,
	}), log)
	m.registrar = newRegistrar(reg, func(d delivery) { m.loop.back.put(d) })

	server := wire.NewServer(m.routes(), log)
	group.Go(func() error { m.loop.run(ctx, first, tasks); return nil })
	group.Go(func() error { return m.registrar.run(ctx) })
	group.Go(func() error {
		select {
		case <-leadership.Lost():
			return errors.New("master: leadership lost")
		case <-ctx.Done():
			return nil
		}
	})
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("master: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	log.Info("master leads", "address", listener.Addr(), "reached", reached.Address, "id", m.id, "cluster", m.clusterID, "epoch", m.epoch)
	if config.Ready != nil {
		config.Ready(listener.Addr().String())
	}
	err = group.Wait()
	m.attendants.dismiss()
	return err
}

// routes lists everything that is served.
func (m *Master) routes() http.Handler {
	reads := &operator.Master{Info: m.info, Release: m.config.Release, Started: m.started, Elected: m.elected,
		MaxBytes:  m.config.MaxCallBytes,
		View:      func(r *http.Request) (cluster.View, error) { return m.loop.view(r.Context(), nil) },
		Order:     m.order,
		Run:       m.runDetached,
		Subscribe: m.serveWatch,
		Refuse:    unavailable,
		Self: operator.Self{Flags: m.config.Flags, Level: m.verbosity.get, SetLevel: m.setLevel,
			Watchers: func() int { return int(m.watching.Load()) }}}
	r := wire.NewRouter("master")
	r.Handle("/api/v1/scheduler", m.serveScheduler)
	r.Handle("/api/v1", reads.ServeCall)
	r.Handle("/meseta/v1", reads.ServeOwnCall)
	r.Handle("/teardown", reads.ServeTeardown)
	r.Handle("/health", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	r.Handle("/version", reads.ServeVersion)
	r.Handle("/redirect", reads.ServeRedirect)
	r.Handle("/agent-link", m.serveAgent)
	return r
}

func masterInfo(id string, at endpoint.Endpoint) *mesos.MasterInfo {
	ip, port := at.Address.Addr(), uint32(at.Address.Port())
	var packed uint32 // as Mesos writes it: the bytes of the address in network order, read little-endian
	if ip.Is4() {
		b := ip.As4()
		packed = uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	}
	info := &mesos.MasterInfo{
		Id:       &id,
		Ip:       &packed,
		Port:     &port,
		Pid:      new("master@" + at.Address.String()),
		Hostname: &at.Hostname,
		Version:  new(operator.MesosVersion),
		Address:  &mesos.Address{Hostname: &at.Hostname, Ip: new(ip.String()), Port: new(int32(port))},
	}
	// Without QUOTA_V2: mesos-go's JSON reader gives up a stream whose first event has a name that it does
	// not know, and no client asks for this one.
	for _, c := range []mesos.MasterInfo_Capability_Type{mesos.MasterInfo_Capability_AGENT_UPDATE,
		mesos.MasterInfo_Capability_AGENT_DRAINING} {
		info.Capabilities = append(info.Capabilities, &mesos.MasterInfo_Capability{Type: c.Enum()})
	}
	return info
}
