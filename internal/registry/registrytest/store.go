package registrytest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/registry"
)

// Store is a registry in memory, shared by all masters of a simulated cluster: what etcd is to the
// real ones. It is deterministic and starts no goroutine. Time does not pass in it: a lease runs out
// when Expire says so.
type Store struct {
	// Fault is asked before each Apply that has ops and may make it fail; with applied, the ops are
	// written all the same, as when an answer is lost. Nil for no faults.
	Fault func(ops []registry.Op) (applied bool, err error)

	id string

	mu       sync.Mutex
	state    contents
	revision uint64
	leader   *leadership   // whose key stands in the store
	vacancy  chan struct{} // closed when the leader's key goes; nil when nobody waits
}

// NewStore returns an empty store of the cluster with that id.
func NewStore(clusterID string) *Store {
	return &Store{id: clusterID, state: contents{
		agents:      map[ids.AgentID]registry.Agent{},
		unreachable: map[ids.AgentID]registry.UnreachableAgent{},
		gone:        map[ids.AgentID]registry.GoneAgent{},
		frameworks:  map[ids.FrameworkID]registry.Framework{},
		removed:     map[ids.FrameworkID]registry.RemovedFramework{},
		runners:     map[ids.FrameworkID]ids.FrameworkID{},
		detached:    map[ids.TaskID]registry.DetachedTask{},
	}}
}

// Join returns the registry as one master sees it.
func (s *Store) Join() *Master { return &Master{store: s, closed: make(chan struct{})} }

// Writes counts the Applies that changed something, and the elections.
func (s *Store) Writes() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// Expire takes the leadership away, as when the leader's lease runs out. A leader whose clock works
// knows before: told says whether it does, or learns it from its next Apply. Nothing happens when
// nobody leads.
func (s *Store) Expire(told bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leader == nil {
		return
	}
	if told {
		s.leader.lose()
	}
	s.vacateLocked()
}

func (s *Store) vacateLocked() {
	s.leader = nil
	if s.vacancy != nil {
		close(s.vacancy)
		s.vacancy = nil
	}
}

// Master is the registry.Registry of one master on a Store.
type Master struct {
	store *Store

	// guarded by store.mu
	leading  *leadership
	closed   chan struct{}
	isClosed bool
}

var _ registry.Registry = (*Master)(nil)

// ClusterID implements registry.Registry.
func (m *Master) ClusterID() string { return m.store.id }

// TryCampaign leads when nobody does; otherwise it returns nil, and a simulation asks again later.
func (m *Master) TryCampaign() (registry.Leadership, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	l, err := m.tryLocked()
	if l == nil {
		return nil, err
	}
	return l, nil
}

func (m *Master) tryLocked() (*leadership, error) {
	s := m.store
	switch {
	case m.isClosed:
		return nil, registry.ErrClosed
	case m.leading != nil && !m.leading.isLost():
		return nil, registry.ErrLeading
	case s.leader != nil:
		return nil, nil
	}
	s.revision++
	s.leader = &leadership{master: m, epoch: s.revision, lost: make(chan struct{})}
	m.leading = s.leader
	return s.leader, nil
}

// Campaign implements registry.Registry.
func (m *Master) Campaign(ctx context.Context) (registry.Leadership, error) {
	for {
		m.store.mu.Lock()
		l, err := m.tryLocked()
		if m.store.vacancy == nil {
			m.store.vacancy = make(chan struct{})
		}
		vacancy := m.store.vacancy
		m.store.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if l != nil {
			return l, nil
		}
		select {
		case <-vacancy:
		case <-m.closed:
			return nil, registry.ErrClosed
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Load implements registry.Registry.
func (m *Master) Load(context.Context) (registry.State, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if m.isClosed {
		return registry.State{}, registry.ErrClosed
	}
	return m.store.state.read(), nil
}

// Apply implements registry.Registry.
func (m *Master) Apply(_ context.Context, ops []registry.Op) error {
	for _, op := range ops {
		if err := registry.Check(op); err != nil {
			return err
		}
	}
	s := m.store
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case m.isClosed:
		return registry.ErrClosed
	case m.leading == nil || m.leading.isLost():
		return registry.ErrNotLeader
	case s.leader != m.leading:
		m.leading.lose()
		return registry.ErrNotLeader
	}
	if s.Fault != nil && len(ops) > 0 {
		if applied, err := s.Fault(ops); err != nil {
			if applied {
				s.takeLocked(ops)
			}
			return err
		}
	}
	s.takeLocked(ops)
	return nil
}

func (s *Store) takeLocked(ops []registry.Op) {
	changed := false
	for _, op := range ops {
		changed = s.state.take(op) || changed
	}
	if changed {
		s.revision++
	}
}

// Close implements registry.Registry.
func (m *Master) Close() error {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if m.isClosed {
		return nil
	}
	m.isClosed = true
	close(m.closed)
	if m.leading != nil {
		m.leading.resignLocked()
	}
	return nil
}

// Crash ends the master without resigning: its key stays until Expire. The Master must not be used
// any more.
func (m *Master) Crash() {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	m.isClosed = true
	close(m.closed)
	if m.leading != nil {
		m.leading.lose()
	}
}

// leadership is a time of leading on a Store.
type leadership struct {
	master *Master
	epoch  uint64
	lost   chan struct{}
	once   sync.Once
}

func (l *leadership) Epoch() uint64         { return l.epoch }
func (l *leadership) Lost() <-chan struct{} { return l.lost }

func (l *leadership) Resign(context.Context) error {
	l.master.store.mu.Lock()
	defer l.master.store.mu.Unlock()
	l.resignLocked()
	return nil
}

func (l *leadership) resignLocked() {
	l.lose()
	if l.master.store.leader == l {
		l.master.store.vacateLocked()
	}
}

func (l *leadership) lose() { l.once.Do(func() { close(l.lost) }) }

func (l *leadership) isLost() bool {
	select {
	case <-l.lost:
		return true
	default:
		return false
	}
}

// contents is what the store remembers: the plain meaning of the ops, without keys and encodings.
type contents struct {
	agents      map[ids.AgentID]registry.Agent
	unreachable map[ids.AgentID]registry.UnreachableAgent
	gone        map[ids.AgentID]registry.GoneAgent
	frameworks  map[ids.FrameworkID]registry.Framework
	removed     map[ids.FrameworkID]registry.RemovedFramework
	runners     map[ids.FrameworkID]ids.FrameworkID // of detached tasks
	detached    map[ids.TaskID]registry.DetachedTask
}

// take carries an op out and reports whether anything is different now.
func (c contents) take(op registry.Op) (changed bool) {
	switch op := op.(type) {
	case registry.AdmitAgent:
		return either(
			drop(c.unreachable, op.ID),
			put(c.agents, op.ID, registry.Agent{ID: op.ID, Info: bytes.Clone(op.Info)}))
	case registry.RemoveAgent:
		return either(drop(c.agents, op.ID), drop(c.unreachable, op.ID))
	case registry.MarkAgentUnreachable:
		return either(
			drop(c.agents, op.ID),
			put(c.unreachable, op.ID, registry.UnreachableAgent{ID: op.ID, Since: stored(op.Since)}),
			forget(c.unreachable, func(a registry.UnreachableAgent) time.Time { return a.Since }))
	case registry.MarkAgentGone:
		return either(
			drop(c.agents, op.ID),
			drop(c.unreachable, op.ID),
			put(c.gone, op.ID, registry.GoneAgent{ID: op.ID, Since: stored(op.Since)}),
			forget(c.gone, func(a registry.GoneAgent) time.Time { return a.Since }))
	case registry.AdmitFramework:
		return put(c.frameworks, op.ID, registry.Framework{ID: op.ID, Info: bytes.Clone(op.Info), Principal: op.Principal})
	case registry.RemoveFramework:
		return either(
			drop(c.frameworks, op.ID),
			put(c.removed, op.ID, registry.RemovedFramework{ID: op.ID, At: stored(op.At)}),
			forget(c.removed, func(f registry.RemovedFramework) time.Time { return f.At }))
	case registry.KeepDetachedFramework:
		return put(c.runners, op.ID, op.ID)
	case registry.DropDetachedFramework:
		return drop(c.runners, op.ID)
	case registry.KeepDetachedTask:
		return put(c.detached, op.ID, registry.DetachedTask{ID: op.ID, Task: bytes.Clone(op.Task)})
	case registry.DropDetachedTask:
		return drop(c.detached, op.ID)
	}
	panic(fmt.Sprintf("registrytest: op of unknown type %T", op))
}

func either(changed ...bool) bool { return slices.Contains(changed, true) }

func put[ID comparable, T any](m map[ID]T, id ID, value T) (changed bool) {
	was, known := m[id]
	m[id] = value
	return !known || !reflect.DeepEqual(was, value)
}

func drop[ID comparable, T any](m map[ID]T, id ID) (changed bool) {
	_, known := m[id]
	delete(m, id)
	return known
}

// stored is a time as it comes back: to the nanosecond, in UTC.
func stored(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.Unix(0, t.UnixNano()).UTC()
}

// forget takes out the oldest when there are too many.
func forget[ID cmp.Ordered, T any](m map[ID]T, since func(T) time.Time) (changed bool) {
	if len(m) <= registry.MaxRemembered {
		return false
	}
	oldest := slices.MinFunc(slices.Collect(maps.Keys(m)), func(a, b ID) int {
		return cmp.Or(since(m[a]).Compare(since(m[b])), cmp.Compare(a, b))
	})
	return drop(m, oldest)
}

func (c contents) read() registry.State {
	return registry.State{
		Agents:            sorted(c.agents),
		UnreachableAgents: sorted(c.unreachable),
		GoneAgents:        sorted(c.gone),
		Frameworks:        sorted(c.frameworks),
		RemovedFrameworks: sorted(c.removed),

		DetachedFrameworks: sorted(c.runners),
		DetachedTasks:      sorted(c.detached),
	}
}

func sorted[ID cmp.Ordered, T any](m map[ID]T) []T {
	var list []T
	for _, id := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[id])
	}
	return list
}
