package agent

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/wire"
)

const (
	linkProtocol = "meseta-agent/1"
	linkPath     = "/agent-link"

	// Between two rounds through the masters the agent waits, at random up to a limit that doubles.
	minPause = 50 * time.Millisecond
	maxPause = 2 * time.Second

	// sayAgain is how often the log hears of masters that cannot be reached.
	sayAgain = time.Minute

	// greetTime is how long a master may take to answer Subscribe.
	greetTime = 15 * time.Second
)

// masterLink is a connection to a master.
type masterLink struct {
	*wire.Link
	id       node.LinkID
	accepted atomic.Pointer[session]
	taken    chan struct{} // closed when accepted is set
}

// session is what a master said when it took the agent.
type session struct {
	number, epoch uint64
	ping          time.Duration
	missed        int
}

// follow keeps the agent connected to a master until ctx ends.
func (a *agent) follow(ctx context.Context) {
	limit := minPause
	var said time.Time
	for ctx.Err() == nil {
		var last error
		for _, address := range a.config.Masters {
			if ctx.Err() != nil {
				return
			}
			taken, err := a.tryMaster(ctx, address)
			if taken {
				limit, said = minPause, time.Now()
			} else if err != nil {
				last = err
			}
		}
		if last != nil && time.Since(said) > sayAgain && ctx.Err() == nil {
			a.log.Warn("no master takes this agent; trying on", "masters", a.config.Masters, "error", last)
			said = time.Now()
		}
		pause(ctx, minPause/2+rand.N(limit))
		limit = min(2*limit, maxPause)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// tryMaster stays with one master as long as it can, and reports whether the master had taken the agent,
// or why it could not be reached.
func (a *agent) tryMaster(ctx context.Context, address string) (taken bool, err error) {
	log := a.log.With("master", address)
	raw, err := wire.DialLink(ctx, "http://"+address+linkPath, linkProtocol, nil, wire.DialOptions{})
	if err != nil {
		log.Debug("master not reached", "error", err)
		return false, err
	}
	k := &masterLink{Link: raw, id: node.LinkID(a.nextLink.Add(1)), taken: make(chan struct{})}
	err = a.serveLink(ctx, k)
	if ctx.Err() == nil {
		level := slog.LevelDebug
		if k.accepted.Load() != nil {
			level = slog.LevelWarn
		}
		log.Log(ctx, level, "link to the master ended", "error", err)
	}
	return k.accepted.Load() != nil, nil
}

// serveLink reads a link until it ends.
func (a *agent) serveLink(ctx context.Context, k *masterLink) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	guard := context.AfterFunc(ctx, func() { // what was said last shall arrive, if it can
		k.Finish(context.Cause(ctx))
		time.AfterFunc(time.Second, func() { k.Close(context.Cause(ctx)) })
	})
	defer guard()
	defer a.loop.back.put(node.LinkClosed{Link: k.id})

	if err := a.loop.deliverPatiently(ctx, delivery{in: node.LinkOpened{Link: k.id}, link: k}); err != nil {
		return err
	}
	a.watch.Go(func() { k.keepAlive(ctx) })
	err := a.receive(ctx, k)
	k.Close(err)
	return err
}

func (a *agent) receive(ctx context.Context, k *masterLink) error {
	decoder := linkDecoder{accounts: a.accounts}
	for {
		record, err := k.Receive()
		if err != nil {
			return err
		}
		message := new(linkpb.MasterMessage)
		if err := proto.Unmarshal(record, message); err != nil {
			return fmt.Errorf("message of the master: %w", err)
		}
		body, err := decoder.decode(message)
		if err != nil {
			return fmt.Errorf("message of the master: %w", err)
		}
		if s := message.GetSubscribed(); s != nil && k.accepted.Load() == nil {
			k.accepted.Store(&session{message.Session, message.Epoch, time.Duration(s.PingIntervalNs), int(s.MaxMissedPings)})
			close(k.taken)
		}
		if body == nil {
			continue
		}
		in := node.FromMaster{Link: k.id, Session: message.Session, Epoch: message.Epoch, Body: body}
		if err := a.loop.deliverPatiently(ctx, delivery{in: in}); err != nil {
			return err
		}
	}
}

// keepAlive says something now and then, and ends a link on which nothing was heard for too long.
func (k *masterLink) keepAlive(ctx context.Context) {
	begin := time.Now()
	timer := time.NewTimer(greetTime)
	defer timer.Stop()
	taken := k.taken
	for said := begin; ; {
		select {
		case <-timer.C:
		case <-taken:
			taken = nil
		case <-k.Done():
			return
		case <-ctx.Done():
			return
		}
		s := k.accepted.Load()
		if s == nil && k.Queued() > 0 && time.Since(begin) < 2*time.Minute { // it is still being told what runs here
			timer.Reset(greetTime)
			continue
		}
		if s == nil {
			k.Close(fmt.Errorf("the master did not answer within %s", greetTime))
			return
		}
		if s.ping <= 0 {
			return // a master that wants no signs of life gives none
		}
		if silent := time.Since(k.LastReceived()); silent > s.ping*time.Duration(max(1, s.missed)) {
			k.Close(fmt.Errorf("nothing heard from the master for %s", silent.Round(time.Second)))
			return
		}
		if time.Since(said) >= s.ping {
			said = time.Now()
			if k.ping(s) != nil {
				return
			}
		}
		timer.Reset(max(s.ping/4, time.Millisecond))
	}
}

func (k *masterLink) ping(s *session) error {
	record, err := proto.Marshal(&linkpb.AgentMessage{Session: s.number, Epoch: s.epoch,
		Body: &linkpb.AgentMessage_Ping{Ping: &linkpb.Ping{}}})
	if err != nil {
		return err
	}
	return k.Send(record)
}
