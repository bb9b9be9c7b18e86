package registry

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errLeaseGone says that a lease does not exist any more.
var errLeaseGone = errors.New("the lease has run out")

// lease is a leader's right to act, as the leader itself sees it: it lasts for the time to live,
// less a margin, from the moment at which the last keep-alive that succeeded was sent. etcd counts
// from the moment at which that keep-alive arrived, with the whole time to live; so the leader stops
// first, even when its clock is slow by no more than the margin.
type lease struct {
	ttl   time.Duration
	renew func(context.Context) error // returns an errLeaseGone when there is nothing to keep alive

	lost chan struct{}
	lose func() // closes lost; may be called again
}

func newLease(ttl time.Duration, renew func(context.Context) error) *lease {
	l := &lease{ttl: ttl, renew: renew, lost: make(chan struct{})}
	l.lose = sync.OnceFunc(func() { close(l.lost) })
	return l
}

// margin is left of the time to live when the leader stops.
func (l *lease) margin() time.Duration { return l.ttl / 5 }

// every is how often the lease is renewed. Two keep-alives may fail before it is lost.
func (l *lease) every() time.Duration { return l.ttl / 5 }

func (l *lease) isLost() bool {
	select {
	case <-l.lost:
		return true
	default:
		return false
	}
}

// keep renews the lease until ctx ends or it is lost. It was granted by a request sent at that moment.
func (l *lease) keep(ctx context.Context, sent time.Time) {
	// The timer is on its own: it fires even while a keep-alive hangs.
	expiry := time.AfterFunc(time.Until(sent.Add(l.ttl-l.margin())), l.lose)
	defer expiry.Stop()
	for wait := l.every(); ; {
		select {
		case <-ctx.Done():
			return
		case <-l.lost:
			return
		case <-time.After(wait):
		}
		sent = time.Now()
		attempt, cancel := context.WithTimeout(ctx, l.every())
		err := l.renew(attempt)
		cancel()
		switch {
		case err == nil:
			expiry.Reset(time.Until(sent.Add(l.ttl - l.margin())))
			wait = l.every()
		case errors.Is(err, errLeaseGone):
			l.lose()
		default:
			wait = l.every() / 10
		}
	}
}
