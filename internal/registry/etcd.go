package registry

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// attemptTimeout is how long one request may take before it is made again.
	attemptTimeout = 5 * time.Second

	// closeTimeout bounds what Close tries for the next leader's sake.
	closeTimeout = 2 * time.Second

	// pageSize is how many keys Load asks for at once.
	pageSize = 1000
)

// etcd is the Registry on an etcd, embedded or not.
type etcd struct {
	// immutable once open
	config    Config
	keys      keys
	client    *clientv3.Client
	clusterID string
	alone     bool         // no other process can lead
	stop      func() error // what Close does in the end

	lifetime context.Context // until Close begins, or the embedded etcd fails
	end      context.CancelCauseFunc

	campaign sync.Mutex // held by Campaign

	mu      sync.Mutex // guards what follows
	leading *leadership
	closing sync.Once
}

// ClusterID implements [Registry].
func (r *etcd) ClusterID() string { return r.clusterID }

// Load implements [Registry].
func (r *etcd) Load(ctx context.Context) (State, error) {
	ctx, cancel := r.within(ctx)
	defer cancel()
	if l := r.current(); l != nil {
		return l.load(ctx)
	}
	return r.read(ctx, func(change) {})
}

// Apply implements [Registry].
func (r *etcd) Apply(ctx context.Context, ops []Op) error {
	if r.lifetime.Err() != nil {
		return context.Cause(r.lifetime)
	}
	l := r.current()
	if l == nil {
		return ErrNotLeader
	}
	return l.apply(ctx, ops)
}

// Close implements [Registry].
func (r *etcd) Close() error {
	var err error
	r.closing.Do(func() {
		r.end(ErrClosed)
		r.campaign.Lock() // a Campaign that was under way has ended, maybe by winning
		defer r.campaign.Unlock()
		if r.leading != nil {
			ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
			defer cancel()
			err = r.leading.Resign(ctx)
		}
		err = errors.Join(err, r.stop())
	})
	return err
}

// current is the leadership that has not been lost as yet.
func (r *etcd) current() *leadership {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leading == nil || r.leading.isLost() {
		return nil
	}
	return r.leading
}

// within returns a context that also ends with the registry.
func (r *etcd) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return both(ctx, r.lifetime)
}

// both returns a context that ends with ctx and, with its cause, with the other one.
func both(ctx, other context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(other, func() { cancel(context.Cause(other)) })
	return ctx, func() { stop(); cancel(nil) }
}

// read returns everything that stands in the registry at one moment after the call, and notes it.
func (r *etcd) read(ctx context.Context, note func(change)) (State, error) {
	var state State
	from, revision := r.keys.first(), int64(0)
	for from != "" {
		var page *clientv3.GetResponse
		err := r.insist(ctx, func(ctx context.Context) (err error) {
			page, err = r.client.Get(ctx, from, clientv3.WithRange(r.keys.end()), clientv3.WithLimit(pageSize), clientv3.WithRev(revision))
			return err
		})
		if err != nil {
			return State{}, err
		}
		revision = page.Header.Revision // the later pages are of the same moment as the first
		if from = ""; page.More {
			from = string(page.Kvs[len(page.Kvs)-1].Key) + "\x00"
		}
		for _, kv := range page.Kvs {
			since, err := state.add(string(kv.Key), kv.Value)
			if err != nil {
				return State{}, err
			}
			note(change{key: string(kv.Key), value: kv.Value, since: since})
		}
	}
	return state, nil
}

// insist makes a request again for as long as it fails for reasons that pass.
func (r *etcd) insist(ctx context.Context, request func(context.Context) error) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		err := request(attempt)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !passing(err):
			return err
		}
		r.config.Log.Warn("registry does not answer, trying again", "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// passing tells whether a request may succeed when it is made again: nobody is there at the moment,
// or etcd has no leader, or too much to do.
func passing(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, rpctypes.ErrTooManyRequests) || errors.Is(err, clientv3.ErrNoAvailableEndpoints) {
		return true
	}
	code := status.Code(err)
	if e, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		code = e.Code()
	}
	return code == codes.Unavailable || code == codes.DeadlineExceeded
}
