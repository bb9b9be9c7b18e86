package masterd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/master"
	"github.com/meseta/meseta/internal/spark/rpc"
)

// daemon is a Master that runs.
type daemon struct {
	// immutable
	cfg   Config
	env   *rpc.Env
	store Store
	log   *slog.Logger
	begin time.Time

	peers chan event              // from everybody, in order; who sends too much has to wait
	views chan chan<- master.View // questions of the pages
	ended chan struct{}           // closed when nobody takes from them any more

	// owned by the loop
	core  *master.Master
	calls map[master.CallID]func(any) error
	call  master.CallID
}

// event is an input, and what to do with the answer if it is a question.
type event struct {
	in     master.Input
	answer func(any) error
}

// put hands an event to the loop. It is false if the Master ends.
func (d *daemon) put(e event) bool {
	select {
	case d.peers <- e:
		return true
	case <-d.ended:
		return false
	}
}

var errEnding = errors.New("the Master ends")

// ask asks the core on behalf of a page or a submission.
func (d *daemon) ask(ctx context.Context, m deploy.Message, builds []*deploy.Build) (any, error) {
	answers := make(chan any, 1)
	if !d.put(event{in: master.Asked{Message: m, Builds: builds}, answer: func(v any) error { answers <- v; return nil }}) {
		return nil, errEnding
	}
	select {
	case v := <-answers:
		return v, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-d.ended:
		return nil, errEnding
	}
}

// view is how everything is now.
func (d *daemon) view(ctx context.Context) (master.View, error) {
	answer := make(chan master.View, 1)
	select {
	case d.views <- answer:
		return <-answer, nil
	case <-ctx.Done():
		return master.View{}, context.Cause(ctx)
	case <-d.ended:
		return master.View{}, errEnding
	}
}

func (d *daemon) now() core.Time {
	now := time.Now()
	return core.Time{Mono: now.Sub(d.begin), Wall: now}
}

// loop runs the core until ctx is done, or until something cannot be kept that must be.
func (d *daemon) loop(ctx context.Context) error {
	defer close(d.ended)
	for ctx.Err() == nil {
		if err := d.turn(ctx); err != nil {
			return err
		}
	}
	return nil
}

// turn waits for one event, a question or for time to pass, and handles it.
func (d *daemon) turn(ctx context.Context) error {
	var timer <-chan time.Time
	if at := d.core.Deadline(); at != core.Never {
		t := time.NewTimer(at - d.now().Mono)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-timer:
		return d.step(event{in: master.Tick{}})
	case e := <-d.peers:
		return d.step(e)
	case answer := <-d.views:
		answer <- d.core.View()
	}
	return nil
}

func (d *daemon) step(e event) error {
	if asked, ok := e.in.(master.Asked); ok {
		d.call++
		asked.Call = d.call
		d.calls[d.call] = e.answer
		e.in = asked
	}
	for _, o := range d.core.Step(d.now(), e.in) {
		switch o := o.(type) {
		case master.Send:
			d.send(o)
		case master.Reply:
			answer := d.calls[o.Call]
			delete(d.calls, o.Call)
			if err := answer(o.Value); err != nil {
				d.log.Warn("an answer is lost", "err", err)
			}
		case master.Save:
			if err := d.store.Save(o.Record); err != nil {
				return fmt.Errorf("%s cannot be kept, and a Master that forgets it must not go on: %w", o.Record.Key(), err)
			}
		case master.Forget:
			if err := d.store.Forget(o.Key); err != nil {
				return fmt.Errorf("the record of %s cannot be removed: %w", o.Key, err)
			}
		case master.Notice:
			d.note(o)
		}
	}
	return nil
}

func (d *daemon) send(o master.Send) {
	content, err := o.Build.Encode(o.Message)
	if err == nil {
		err = d.env.Send(o.To, content)
	}
	switch {
	case err == nil:
	case errors.Is(err, rpc.ErrDisconnected): // the event that tells so is on its way
		d.log.Debug("a message is lost", "message", fmt.Sprintf("%T", o.Message), "to", o.To.String(), "err", err)
	default:
		d.log.Error("a message cannot be sent", "message", fmt.Sprintf("%T", o.Message), "to", o.To.String(), "err", err)
	}
}

var levels = map[master.Level]slog.Level{
	master.Debug: slog.LevelDebug, master.Info: slog.LevelInfo, master.Warn: slog.LevelWarn, master.Error: slog.LevelError,
}

func (d *daemon) note(n master.Notice) {
	var attrs []slog.Attr
	for _, a := range []slog.Attr{slog.String("worker", n.Worker), slog.String("app", n.App), slog.String("driver", n.Driver), slog.String("detail", n.Detail)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if n.Exec != nil {
		attrs = append(attrs, slog.Int("executor", *n.Exec))
	}
	d.log.LogAttrs(context.Background(), levels[n.Level], n.Text, attrs...)
}

// mailbox is the endpoint "Master".
type mailbox struct{ d *daemon }

// Receive takes a message of a Worker, an application or somebody who submits.
func (m mailbox) Receive(msg *rpc.Message) {
	message, err := deploy.Decode(msg.Content, msg.Conn)
	if err == nil && msg.Asked() && !forOthers(message) {
		err = fmt.Errorf("unsupported message %T", message)
	}
	if err != nil {
		m.d.log.Warn("a message is not understood", "sender", msg.Sender.String(), "err", err)
		if err := msg.Fail(err); err != nil {
			m.d.log.Debug("nobody to tell", "err", err)
		}
		return
	}
	builds := deploy.BuildsOf(msg.Content)
	if !msg.Asked() {
		m.d.put(event{in: master.Received{Message: message, Builds: builds}})
		return
	}
	m.d.put(event{in: master.Asked{Message: message, Builds: builds}, answer: func(v any) error { return reply(msg, v, builds) }})
}

// forOthers tells whether a question is one that other processes ask.
func forOthers(m deploy.Message) bool {
	switch m.(type) {
	case deploy.ExecutorStateChanged, deploy.RequestExecutors, deploy.KillExecutors,
		deploy.RequestSubmitDriver, deploy.RequestKillDriver, deploy.RequestDriverStatus:
		return true
	}
	return false
}

// reply answers in the classes of whoever asked.
func reply(msg *rpc.Message, v any, builds []*deploy.Build) error {
	switch v := v.(type) {
	case bool:
		return msg.Reply(rpc.Boolean(v))
	case deploy.Message:
		if len(builds) == 0 {
			return msg.Fail(fmt.Errorf("the question is of a Spark that is not supported: expected one of %v", deploy.Builds()))
		}
		content, err := builds[0].Encode(v)
		if err != nil {
			return errors.Join(err, msg.Fail(err))
		}
		return msg.Reply(content)
	}
	return msg.Fail(fmt.Errorf("the answer %v cannot be written", v))
}

// Event takes note of lost connections.
func (m mailbox) Event(e rpc.Event) {
	switch e.Kind {
	case rpc.Disconnected:
		m.d.put(event{in: master.Disconnected{Conn: e.Conn, Address: e.Address}})
	case rpc.Unreachable:
		m.d.log.Warn("cannot connect", "peer", e.Address.String(), "err", e.Err)
	}
}
