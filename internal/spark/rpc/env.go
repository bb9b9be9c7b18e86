package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/serial"
)

// Config is what an Env can be told. The zero value of each field is its default.
type Config struct {
	// Advertise is the address that goes into every message, by which peers know us: the one under
	// which they reach our listener. None for a process that does not listen.
	Advertise endpoint.Address

	// Secret is spark.authenticate.secret. If it is set, both sides of every connection have to know it.
	Secret string

	AskTimeout     time.Duration // spark.rpc.askTimeout: how long an ask waits at most; 120 s
	ConnectTimeout time.Duration // spark.rpc.io.connectionCreationTimeout; 120 s
	IdleTimeout    time.Duration // how long a peer may take over one frame; 120 s
	AuthTimeout    time.Duration // spark.network.auth.rpcTimeout: how long it may take to prove the secret; 30 s

	MaxFrame int           // bytes of the longest frame that is accepted; 32 MiB
	Limits   serial.Limits // of the object graphs in messages

	Log *slog.Logger // silent if nil
}

func (c Config) orDefault() Config {
	wait := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	wait(&c.AskTimeout, 120*time.Second)
	wait(&c.ConnectTimeout, 120*time.Second)
	wait(&c.IdleTimeout, 120*time.Second)
	wait(&c.AuthTimeout, 30*time.Second)
	if c.MaxFrame <= 0 {
		c.MaxFrame = 32 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Env is this process's end of Spark's RPC. Register its endpoints, then Run it; what is sent before
// Run waits for it.
type Env struct {
	cfg Config // immutable

	mu        sync.Mutex
	endpoints map[string]Endpoint
	conns     map[endpoint.ConnID]*conn
	lastConn  endpoint.ConnID
	outboxes  map[endpoint.Address]*outbox
	waiting   []func(context.Context) // to be started by Run
	ctx       context.Context         // of Run; nil before
	stopped   bool
	wg        sync.WaitGroup
}

// NewEnv makes an Env that does nothing yet.
func NewEnv(cfg Config) *Env {
	return &Env{
		cfg:       cfg.orDefault(),
		endpoints: make(map[string]Endpoint),
		conns:     make(map[endpoint.ConnID]*conn),
		outboxes:  make(map[endpoint.Address]*outbox),
	}
}

// Address is where peers are told that we are.
func (e *Env) Address() endpoint.Address { return e.cfg.Advertise }

// Register makes an endpoint known under a name. The last of a name counts.
func (e *Env) Register(name string, ep Endpoint) endpoint.Ref {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endpoints[name] = ep
	return endpoint.Ref{Name: name, Address: e.cfg.Advertise}
}

// Run serves until ctx is done, and returns when every connection and goroutine is gone. It accepts on
// ln unless that is nil, and closes it. It can be called once.
func (e *Env) Run(ctx context.Context, ln net.Listener) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	e.start(ctx)
	var accepting sync.WaitGroup
	if ln != nil {
		accepting.Go(func() { stop(e.accept(ctx, ln)) })
		accepting.Go(func() {
			<-ctx.Done()
			ln.Close()
		})
	}
	<-ctx.Done()
	accepting.Wait()
	e.stop()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func (e *Env) start(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ctx = ctx
	for _, f := range e.waiting {
		e.wg.Go(func() { f(ctx) })
	}
	e.waiting = nil
}

func (e *Env) stop() {
	e.mu.Lock()
	e.stopped = true
	left := e.outboxes
	e.outboxes = nil
	e.mu.Unlock()
	for _, o := range left {
		o.close(ErrStopped)
	}
	e.wg.Wait()
}

// spawnLocked runs f on a goroutine of Run, now or when that begins.
func (e *Env) spawnLocked(f func(context.Context)) error {
	switch {
	case e.stopped:
		return ErrStopped
	case e.ctx == nil:
		e.waiting = append(e.waiting, f)
	default:
		e.wg.Go(func() { f(e.ctx) })
	}
	return nil
}

// accept takes in connections until ctx is done.
func (e *Env) accept(ctx context.Context, ln net.Listener) error {
	for {
		nc, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				nc.Close()
			}
			return nil
		case err != nil:
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED) {
				e.cfg.Log.Warn("cannot accept a connection", "err", err)
				time.Sleep(50 * time.Millisecond) // out of descriptors: others have to end first
				continue
			}
			return fmt.Errorf("accepting connections on %v: %w", ln.Addr(), err)
		}
		c := newConn(e, nc, socketAddress(nc), false)
		if e.cfg.Secret != "" {
			c.auth = newServerAuth(e.cfg.Secret)
			nc.SetReadDeadline(time.Now().Add(e.cfg.AuthTimeout))
		}
		e.mu.Lock()
		err = e.spawnLocked(func(ctx context.Context) { e.serve(ctx, c, nil) })
		e.mu.Unlock()
		if err != nil {
			nc.Close()
		}
	}
}

func socketAddress(nc net.Conn) endpoint.Address {
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		return endpoint.Address{Host: a.IP.String(), Port: a.Port}
	}
	return endpoint.Address{Host: nc.RemoteAddr().String()}
}

// serve runs a connection from its first to its last moment, box being what dialled it, if we did. When
// endpoints hear of its end, the next message to the peer makes a new one.
func (e *Env) serve(ctx context.Context, c *conn, box *outbox) {
	e.admit(c)
	if c.auth == nil {
		e.connected(c)
	}
	if box != nil {
		box.open(c)
	}
	err := c.run(ctx)
	e.mu.Lock()
	delete(e.conns, c.id)
	e.removeLocked(box, c.socket)
	e.mu.Unlock()
	if err != nil && !errors.Is(err, context.Cause(ctx)) {
		e.cfg.Log.Warn("connection ended by an error", "peer", c.socket.String(), "err", err)
	}
	if c.started {
		e.tell(Event{Kind: Disconnected, Conn: c.id, Address: c.socket, Err: err})
		if !c.sender.IsZero() && c.sender != c.socket {
			e.tell(Event{Kind: Disconnected, Conn: c.id, Address: c.sender, Err: err})
		}
	}
}

// admit gives a connection its id.
func (e *Env) admit(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lastConn++
	c.id = e.lastConn
	e.conns[c.id] = c
}

// connected tells the endpoints of a connection that may be used.
func (e *Env) connected(c *conn) {
	c.started = true
	e.tell(Event{Kind: Connected, Conn: c.id, Address: c.socket})
}

// tell tells every endpoint.
func (e *Env) tell(ev Event) {
	e.mu.Lock()
	all := make([]Endpoint, 0, len(e.endpoints))
	for _, ep := range e.endpoints {
		all = append(all, ep)
	}
	e.mu.Unlock()
	for _, ep := range all {
		ep.Event(ev)
	}
}
