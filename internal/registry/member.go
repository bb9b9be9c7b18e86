package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/raft/v3/raftpb"
	"golang.org/x/sys/unix"
)

// memberName is this etcd's name in its cluster of one, and peerURL its address there. Nobody is ever
// asked for that address, since there are no peers, and nothing listens on it.
const (
	memberName = "meseta"
	peerURL    = "http://127.0.0.1:1"
)

// member is the embedded etcd.
type member struct {
	client *clientv3.Client
	server *embed.Etcd
	lock   *os.File
	failed context.Context // ends, with the reason as its cause, when etcd gives up
}

// segmentSize sets a package variable of etcd, for all that this process ever starts: 64 MB and as
// many ready for the next would be a lot of disk for a small registry.
var segmentSize = sync.OnceFunc(func() { wal.SegmentSizeBytes = 4 << 20 })

// startMember starts etcd in dir and returns when it is ready. When it gives up later, it says why.
func startMember(ctx context.Context, dir string, log *slog.Logger, gaveUp context.CancelCauseFunc) (_ *member, err error) {
	segmentSize()
	if err := errors.Join(makeDir(dir), makeDir(filepath.Join(dir, "member"))); err != nil {
		return nil, err
	}
	// etcd has locks of its own, but would wait for them.
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	m := &member{lock: lock}
	failed, fail := context.WithCancelCause(context.Background())
	m.failed = failed
	defer func() {
		if err != nil {
			err = errors.Join(err, m.stop())
		}
	}()
	config := memberConfig(dir)
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zapOn(log, func(message string) {
		fail(errors.New("etcd: " + message))
		gaveUp(context.Cause(failed))
	}))
	if err := m.start(ctx, config); err != nil {
		return nil, fmt.Errorf("the embedded etcd does not start: %w", err)
	}
	m.client = v3client.New(m.server.Server)
	return m, nil
}

// memberConfig is an etcd of one member without listeners, whose memory and disk stay small.
func memberConfig(dir string) *embed.Config {
	config := embed.NewConfig()
	config.Dir = dir
	config.Name = memberName
	peer, _ := url.Parse(peerURL)
	config.AdvertisePeerUrls = []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(memberName)
	config.ListenPeerUrls = nil
	config.ListenClientUrls = nil
	config.AdvertiseClientUrls = nil

	// Nothing waits for a tick or a commit of the store, since a member is told to elect itself and what
	// is acknowledged is in the log. But each wakes the process, for as long as it lives: ticks of 10 ms
	// cost more than one percent of a core.
	config.TickMs = 250
	config.ElectionMs = 1250
	config.BackendBatchInterval = time.Second

	// Nobody has to catch up, so the log in memory need not be long: etcd keeps the last entries of
	// it, up to 1.25 MiB each.
	config.SnapshotCount = 500
	config.SnapshotCatchUpEntries = 10
	config.MaxSnapFiles, config.MaxWalFiles = 2, 2

	// Nobody asks for former states.
	config.AutoCompactionMode = embed.CompactorModeRevision
	config.AutoCompactionRetention = "100"

	// Also the address space that is mapped.
	config.QuotaBackendBytes = 1 << 30
	return config
}

// start waits until etcd is ready. What StartEtcd does is on a goroutine of its own, since a failure
// that etcd calls fatal ends the goroutine on which it happens; others it panics about.
func (m *member) start(ctx context.Context, config *embed.Config) error {
	type result struct {
		server *embed.Etcd
		err    error
	}
	started := make(chan result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				started <- result{nil, fmt.Errorf("etcd: %v", p)}
			}
		}()
		server, err := embed.StartEtcd(config)
		started <- result{server, err}
	}()
	select {
	case r := <-started:
		if r.err != nil {
			return r.err
		}
		m.server = r.server
	case <-m.failed.Done():
		return context.Cause(m.failed)
	}
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for rest := (rest{}); ; {
		if rest.at(m.server.Server.AppliedIndex(), m.server.Server.CommittedIndex()) {
			if err := m.elect(ctx); err != nil {
				return err
			}
		}
		select {
		case <-m.server.Server.ReadyNotify():
			return nil
		case <-m.failed.Done():
			return context.Cause(m.failed)
		case err := <-m.server.Err():
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
	}
}

// lookAgain is how often a member that starts is looked at, and told to elect itself once it rests.
const lookAgain = 5 * time.Millisecond

// rest tells when a member has applied all of its log. Told to elect itself before that, raft looks in the log
// for what it has not applied, and panics if etcd has dropped it a moment ago.
type rest struct {
	applied uint64
	looks   int // at which nothing had changed
}

// at takes a look. What etcd has applied raft learns a moment later: hence several looks.
func (r *rest) at(applied, committed uint64) bool {
	if applied == 0 || applied != committed || applied != r.applied {
		*r = rest{applied: applied}
		return false
	}
	r.looks++
	return r.looks >= 3
}

// elect has the member elect itself now, and not after some random number of ticks. There is nobody else,
// so a message by which a leader hands over to a peer is one from itself.
func (m *member) elect(ctx context.Context) error {
	server := m.server.Server
	if server.Leader() != 0 {
		return nil
	}
	self := uint64(server.MemberID())
	if err := server.Process(ctx, raftpb.Message{Type: raftpb.MsgTimeoutNow, From: self, To: self}); err != nil {
		return fmt.Errorf("elect itself: %w", err)
	}
	return nil
}

// stop ends etcd and releases the directory. An etcd that has given up may not end, and is not waited
// for.
func (m *member) stop() error {
	defer m.lock.Close()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if m.client != nil {
			m.client.Close()
		}
		if m.server != nil {
			m.server.Close()
		}
	}()
	select {
	case <-stopped:
		return nil
	case <-m.failed.Done():
	}
	select {
	case <-stopped:
	case <-time.After(closeTimeout):
	}
	return nil
}

// makeDir makes a directory and those above it, durably: etcd sees to what is in its directories, not
// to the directories. It is for its owner only; those above it may be shared, with an agent whose tasks run as
// anybody for instance.
func makeDir(path string) error { return makeDirs(path, 0o700) }

func makeDirs(path string, mode fs.FileMode) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := makeDirs(parent, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(parent)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// lockFile takes the lock of a directory without waiting.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		err = ErrInUse
	case err != nil:
		err = fmt.Errorf("lock %s: %w", path, err)
	default:
		return f, nil
	}
	f.Close()
	return nil, err
}
