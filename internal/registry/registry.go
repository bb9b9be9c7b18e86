// Package registry is what a master must remember, and how it comes to lead: on etcd.
//
// It owns the keys below, the leader's lease and the embedded etcd. It does not know what an agent or
// a framework is: infos are opaque bytes, and whether a change is right was decided by the core that
// asked for it. It remembers no offer, and no
// task but those that the master itself has yet to launch; agents bring theirs with them.
//
// # The way in
//
// [Open] starts the embedded etcd in a directory, or goes to an external one by URL; from there on
// both are the same code. [Registry.Campaign] waits until this master leads and gives a [Leadership],
// [Registry.Load] reads everything, [Registry.Apply] makes [Op] values durable, many at once:
//
//	reg, err := registry.Open(ctx, registry.Config{Dir: dir, Log: log})
//	leadership, err := reg.Campaign(ctx)
//	state, err := reg.Load(ctx)
//	…
//	err = reg.Apply(ctx, []registry.Op{registry.AdmitAgent{ID: id, Info: info}})
//	err = reg.Apply(ctx, nil) // writes nothing: does this master lead still?
//	<-leadership.Lost()       // stop everything
//
// # What holds
//
//   - One master writes at a time. The epoch is the create revision of the leader's key, which hangs on
//     the leader's lease; every transaction asks for it. A leader stops by itself a fifth of the time
//     to live before the lease it last renewed can run out (lease.go).
//   - Ops take effect once and in order. Every transaction also asks for the leader's key to be as the
//     last transaction of this leader left it, and writes it anew, so that a request which was given
//     up, and comes through late, is void (leadership.go).
//   - What changes nothing is not written (ledger.go), but leadership is checked all the same.
//   - Nothing grows without bound: [MaxRecord], [MaxRemembered], transactions of at most 127 keys and,
//     but for the last op in it, 256 KiB. etcd's history is compacted every five minutes.
//   - The embedded etcd listens nowhere: no TCP port, and no unix socket, which etcd would put into the
//     abstract name space, open to every local user. The client is in the process.
//   - A master that died leads again at once on its embedded etcd: the directory is locked, so that the
//     process whose lease still runs is known to be dead.
//
// # In etcd
//
// Every value is a Record of api/meseta/registry/v1. Keys are never renamed or used for something else;
// a new kind of record is a new branch, and a master that finds a record it does not know refuses to
// start.
//
//	/meseta/                 Config.Prefix
//	  cluster                the cluster's id; written once, by whoever comes first
//	  leader                 who leads, under the leader's lease; its create revision is the epoch
//	  agents/<id>            agents that belong to the cluster
//	  unreachable/<id>       agents that were lost and may come back; the last MaxRemembered
//	  gone/<id>              agents that may not come back; the last MaxRemembered
//	  frameworks/<id>        frameworks that may have tasks
//	  removed/<id>           ids of frameworks that ended; the last MaxRemembered
//	  detached-frameworks/<id>  the framework of detached tasks, which the masters run
//	  detached-tasks/<id>    detached tasks that are not known to be with an agent yet
//
// # Three masters: the seam
//
// Nothing above depends on who runs etcd or on how many members it has: only member.go does. For three
// masters, memberConfig gets a peer URL with TLS and the ticks of a network (100 ms; all members must
// agree), and startMember the way of a member that joins: MemberAddAsLearner at a running master,
// start with ClusterState "existing", MemberPromote once it has caught up, one member after the
// other, since a second voter stops a cluster of one until it has caught up. The first member's
// placeholder URL is replaced by MemberUpdate before that. `alone` is false then, so that leases are
// waited for. The leading master moves raft's leadership to another member (MoveLeader), so that its
// death costs a lease and not an election and then a lease. The leader's record has room for the
// address that the others redirect to.
//
// Start reading at [Registry], then ops.go, ledger.go and leadership.go.
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
