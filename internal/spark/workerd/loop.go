package workerd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/rpc"
	"github.com/meseta/meseta/internal/spark/serial"
	"github.com/meseta/meseta/internal/spark/worker"
)

// daemon is a Worker that runs.
type daemon struct {
	// immutable
	cfg     Config
	build   *deploy.Build
	env     *rpc.Env
	self    endpoint.Ref
	webUI   string
	scratch *scratch
	log     *slog.Logger
	begin   time.Time

	in    inputs            // from what runs here
	peers chan worker.Input // from connections, in their order; a peer that sends too much has to wait
	ended chan struct{}     // closed when nobody takes from peers any more
	view  atomic.Pointer[worker.View]

	// owned by the loop
	core        *worker.Worker
	executors   map[worker.ExecutorID]context.CancelFunc
	drivers     map[string]context.CancelFunc
	registering context.CancelFunc // ends the attempts to register that are on their way
	exit        *worker.Exit

	jobs sync.WaitGroup // everything that the loop started
}

// inputs is a queue that never refuses: what comes in is bounded by what runs here.
type inputs struct {
	ready chan struct{}

	mu    sync.Mutex
	items []worker.Input
}

func (q *inputs) put(in worker.Input) {
	q.mu.Lock()
	q.items = append(q.items, in)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

func (q *inputs) take() []worker.Input {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.items
	q.items = nil
	return all
}

func (d *daemon) now() core.Time {
	now := time.Now()
	return core.Time{Mono: now.Sub(d.begin), Wall: now}
}

// farewell is how long the end of everything may take: the time for processes to end, twice, and a bit.
const farewell = 2*terminateTimeout + 5*time.Second

// loop runs the core until ctx is done or the core wants to exit, and then until nothing runs any more.
func (d *daemon) loop(ctx context.Context) error {
	jobs, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer d.jobs.Wait()
	defer abandon()
	defer close(d.ended)
	d.step(jobs, worker.Start{})
	for d.exit == nil {
		if !d.turn(ctx, jobs) {
			d.step(jobs, worker.Stop{})
			break
		}
	}
	last, cancel := context.WithTimeout(jobs, farewell)
	defer cancel()
	for len(d.core.View().Executors)+len(d.core.View().Drivers) > 0 && d.turn(last, jobs) {
	}
	if d.exit != nil {
		return errors.New(d.exit.Why)
	}
	return nil
}

// turn waits for inputs or for time to pass, and handles them. It is false when ctx is done.
func (d *daemon) turn(ctx, jobs context.Context) bool {
	var timer <-chan time.Time
	if at := d.core.Deadline(); at != core.Never {
		t := time.NewTimer(at - d.now().Mono)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-timer:
		d.step(jobs, worker.Tick{})
	case in := <-d.peers:
		d.step(jobs, in)
	case <-d.in.ready:
		for _, in := range d.in.take() {
			d.step(jobs, in)
		}
	}
	return true
}

func (d *daemon) step(ctx context.Context, in worker.Input) {
	fresh := true
	for _, o := range d.core.Step(d.now(), in) {
		switch o := o.(type) {
		case worker.Register:
			if fresh { // those of one step go side by side
				fresh = false
				if d.registering != nil {
					d.registering()
				}
				d.registering = nil
			}
			d.register(ctx, o)
		case worker.Send:
			d.send(o.To, o.Message)
		case worker.Report:
			d.report(ctx, o)
		case worker.StartExecutor:
			job, cancel := context.WithCancel(ctx)
			d.executors[o.ID] = cancel
			d.jobs.Go(func() { d.runExecutor(job, o.ID, o.Launch) })
		case worker.KillExecutor:
			d.executors[o.ID]()
		case worker.StartDriver:
			job, cancel := context.WithCancel(ctx)
			d.drivers[o.ID] = cancel
			d.jobs.Go(func() { d.runDriver(job, o.ID, o.Launch) })
		case worker.KillDriver:
			d.drivers[o.ID]()
		case worker.RemoveApplication:
			d.jobs.Go(func() { d.removeApplication(o.AppID) })
		case worker.CleanWorkDir:
			ttl := d.cfg.Properties.Seconds("spark.worker.cleanup.appDataTtl", 7*24*time.Hour)
			d.jobs.Go(func() { cleanWorkDir(d.cfg.WorkDir, o.Keep, ttl, time.Now(), d.log) })
		case worker.Exit:
			d.exit = &o
		case worker.Notice:
			d.note(o)
		}
	}
	d.forget(in)
	view := d.core.View()
	d.view.Store(&view)
}

// forget lets go of what has ended.
func (d *daemon) forget(in worker.Input) {
	switch in := in.(type) {
	case worker.ExecutorChanged:
		if cancel := d.executors[in.ID]; cancel != nil && in.State.Finished() {
			cancel()
			delete(d.executors, in.ID)
		}
	case worker.DriverChanged:
		if cancel := d.drivers[in.ID]; cancel != nil {
			cancel()
			delete(d.drivers, in.ID)
		}
	}
}

// register looks for a Master and introduces the Worker.
func (d *daemon) register(ctx context.Context, o worker.Register) {
	attempt, cancel := context.WithCancel(ctx)
	before := d.registering
	d.registering = func() {
		cancel()
		if before != nil {
			before()
		}
	}
	d.jobs.Go(func() {
		defer cancel()
		ref, err := d.env.Lookup(attempt, d.build.Classes(), o.To, "Master")
		if err == nil {
			err = d.write(ref, o.Message)
		}
		if err != nil && attempt.Err() == nil {
			d.log.Warn("failed to connect to a Master", "master", o.To.URL(), "err", err)
		}
	})
}

func (d *daemon) write(to endpoint.Ref, m deploy.Message) error {
	content, err := d.build.Encode(m)
	if err != nil {
		return err
	}
	return d.env.Send(to, content)
}

func (d *daemon) send(to endpoint.Ref, m deploy.Message) {
	if err := d.write(to, m); err != nil {
		if errors.Is(err, rpc.ErrDisconnected) { // noticed here first
			d.in.put(worker.Disconnected{Conn: to.Via})
		}
		d.log.Error("message to the Master is lost", "message", fmt.Sprintf("%T", m), "master", to.Address.URL(), "err", err)
	}
}

// report asks the Master to take note of an executor's state. The question is on its way when report
// returns, so that questions keep their order.
func (d *daemon) report(ctx context.Context, o worker.Report) {
	failed := func(err error) {
		d.in.put(worker.Reported{Report: o.Message, Err: err.Error(), Timeout: errors.Is(err, rpc.ErrNoAnswer)})
	}
	var call *rpc.Call
	content, err := d.build.Encode(o.Message)
	if err == nil {
		call, err = d.env.Begin(o.To, content)
	}
	if err != nil {
		failed(err)
		return
	}
	d.jobs.Go(func() {
		if _, err := call.Wait(ctx); err != nil {
			failed(err)
			return
		}
		d.in.put(worker.Reported{Report: o.Message})
	})
}

func (d *daemon) removeApplication(app string) {
	if err := d.scratch.remove(app); err != nil {
		d.log.Error("cannot remove the local directories of an application", "app", app, "err", err)
	}
}

func (d *daemon) note(n worker.Notice) {
	level := map[worker.Level]slog.Level{
		worker.Debug: slog.LevelDebug, worker.Info: slog.LevelInfo, worker.Warn: slog.LevelWarn, worker.Error: slog.LevelError,
	}[n.Level]
	var attrs []slog.Attr
	for _, a := range []slog.Attr{slog.String("master", n.Master), slog.String("app", n.App), slog.String("driver", n.Driver), slog.String("detail", n.Detail)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if n.Exec != nil {
		attrs = append(attrs, slog.Int("executor", *n.Exec))
	}
	d.log.LogAttrs(context.Background(), level, n.Text, attrs...)
}

// mailbox is the endpoint "Worker".
type mailbox struct{ d *daemon }

func (m mailbox) put(in worker.Input) {
	select {
	case m.d.peers <- in:
	case <-m.d.ended:
	}
}

// Receive takes a message of a Master.
func (m mailbox) Receive(msg *rpc.Message) {
	message, err := deploy.Decode(msg.Content, msg.Conn)
	if err != nil {
		m.d.log.Warn("a message is not understood", "sender", msg.Sender.String(), "err", err)
		if in, ok := unreadable(msg.Content, err); ok {
			m.put(in)
		}
		if err := msg.Fail(err); err != nil {
			m.d.log.Debug("nobody to tell", "err", err)
		}
		return
	}
	if msg.Asked() { // Spark's Worker answers none that comes from outside
		if err := msg.Fail(fmt.Errorf("unsupported message %s", serial.Describe(msg.Content))); err != nil {
			m.d.log.Debug("nobody to tell", "err", err)
		}
		return
	}
	m.put(worker.Received{Message: message})
}

// unreadable tells what a message that is not understood wanted to start, if it says so much.
func unreadable(content serial.Value, err error) (worker.Unreadable, bool) {
	in := worker.Unreadable{Err: err.Error()}
	o, ok := content.(*serial.Object)
	if !ok {
		return in, false
	}
	app, errApp := serial.Get[string](o, "appId")
	exec, errExec := serial.Get[int32](o, "execId")
	driver, errDriver := serial.Get[string](o, "driverId")
	switch class := o.Class.Name; {
	case strings.HasSuffix(class, "$LaunchExecutor") && errApp == nil && errExec == nil:
		in.Executor = &worker.ExecutorID{App: app, Exec: int(exec)}
	case strings.HasSuffix(class, "$LaunchDriver") && errDriver == nil:
		in.Driver = driver
	default:
		return in, false
	}
	return in, true
}

// Event takes note of lost connections.
func (m mailbox) Event(e rpc.Event) {
	if e.Kind == rpc.Disconnected {
		m.put(worker.Disconnected{Conn: e.Conn})
	}
}
