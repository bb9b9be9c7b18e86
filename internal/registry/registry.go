package registry

import (
	"context"
	"errors"
)

// Registry is what a master remembers and how it comes to lead. [Open] gives the one on etcd;
// registrytest.Store gives one in memory for simulations. Both pass registrytest.Run.
//
// All methods may be called from any goroutine; calls of Apply are carried out one after the other.
type Registry interface {
	// ClusterID is the UUID of the cluster that this registry belongs to, made when the registry was.
	ClusterID() string

	// Campaign waits until this master leads. A registry leads at most once at a time: a second
	// Campaign while the first leadership lasts fails with ErrLeading.
	Campaign(ctx context.Context) (Leadership, error)

	// Load returns everything remembered, as of one moment after the call began: nothing that any
	// master had been told was done is missing.
	Load(ctx context.Context) (State, error)

	// Apply makes ops durable, in order, and returns when they are. What changes nothing is not
	// written, but that this master still leads is checked in any case, also when there are no ops.
	//
	// ErrNotLeader says that somebody else may lead by now and that none of the ops that were left
	// will ever be written. After any error the first of the ops may have been written, and the
	// master cannot know how many: it has to stop.
	//
	// A passing failure is not an error: Apply tries again as long as the leadership lasts.
	Apply(ctx context.Context, ops []Op) error

	// Close resigns, if this master leads, and gives everything up.
	Close() error
}

// Leadership is a time of leading.
type Leadership interface {
	// Epoch orders leaderships: a later one has a higher number. It is the create revision of the
	// leader's key, and never 0.
	Epoch() uint64

	// Lost is closed when this master may not be leading any more, which is before anybody else
	// can. It must stop acting at once.
	Lost() <-chan struct{}

	// Resign ends the leadership, so that the next master need not wait for the lease to run out.
	Resign(ctx context.Context) error
}

// Errors of a Registry.
var (
	// ErrNotLeader: this master does not lead, or not any more.
	ErrNotLeader = errors.New("this master does not lead")

	// ErrLeading: this master leads already.
	ErrLeading = errors.New("this master leads already")

	// ErrClosed: the registry was closed.
	ErrClosed = errors.New("the registry is closed")

	// ErrInUse: another process has the embedded registry's directory.
	ErrInUse = errors.New("in use by another process")

	// ErrTooLarge: a record exceeds MaxRecord. Check says so before it is too late.
	ErrTooLarge = errors.New("too large for the registry")
)

// Bounds of what is remembered.
const (
	// MaxRecord is the largest info of an agent or framework, in bytes. etcd takes requests of up to
	// 1.5 MiB unless told otherwise.
	MaxRecord = 1 << 20

	// MaxRemembered is how many removed frameworks are remembered, and as many unreachable and gone
	// agents. Of more, those of the oldest time are forgotten (of one time, the first id).
	MaxRemembered = 10_000

	// maxID is the longest id, in bytes.
	maxID = 4096
)
