package scheduler

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/sdk/schedulercore"
	"github.com/meseta/meseta/internal/wire"
)

// Errors of a Client.
type (
	// StatusError is an answer that is not the expected one; Body is the master's explanation.
	StatusError = wire.StatusError

	// UndecodableError is an event that makes no sense. The ones after it may.
	UndecodableError = wire.UndecodableError
)

// ErrNoAnswer means that a call was sent and that nobody knows what became of it.
var ErrNoAnswer = wire.ErrNoAnswer

// Client is the scheduler API without a driver's promises, for those who prefer a loop to callbacks. It
// finds the leading master, subscribes, encodes and decodes. It never subscribes again by itself, repeats
// no call, acknowledges nothing and reconciles nothing.
//
// Its methods may be called from any goroutine.
type Client struct {
	wire      *wire.Client // immutable
	codec     wire.Codec   // immutable
	tolerance int          // immutable

	mu   sync.Mutex
	info *mesos.FrameworkInfo // with its id, once there is one; not changed in place
}

// NewClient makes a client. Of the configuration it heeds what is about the masters and the framework.
// Close closes it.
func NewClient(cfg Config) (*Client, error) {
	cfg, info, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	opts := cfg.wireOptions()
	w, err := wire.NewClient(opts)
	if err != nil {
		return nil, err
	}
	return &Client{wire: w, codec: opts.Codec, tolerance: cfg.HeartbeatTolerance, info: info}, nil
}

// Events subscribes and gives the events of that subscription, from SUBSCRIBED on, until the context ends,
// the loop is left, or the master is lost. It ends without an error only if the master ended it on purpose,
// which usually comes after an ERROR event. An UndecodableError takes the place of one event; any other error
// is the last thing in the sequence.
//
// Another range over Events subscribes again as the same framework.
func (c *Client) Events(ctx context.Context) iter.Seq2[*schedulerpb.Event, error] {
	return func(yield func(*schedulerpb.Event, error) bool) {
		stream, err := c.wire.Subscribe(ctx, c.subscribe())
		if err != nil {
			yield(nil, err)
			return
		}
		defer stream.Close()
		for {
			ev := new(schedulerpb.Event)
			err := stream.Next(ev)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				ev = nil
			}
			if ev.GetType() == schedulerpb.Event_SUBSCRIBED {
				c.subscribed(stream, ev.GetSubscribed())
			}
			_, skipped := errors.AsType[*UndecodableError](err)
			if !yield(ev, err) || err != nil && !skipped {
				return
			}
		}
	}
}

// Call makes a call, after filling the framework's id in if it is missing. It returns a StatusError when
// the master has another answer than yes, and ErrNoAnswer when nobody knows.
func (c *Client) Call(ctx context.Context, call *schedulerpb.Call) error {
	if call.FrameworkId == nil {
		call.FrameworkId = c.framework().GetId()
	}
	return c.wire.Call(ctx, call)
}

// Close closes the client's connection for calls. Events are ended by their context.
func (c *Client) Close() error { return c.wire.Close() }

func (c *Client) subscribe() *schedulerpb.Call {
	info := c.framework()
	return &schedulerpb.Call{
		FrameworkId: info.GetId(),
		Type:        schedulerpb.Call_SUBSCRIBE.Enum(),
		Subscribe:   &schedulerpb.Call_Subscribe{FrameworkInfo: info},
	}
}

// subscribed remembers the framework's id, and how long the master may be silent.
func (c *Client) subscribed(stream *wire.EventStream, ev *schedulerpb.Event_Subscribed) {
	stream.SetSilence(time.Duration(c.tolerance) * schedulercore.HeartbeatInterval(ev))

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.info.GetId() == nil {
		c.info = proto.CloneOf(c.info)
		c.info.Id = ev.GetFrameworkId()
	}
}

func (c *Client) framework() *mesos.FrameworkInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.info
}
