package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/protobuf/proto"

	registrypb "github.com/meseta/meseta/api/meseta/registry/v1"
)

// Campaign implements [Registry].
func (r *etcd) Campaign(ctx context.Context) (Leadership, error) {
	if !r.campaign.TryLock() {
		return nil, cmp.Or(context.Cause(r.lifetime), ErrLeading) // Close has the lock, or another Campaign
	}
	defer r.campaign.Unlock()
	if r.current() != nil {
		return nil, ErrLeading
	}
	ctx, cancel := r.within(ctx)
	defer cancel()
	for {
		if err := r.awaitVacancy(ctx); err != nil {
			return nil, err
		}
		var l *leadership
		err := r.insist(ctx, func(ctx context.Context) (err error) {
			l, err = r.tryLead(ctx)
			return err
		})
		if err != nil {
			return nil, err
		}
		if l != nil { // nobody was quicker
			r.mu.Lock()
			r.leading = l
			r.mu.Unlock()
			return l, nil
		}
	}
}

// awaitVacancy returns when nobody leads.
func (r *etcd) awaitVacancy(ctx context.Context) error {
	for {
		var resp *clientv3.GetResponse
		err := r.insist(ctx, func(ctx context.Context) (err error) {
			resp, err = r.client.Get(ctx, r.keys.leader())
			if err == nil && r.alone && len(resp.Kvs) > 0 {
				return r.dispossess(ctx, clientv3.LeaseID(resp.Kvs[0].Lease))
			}
			return err
		})
		if err != nil || r.alone || len(resp.Kvs) == 0 {
			return err
		}
		if r.watchVacancy(ctx, resp.Header.Revision+1) {
			return nil
		}
	}
}

// watchVacancy reports whether the leader's key went since the revision; otherwise it could not be
// watched any longer, and nothing is known.
func (r *etcd) watchVacancy(ctx context.Context, revision int64) bool {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for events := range r.client.Watch(ctx, r.keys.leader(), clientv3.WithRev(revision), clientv3.WithFilterPut()) {
		if len(events.Events) > 0 {
			return true
		}
	}
	return false
}

// dispossess ends the leadership of an earlier process of this very master. Its directory is locked,
// so that process is dead, and there is no reason to wait until its lease runs out.
func (r *etcd) dispossess(ctx context.Context, id clientv3.LeaseID) error {
	_, err := r.client.Revoke(ctx, id)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return nil
	}
	return err
}

// tryLead takes the leader's key, or returns nil when somebody else has it.
func (r *etcd) tryLead(ctx context.Context) (*leadership, error) {
	sent := time.Now()
	grant, err := r.client.Grant(ctx, int64(r.config.LeaseTTL/time.Second))
	if err != nil {
		return nil, err
	}
	l := &leadership{registry: r, id: grant.ID}
	key := r.keys.leader()
	resp, err := r.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, string(l.record(0)), clientv3.WithLease(grant.ID))).
		Commit()
	if err != nil || !resp.Succeeded {
		// After an error the key may be ours without our knowing: without its lease it goes.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_, revokeErr := r.client.Revoke(ctx, grant.ID)
		if err != nil && revokeErr != nil {
			r.config.Log.Warn("lease of a failed campaign remains until it runs out", "error", revokeErr)
		}
		return nil, err
	}
	l.epoch, l.revision = resp.Header.Revision, resp.Header.Revision
	l.begin(time.Duration(grant.TTL)*time.Second, sent)
	return l, nil
}

// leadership is the Leadership of an etcd.
type leadership struct {
	*lease
	registry *etcd
	epoch    int64
	id       clientv3.LeaseID
	ctx      context.Context // until the leadership is lost
	ended    sync.WaitGroup  // what begin started

	mu       sync.Mutex // one Apply at a time; guards what follows
	ledger   *ledger    // nil when it is not known what stands in the registry
	sequence uint64     // of the last transaction
	revision int64      // at which the leader's key was written last
}

// begin keeps the lease until the leadership is lost, in whatever way.
func (l *leadership) begin(ttl time.Duration, sent time.Time) {
	l.lease = newLease(ttl, l.keepAlive)
	ctx, cancel := context.WithCancelCause(l.registry.lifetime)
	l.ctx = ctx
	l.ended.Go(func() {
		l.keep(ctx, sent)
		l.lose() // the registry was closed, or its etcd has failed
	})
	l.ended.Go(func() {
		<-l.lost
		cancel(ErrNotLeader)
	})
}

func (l *leadership) keepAlive(ctx context.Context) error {
	_, err := l.registry.client.KeepAliveOnce(ctx, l.id)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return fmt.Errorf("%w: %w", errLeaseGone, err)
	}
	return err
}

// Epoch implements [Leadership].
func (l *leadership) Epoch() uint64 { return uint64(l.epoch) }

// Lost implements [Leadership].
func (l *leadership) Lost() <-chan struct{} { return l.lost }

// Resign implements [Leadership].
func (l *leadership) Resign(ctx context.Context) error {
	l.lose()
	l.ended.Wait()
	if cause := context.Cause(l.registry.lifetime); cause != nil && cause != ErrClosed {
		return nil // etcd has failed: there is nothing left to resign from
	}
	if _, err := l.registry.client.Revoke(ctx, l.id); err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return fmt.Errorf("registry: resign: %w", err)
	}
	return nil
}

// load reads everything, and learns what stands in the registry.
func (l *leadership) load(ctx context.Context) (State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.loadLocked(ctx)
}

func (l *leadership) loadLocked(ctx context.Context) (State, error) {
	ledger := newLedger(l.registry.keys)
	state, err := l.registry.read(ctx, ledger.note)
	if err == nil {
		l.ledger = ledger
	}
	return state, err
}

// apply is Apply of the Registry.
func (l *leadership) apply(ctx context.Context, ops []Op) error {
	for _, op := range ops {
		if err := Check(op); err != nil {
			return fmt.Errorf("registry: %w", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := both(ctx, l.ctx)
	defer cancel()
	if l.ledger == nil {
		if _, err := l.loadLocked(ctx); err != nil {
			return err
		}
	}
	plan := l.ledger.plan(ops)
	if len(plan) == 0 {
		return l.confirm(ctx)
	}
	for _, changes := range plan {
		if err := l.commit(ctx, changes); err != nil {
			l.ledger = nil // it has noted what may not have happened
			return err
		}
	}
	return nil
}

// confirm makes sure that this master still leads, without writing.
func (l *leadership) confirm(ctx context.Context) error {
	key := l.registry.keys.leader()
	var leads bool
	err := l.registry.insist(ctx, func(ctx context.Context) error {
		resp, err := l.registry.client.Txn(ctx).
			If(clientv3.Compare(clientv3.CreateRevision(key), "=", l.epoch)).
			Then(clientv3.OpGet(key, clientv3.WithCountOnly())). // without a read it would be answered from what this member happens to know
			Commit()
		if err == nil {
			leads = resp.Succeeded
		}
		return err
	})
	if err == nil && !leads {
		return l.deposed()
	}
	return err
}

// commit carries out one transaction, once. A request whose answer was lost may still be under way
// when it is made again, and even when the next transaction is: so each one writes the leader's key,
// and asks for that key to be as the last one left it. Whichever of its copies comes first makes the
// others void, and its sequence number in the key tells that it was a copy of ours that came through.
func (l *leadership) commit(ctx context.Context, changes []change) error {
	key := l.registry.keys.leader()
	l.sequence++
	ops := make([]clientv3.Op, 0, 1+len(changes))
	ops = append(ops, clientv3.OpPut(key, string(l.record(l.sequence)), clientv3.WithLease(l.id)))
	for _, c := range changes {
		if c.value == nil {
			ops = append(ops, clientv3.OpDelete(c.key))
		} else {
			ops = append(ops, clientv3.OpPut(c.key, string(c.value)))
		}
	}
	var resp *clientv3.TxnResponse
	err := l.registry.insist(ctx, func(ctx context.Context) (err error) {
		resp, err = l.registry.client.Txn(ctx).
			If(clientv3.Compare(clientv3.CreateRevision(key), "=", l.epoch),
				clientv3.Compare(clientv3.ModRevision(key), "=", l.revision)).
			Then(ops...).
			Else(clientv3.OpGet(key)).
			Commit()
		return err
	})
	switch {
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		return l.deposed()
	case err != nil:
		return err
	case resp.Succeeded:
		l.revision = resp.Header.Revision
		return nil
	}
	return l.cameThrough(resp.Responses[0].GetResponseRange().Kvs)
}

// cameThrough looks at the leader's key after a transaction found it changed: by a copy of its own,
// or by another leader.
func (l *leadership) cameThrough(kvs []*mvccpb.KeyValue) error {
	if len(kvs) == 0 || kvs[0].CreateRevision != l.epoch {
		return l.deposed()
	}
	record := new(registrypb.Record)
	if err := proto.Unmarshal(kvs[0].Value, record); err != nil {
		return fmt.Errorf("registry: record of %d bytes at key %q: %w", len(kvs[0].Value), kvs[0].Key, err)
	}
	if got := record.GetLeader().GetSequence(); got != l.sequence {
		l.lose()
		return fmt.Errorf("registry: key %q is at transaction %d of epoch %d, expected %d: somebody else writes it", kvs[0].Key, got, l.epoch, l.sequence)
	}
	l.revision = kvs[0].ModRevision
	return nil
}

// deposed is for the moment at which the registry says that this master does not lead any more.
func (l *leadership) deposed() error {
	l.lose()
	return ErrNotLeader
}

// record is the value of the leader's key.
func (l *leadership) record(sequence uint64) []byte {
	return encode(&registrypb.Record{Kind: &registrypb.Record_Leader{
		Leader: &registrypb.Leader{Name: l.registry.config.Name, Sequence: sequence}}})
}
