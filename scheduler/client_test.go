package scheduler_test

import (
	"context"
	"errors"
	"testing"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/scheduler"
)

func newClient(t *testing.T, cfg scheduler.Config) *scheduler.Client {
	c, err := scheduler.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestClientGivesEventsAndTakesCalls(t *testing.T) {
	master := new(fakeMaster)
	c := newClient(t, config(master.Start(t)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		sub := master.Subscription(t)
		sub.Send(subscribed())
		sub.SendRaw([]byte("\xff"))
		sub.Send(offers("O1"))
		if call := master.Call(t); call.Message.GetType() != schedulerpb.Call_REVIVE ||
			call.Message.GetFrameworkId().GetValue() != "F" || call.Header.Get("Mesos-Stream-Id") != sub.ID {
			t.Errorf("call %v on %q", call.Message, call.Header)
		}
		sub.End()
	}()

	var got []string
	for ev, err := range c.Events(t.Context()) {
		if _, skipped := errors.AsType[*scheduler.UndecodableError](err); skipped {
			got = append(got, "nonsense")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ev.GetType().String())
		if ev.GetType() == schedulerpb.Event_OFFERS {
			if err := c.Call(t.Context(), &schedulerpb.Call{Type: schedulerpb.Call_REVIVE.Enum()}); err != nil {
				t.Error(err)
			}
		}
	}
	<-done
	if len(got) != 3 || got[0] != "SUBSCRIBED" || got[1] != "nonsense" || got[2] != "OFFERS" {
		t.Errorf("events %v", got)
	}
}

func TestClientSubscribesAgainAsTheSameFramework(t *testing.T) {
	master := new(fakeMaster)
	c := newClient(t, config(master.Start(t)))
	for i, want := range []string{"", "F"} {
		ids := make(chan string, 1)
		go func() {
			sub := master.Subscription(t)
			ids <- sub.Message.GetFrameworkId().GetValue()
			sub.Send(subscribed())
		}()
		for _, err := range c.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if got := <-ids; got != want {
			t.Errorf("subscription %d as %q, want %q", i, got, want)
		}
	}
}

func TestClientReportsRefusals(t *testing.T) {
	master := new(fakeMaster)
	master.Answer = func(*schedulerpb.Call) (int, string) { return 400, "no" }
	c := newClient(t, config(master.Start(t)))
	err := c.Call(t.Context(), &schedulerpb.Call{Type: schedulerpb.Call_REVIVE.Enum()})
	if status, ok := errors.AsType[*scheduler.StatusError](err); !ok || status.Code != 400 || status.Body != "no" {
		t.Errorf("error %v", err)
	}

	master.Subscribing = refuse(403, "never")
	for _, err := range c.Events(t.Context()) {
		if status, ok := errors.AsType[*scheduler.StatusError](err); !ok || status.Code != 403 {
			t.Errorf("error %v", err)
		}
	}
}

func TestClientNoticesThatItsMasterIsGone(t *testing.T) {
	master := new(fakeMaster)
	cfg := config(master.Start(t))
	for name, lose := range map[string]func(*subscription){
		"cut":    func(s *subscription) { s.Cut() },
		"silent": func(*subscription) {},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, cfg)
			go func() {
				sub := master.Subscription(t)
				ev := subscribed().(*schedulerpb.Event)
				ev.Subscribed.HeartbeatIntervalSeconds = new(0.01)
				sub.Send(ev)
				lose(sub)
			}()
			var last error
			for _, err := range c.Events(t.Context()) {
				last = err
			}
			if last == nil {
				t.Error("the events end without an error")
			}
		})
	}
}

func TestClientEndsWithItsContext(t *testing.T) {
	master := new(fakeMaster)
	c := newClient(t, config(master.Start(t)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { master.Subscription(t).Send(subscribed()) }()
	var last error
	for _, err := range c.Events(ctx) {
		last = err
		cancel()
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("the events end with %v, want %v", last, context.Canceled)
	}
}
