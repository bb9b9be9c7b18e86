package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/wire"
)

// maxSilence is after how long without a sign of life a stream counts as broken: five of the master's
// heartbeats.
const maxSilence = 75 * time.Second

var errSilence = fmt.Errorf("nothing heard for %s", maxSilence)

// brokenError says that a stream of events broke off.
type brokenError struct {
	master string
	err    error
}

func (e *brokenError) Error() string {
	return fmt.Sprintf("master %s: the stream of events broke off: %v", e.master, e.err)
}
func (e *brokenError) Unwrap() error { return e.err }

// records subscribes to the master's events and gives them as they come, encoded. The last thing it gives is an
// error, unless ctx ended; a record is valid until the next one.
func (c *Client) records(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		streaming, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		silence := time.AfterFunc(maxSilence, func() { cancel(errSilence) })
		defer silence.Stop()
		answer, err := c.open(streaming, "/api/v1", &masterpb.Call{Type: masterpb.Call_SUBSCRIBE.Enum()})
		if err != nil {
			if ctx.Err() == nil {
				yield(nil, err)
			}
			return
		}
		defer answer.Body.Close()
		reader := wire.NewRecordReader(answer.Body, maxAnswer)
		for {
			record, err := reader.Next()
			switch {
			case ctx.Err() != nil:
				return
			case errors.Is(context.Cause(streaming), errSilence):
				err = errSilence
			}
			if err != nil {
				yield(nil, &brokenError{c.Master, err})
				return
			}
			silence.Reset(maxSilence)
			if !yield(record, nil) {
				return
			}
		}
	}
}

// events subscribes to the master's events, heartbeats left out.
func (c *Client) events(ctx context.Context) iter.Seq2[*masterpb.Event, error] {
	return func(yield func(*masterpb.Event, error) bool) {
		for record, err := range c.records(ctx) {
			e := new(masterpb.Event)
			if err == nil {
				if err = c.codec.Unmarshal(record, e); err != nil {
					err = fmt.Errorf("master %s: event: %w", c.Master, err)
				}
			}
			if err == nil && e.GetType() == masterpb.Event_HEARTBEAT {
				continue
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
