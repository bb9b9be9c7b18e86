// Package registrytest holds what tests and simulations need of a registry: the conformance suite that
// every registry.Registry passes ([Run]), and a registry in memory for a whole simulated cluster of
// masters ([Store]).
package registrytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/registry"
)

// Cluster is the store under test, and the doors that a test needs.
type Cluster struct {
	// Join gives the registry of one more master. It is closed with the test.
	Join func(*testing.T) registry.Registry
	// Expire takes the leadership away without the leader's knowing.
	Expire func(*testing.T)
	// Writes counts what was written.
	Writes func(*testing.T) uint64
	// Fresh returns a store without anything in it, of another cluster.
	Fresh func(*testing.T) Cluster
}

// Run holds a registry against what registry.Registry promises.
func Run(t *testing.T, fresh func(*testing.T) Cluster) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, Cluster)
	}{
		{"a cluster has one id, a UUID", clusterHasOneID},
		{"a new registry remembers nothing", newRemembersNothing},
		{"what was applied is there for every master", appliedIsThere},
		{"each op leaves what it says", opsLeaveWhatTheySay},
		{"ops of one call take effect in order", opsInOrder},
		{"many ops at once", manyOps},
		{"what changes nothing is not written", noChangeNoWrite},
		{"one master leads, the next one after it resigned", oneLeads},
		{"epochs rise", epochsRise},
		{"who does not lead writes nothing", onlyLeaderWrites},
		{"a leader that was deposed writes nothing, and learns it", deposedLeader},
		{"closing resigns", closingResigns},
		{"a campaign ends with its context, and with the registry", campaignEnds},
		{"what is too large or has no id is refused before anything is written", badOpsAreRefused},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, fresh(t)) })
	}
}

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

func lead(t *testing.T, r registry.Registry) registry.Leadership {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := r.Campaign(ctx)
	if err != nil {
		t.Fatalf("campaign: %v", err)
	}
	return l
}

func apply(t *testing.T, r registry.Registry, ops ...registry.Op) {
	t.Helper()
	if err := r.Apply(t.Context(), ops); err != nil {
		t.Fatalf("apply: %v", err)
	}
}

func holds(t *testing.T, r registry.Registry, want registry.State) {
	t.Helper()
	got, err := r.Load(t.Context())
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), bytesEqual); diff != "" {
		t.Fatalf("state (-want +got):\n%s", diff)
	}
}

// bytesEqual compares infos of megabytes at once, not byte for byte by reflection.
var bytesEqual = cmp.FilterValues(func(a, b []byte) bool { return len(a)+len(b) > 0 }, cmp.Comparer(bytes.Equal))

func isLost(l registry.Leadership) bool {
	select {
	case <-l.Lost():
		return true
	default:
		return false
	}
}

func clusterHasOneID(t *testing.T, c Cluster) {
	a, b, other := c.Join(t), c.Join(t), c.Fresh(t).Join(t)
	if a.ClusterID() != b.ClusterID() || a.ClusterID() == other.ClusterID() {
		t.Errorf("ids %q and %q in one cluster, %q in another", a.ClusterID(), b.ClusterID(), other.ClusterID())
	}
	if _, err := uuid.Parse(a.ClusterID()); err != nil {
		t.Errorf("id %q: %v", a.ClusterID(), err)
	}
}

func newRemembersNothing(t *testing.T, c Cluster) {
	r := c.Join(t)
	holds(t, r, registry.State{})
	lead(t, r)
	holds(t, r, registry.State{})
}

var (
	day   = time.Date(2026, 11, 20, 12, 0, 0, 123456789, time.UTC)
	agent = registry.AdmitAgent{ID: "a1", Info: []byte("info of a1")}
	fw    = registry.AdmitFramework{ID: "f1", Info: []byte("info of f1"), Principal: "someone"}
)

func appliedIsThere(t *testing.T, c Cluster) {
	a, b := c.Join(t), c.Join(t)
	lead(t, a)
	apply(t, a, agent, fw)
	want := registry.State{
		Agents:     []registry.Agent{{ID: "a1", Info: []byte("info of a1")}},
		Frameworks: []registry.Framework{{ID: "f1", Info: []byte("info of f1"), Principal: "someone"}},
	}
	holds(t, a, want)
	holds(t, b, want)
	apply(t, a, registry.AdmitAgent{ID: "a1", Info: []byte("a better machine")})
	want.Agents[0].Info = []byte("a better machine")
	holds(t, b, want)
}

func opsLeaveWhatTheySay(t *testing.T, c Cluster) {
	r := c.Join(t)
	lead(t, r)
	unreachable := registry.MarkAgentUnreachable{ID: "a1", Since: day}
	gone := registry.MarkAgentGone{ID: "a1", Since: day}
	removed := registry.RemoveFramework{ID: "f1", At: day}
	anAgent := registry.State{Agents: []registry.Agent{{ID: "a1", Info: []byte("info of a1")}}}
	lost := registry.State{UnreachableAgents: []registry.UnreachableAgent{{ID: "a1", Since: day}}}
	goneFor := registry.State{GoneAgents: []registry.GoneAgent{{ID: "a1", Since: day}}}
	ended := registry.State{GoneAgents: []registry.GoneAgent{{ID: "a1"}},
		RemovedFrameworks: []registry.RemovedFramework{{ID: "f1", At: day}}}
	detached := func(task []byte) registry.State {
		state := ended
		state.DetachedFrameworks = []ids.FrameworkID{"d1"}
		if task != nil {
			state.DetachedTasks = []registry.DetachedTask{{ID: "t1", Task: task}}
		}
		return state
	}
	for _, step := range []struct {
		op   registry.Op
		want registry.State
	}{
		{agent, anAgent},
		{unreachable, lost},
		{agent, anAgent},
		{registry.RemoveAgent{ID: "a1"}, registry.State{}},
		{unreachable, lost},
		{registry.RemoveAgent{ID: "a1"}, registry.State{}},
		{agent, anAgent},
		{gone, goneFor},
		{registry.RemoveAgent{ID: "a1"}, goneFor},
		{fw, registry.State{GoneAgents: goneFor.GoneAgents,
			Frameworks: []registry.Framework{{ID: "f1", Info: []byte("info of f1"), Principal: "someone"}}}},
		{removed, registry.State{GoneAgents: goneFor.GoneAgents,
			RemovedFrameworks: []registry.RemovedFramework{{ID: "f1", At: day}}}},
		{registry.MarkAgentGone{ID: "a1"}, ended},
		{registry.KeepDetachedFramework{ID: "d1"}, detached(nil)},
		{registry.KeepDetachedTask{ID: "t1", Task: []byte("waits")}, detached([]byte("waits"))},
		{registry.KeepDetachedTask{ID: "t1", Task: []byte("is launched")}, detached([]byte("is launched"))},
		{registry.DropDetachedTask{ID: "t1"}, detached(nil)},
		{registry.DropDetachedTask{ID: "t1"}, detached(nil)},
		{registry.DropDetachedFramework{ID: "d1"}, ended},
	} {
		apply(t, r, step.op)
		t.Logf("%T", step.op)
		holds(t, r, step.want)
	}
}

func opsInOrder(t *testing.T, c Cluster) {
	r := c.Join(t)
	lead(t, r)
	apply(t, r,
		agent,
		registry.MarkAgentUnreachable{ID: "a1", Since: day},
		registry.AdmitAgent{ID: "a1", Info: []byte("second")},
		fw,
		registry.RemoveFramework{ID: "f1", At: day},
		registry.AdmitFramework{ID: "f2"},
		registry.AdmitAgent{ID: "a1", Info: []byte("third")})
	holds(t, r, registry.State{
		Agents:            []registry.Agent{{ID: "a1", Info: []byte("third")}},
		Frameworks:        []registry.Framework{{ID: "f2"}},
		RemovedFrameworks: []registry.RemovedFramework{{ID: "f1", At: day}},
	})
}

func manyOps(t *testing.T, c Cluster) {
	r := c.Join(t)
	lead(t, r)
	var ops []registry.Op
	var want registry.State
	for i := range 1500 {
		id := ids.AgentID(fmt.Sprintf("agent-%05d", i))
		ops = append(ops, registry.AdmitAgent{ID: id, Info: make([]byte, 700)})
		want.Agents = append(want.Agents, registry.Agent{ID: id, Info: make([]byte, 700)})
	}
	large := make([]byte, registry.MaxRecord)
	for i := range 3 {
		id := ids.FrameworkID(fmt.Sprintf("large-%d", i))
		ops = append(ops, registry.AdmitFramework{ID: id, Info: large})
		want.Frameworks = append(want.Frameworks, registry.Framework{ID: id, Info: large})
	}
	apply(t, r, ops...)
	holds(t, r, want)
	holds(t, c.Join(t), want)
}

func noChangeNoWrite(t *testing.T, c Cluster) {
	a := c.Join(t)
	l := lead(t, a)
	unreachable := registry.MarkAgentUnreachable{ID: "a2", Since: day}
	apply(t, a, agent, fw, unreachable)
	before := c.Writes(t)
	apply(t, a, agent, unreachable)
	apply(t, a, fw, registry.RemoveAgent{ID: "nobody"})
	apply(t, a)
	if after := c.Writes(t); after != before {
		t.Errorf("%d writes by what changes nothing", after-before)
	}
	apply(t, a, registry.RemoveAgent{ID: "a1"})
	if after := c.Writes(t); after == before {
		t.Error("what changes something was not written")
	}

	// A new leader has to learn first what is there.
	if err := l.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := c.Join(t)
	lead(t, b)
	before = c.Writes(t)
	apply(t, b, fw, unreachable, registry.RemoveAgent{ID: "a1"})
	if after := c.Writes(t); after != before {
		t.Errorf("%d writes of the next leader by what changes nothing", after-before)
	}
}

func oneLeads(t *testing.T, c Cluster) {
	a, b := c.Join(t), c.Join(t)
	l := lead(t, a)
	if _, err := a.Campaign(t.Context()); !errors.Is(err, registry.ErrLeading) {
		t.Errorf("campaign of the leader: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := b.Campaign(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("campaign while another master leads: %v", err)
	}
	won := make(chan registry.Leadership, 1)
	go func() {
		l, err := b.Campaign(t.Context())
		if err != nil {
			t.Errorf("campaign: %v", err)
		}
		won <- l
	}()
	if isLost(l) {
		t.Error("the leader lost its leadership to a campaign")
	}
	if err := l.Resign(t.Context()); err != nil {
		t.Errorf("resign: %v", err)
	}
	if !isLost(l) {
		t.Error("a leadership that was resigned is not lost")
	}
	select {
	case next := <-won:
		if isLost(next) {
			t.Error("the new leadership is lost already")
		}
	case <-time.After(patience):
		t.Fatal("nobody leads after the leader resigned")
	}
}

func epochsRise(t *testing.T, c Cluster) {
	last := uint64(0)
	masters := []registry.Registry{c.Join(t), c.Join(t)}
	for i := range 4 {
		r := masters[i%2]
		l := lead(t, r)
		if l.Epoch() <= last {
			t.Errorf("epoch %d after %d", l.Epoch(), last)
		}
		last = l.Epoch()
		apply(t, r, registry.AdmitAgent{ID: ids.AgentID(fmt.Sprint(i))})
		if err := l.Resign(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func onlyLeaderWrites(t *testing.T, c Cluster) {
	a, b := c.Join(t), c.Join(t)
	refused := func(r registry.Registry, when string) {
		t.Helper()
		for _, ops := range [][]registry.Op{{agent}, nil} {
			if err := r.Apply(t.Context(), ops); !errors.Is(err, registry.ErrNotLeader) {
				t.Errorf("apply of %d ops %s: %v", len(ops), when, err)
			}
		}
	}
	refused(a, "before any election")
	l := lead(t, a)
	refused(b, "by another master")
	if err := l.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(a, "after resigning")
	holds(t, b, registry.State{})
}

func deposedLeader(t *testing.T, c Cluster) {
	for _, ops := range [][]registry.Op{{agent}, nil} {
		a, b := c.Join(t), c.Join(t)
		l := lead(t, a)
		apply(t, a, fw)
		c.Expire(t)
		next := lead(t, b)
		if err := a.Apply(t.Context(), ops); !errors.Is(err, registry.ErrNotLeader) {
			t.Errorf("apply of %d ops by a leader that was deposed: %v", len(ops), err)
		}
		if !isLost(l) {
			t.Error("the old leader does not know")
		}
		if isLost(next) {
			t.Error("the new leader lost its leadership")
		}
		holds(t, b, registry.State{Frameworks: []registry.Framework{{ID: "f1", Info: fw.Info, Principal: fw.Principal}}})
		if err := next.Resign(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func closingResigns(t *testing.T, c Cluster) {
	a, b := c.Join(t), c.Join(t)
	l := lead(t, a)
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if !isLost(l) {
		t.Error("the leadership is not lost")
	}
	lead(t, b)
	if err := a.Apply(t.Context(), []registry.Op{agent}); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("apply on a closed registry: %v", err)
	}
	if _, err := a.Load(t.Context()); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("load of a closed registry: %v", err)
	}
	if _, err := a.Campaign(t.Context()); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("campaign on a closed registry: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func campaignEnds(t *testing.T, c Cluster) {
	a, b := c.Join(t), c.Join(t)
	lead(t, a)
	cause := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := b.Campaign(ctx); !errors.Is(err, cause) {
		t.Errorf("campaign with a context that has ended: %v", err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := b.Campaign(context.Background())
		ended <- err
	}()
	if err := b.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, registry.ErrClosed) {
			t.Errorf("campaign on a registry that was closed: %v", err)
		}
	case <-time.After(patience):
		t.Error("the campaign goes on")
	}
}

func badOpsAreRefused(t *testing.T, c Cluster) {
	r := c.Join(t)
	lead(t, r)
	for _, bad := range []registry.Op{
		registry.AdmitAgent{ID: "large", Info: make([]byte, registry.MaxRecord+1)},
		registry.AdmitFramework{ID: "large", Info: make([]byte, registry.MaxRecord), Principal: "x"},
		registry.AdmitAgent{},
		registry.RemoveFramework{ID: "not \xff UTF-8"},
		registry.AdmitFramework{ID: "f", Principal: "\xff"},
		registry.MarkAgentGone{ID: ids.AgentID(make([]byte, 5000))},
	} {
		err := r.Apply(t.Context(), []registry.Op{agent, bad})
		if err == nil || errors.Is(err, registry.ErrNotLeader) {
			t.Errorf("apply of %.60v: %v", bad, err)
		}
		if checked := registry.Check(bad); checked == nil || errors.Is(checked, registry.ErrTooLarge) != errors.Is(err, registry.ErrTooLarge) {
			t.Errorf("check of %.60v says %v, apply %v", bad, checked, err)
		}
	}
	holds(t, r, registry.State{})
	apply(t, r, agent)
}
