package registry_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/registry"
)

func admit(i int) registry.AdmitAgent {
	return registry.AdmitAgent{ID: ids.AgentID(fmt.Sprintf("agent-%06d", i)), Info: make([]byte, 300)}
}

// network is an etcd as seen through a bad network.
type network struct {
	clientv3.KV
	mu    sync.Mutex
	fault func(send func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error)
}

func (n *network) set(fault func(send func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = fault
}

func (n *network) Txn(ctx context.Context) clientv3.Txn {
	n.mu.Lock()
	defer n.mu.Unlock()
	// A request that is under way goes on when nobody waits for it any more.
	return &txn{Txn: n.KV.Txn(context.WithoutCancel(ctx)), fault: n.fault}
}

type txn struct {
	clientv3.Txn
	fault func(send func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error)
}

func (t *txn) If(c ...clientv3.Cmp) clientv3.Txn  { t.Txn = t.Txn.If(c...); return t }
func (t *txn) Then(o ...clientv3.Op) clientv3.Txn { t.Txn = t.Txn.Then(o...); return t }
func (t *txn) Else(o ...clientv3.Op) clientv3.Txn { t.Txn = t.Txn.Else(o...); return t }
func (t *txn) Commit() (*clientv3.TxnResponse, error) {
	if t.fault == nil {
		return t.Txn.Commit()
	}
	return t.fault(t.Txn.Commit)
}

// throughNetwork gives a leading master whose requests pass a network, and another one's view.
func throughNetwork(t *testing.T) (leader, view registry.Registry, l registry.Leadership, n *network) {
	t.Helper()
	base := open(t, t.TempDir())
	join := func() registry.Registry {
		r, err := registry.Join(t.Context(), base, registry.Config{LeaseTTL: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	leader, view = join(), join()
	behind := *registry.Client(base)
	n = &network{KV: behind.KV}
	behind.KV = n
	registry.SetClient(leader, &behind)
	l, err := leader.Campaign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return leader, view, l, n
}

func agents(t *testing.T, r registry.Registry) []string {
	t.Helper()
	state, err := r.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, a := range state.Agents {
		list = append(list, fmt.Sprintf("%s=%s", a.ID, a.Info))
	}
	return list
}

func set(id, info string) []registry.Op {
	return []registry.Op{registry.AdmitAgent{ID: ids.AgentID(id), Info: []byte(info)}}
}

var errLostAnswer = rpctypes.EtcdError(rpctypes.Error(rpctypes.ErrGRPCTimeoutDueToConnectionLost).(rpctypes.EtcdError))

func TestLostAnswerIsNotALostWrite(t *testing.T) {
	leader, view, l, n := throughNetwork(t)
	if errLostAnswer.Code() != codes.Unavailable {
		t.Fatalf("the scene is wrong: %v has code %v", errLostAnswer, errLostAnswer.Code())
	}
	lost := 0
	n.set(func(send func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		resp, err := send()
		if lost++; lost%2 == 1 {
			return nil, errLostAnswer // although it was carried out
		}
		return resp, err
	})
	for i := range 3 {
		if err := leader.Apply(t.Context(), set("a", fmt.Sprint(i))); err != nil {
			t.Fatalf("apply: %v", err)
		}
		if got, want := fmt.Sprint(agents(t, view)), fmt.Sprintf("[a=%d]", i); got != want {
			t.Errorf("agents %s, want %s", got, want)
		}
	}
	if lost != 6 {
		t.Errorf("%d requests, want two for each apply", lost)
	}
	select {
	case <-l.Lost():
		t.Error("the leadership is lost")
	default:
	}
}

// A request whose answer was lost comes through only when the next ones have long been answered. It
// must not undo them.
func TestLateRequestTakesNoEffect(t *testing.T) {
	leader, view, _, n := throughNetwork(t)
	if err := leader.Apply(t.Context(), set("a", "first")); err != nil {
		t.Fatal(err)
	}
	var late func() (*clientv3.TxnResponse, error)
	n.set(func(send func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		if late == nil {
			late = send
			return nil, errLostAnswer
		}
		return send()
	})
	for _, info := range []string{"second", "third"} {
		if err := leader.Apply(t.Context(), set("a", info)); err != nil {
			t.Fatal(err)
		}
	}
	if resp, err := late(); err != nil || resp.Succeeded {
		t.Errorf("the late request: %+v, %v", resp, err)
	}
	if got := fmt.Sprint(agents(t, view)); got != "[a=third]" {
		t.Errorf("agents %s", got)
	}
}

func TestApplyTriesAgainUntilTheLeadershipIsLost(t *testing.T) {
	leader, view, l, n := throughNetwork(t)
	n.set(func(func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		return nil, errLostAnswer
	})
	done := make(chan error, 1)
	go func() { done <- leader.Apply(t.Context(), set("a", "x")) }()
	revokeLeader(t, registry.Client(view), registry.LeaderKey(leader))
	select {
	case err := <-done:
		if !errors.Is(err, registry.ErrNotLeader) {
			t.Errorf("apply: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("apply goes on")
	}
	<-l.Lost()

	// The next leadership begins with what it finds.
	n.set(nil)
	if _, err := leader.Campaign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := leader.Apply(t.Context(), set("a", "y")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(agents(t, view)); got != "[a=y]" {
		t.Errorf("agents %s", got)
	}
}

func TestApplyGivesUpOnWhatWillNotPass(t *testing.T) {
	leader, view, _, n := throughNetwork(t)
	n.set(func(func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		return nil, rpctypes.ErrNoSpace
	})
	if err := leader.Apply(t.Context(), set("a", "x")); !errors.Is(err, rpctypes.ErrNoSpace) {
		t.Errorf("apply: %v", err)
	}

	// What failed is not taken for done.
	n.set(nil)
	if err := leader.Apply(t.Context(), set("a", "x")); err != nil {
		t.Errorf("apply: %v", err)
	}
	if got := fmt.Sprint(agents(t, view)); got != "[a=x]" {
		t.Errorf("agents %s", got)
	}
}

func TestWhoeverWritesTheLeadersKeyIsNoticed(t *testing.T) {
	leader, view, l, _ := throughNetwork(t)
	client, key := registry.Client(view), registry.LeaderKey(leader)
	stands, err := client.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Put(t.Context(), key, string(stands.Kvs[0].Value), clientv3.WithIgnoreLease()); err != nil {
		t.Fatal(err)
	}
	if err := leader.Apply(t.Context(), set("a", "x")); err == nil {
		t.Error("apply took no notice")
	}
	<-l.Lost()
	if got := agents(t, view); len(got) != 0 {
		t.Errorf("agents %s", got)
	}
}
