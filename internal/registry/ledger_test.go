package registry

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/ids"
)

// Whatever the ops: carrying out the plan leaves what the ops say, each transaction has room in etcd
// and names a key once, and a second time there is nothing to do.
func TestPlanLeavesWhatTheOpsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := keys("/x")
		l := newLedger(k)
		l.limit = 3
		stored := map[string][]byte{} // by the plans
		model := map[string]change{}  // by the ops, one by one
		for range rapid.IntRange(1, 5).Draw(t, "calls") {
			ops := rapid.SliceOfN(anyOp(), 0, 200).Draw(t, "ops")
			for _, transaction := range l.plan(ops) {
				carryOut(t, stored, transaction)
			}
			for _, op := range ops {
				carryOutPlainly(model, k, op, l.limit)
			}
			if len(stored) != len(model) {
				t.Fatalf("%d keys, want %d", len(stored), len(model))
			}
			for key, want := range model {
				if string(stored[key]) != string(want.value) {
					t.Fatalf("key %s has %q, want %q", key, stored[key], want.value)
				}
			}
		}
		// A leader that learns what is there from the store knows the same.
		next := newLedger(k)
		next.limit = l.limit
		for _, c := range model {
			next.note(c)
		}
		op := anyOp().Draw(t, "one more op")
		if a, b := l.plan([]Op{op}), next.plan([]Op{op}); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("%T: %v, but for the next leader %v", op, a, b)
		}
		if again := l.plan([]Op{op}); len(again) > 0 && !forgetsItself(again) {
			t.Fatalf("%T for the second time: %v", op, again)
		}
	})
}

func anyOp() *rapid.Generator[Op] {
	return rapid.Custom(func(t *rapid.T) Op {
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "id")
		info := []byte(rapid.SampledFrom([]string{"", "x", "yy"}).Draw(t, "info"))
		at := time.Unix(rapid.Int64Range(1, 6).Draw(t, "at"), 0)
		switch rapid.IntRange(0, 5).Draw(t, "op") {
		case 0:
			return AdmitAgent{ids.AgentID(id), info}
		case 1:
			return RemoveAgent{ids.AgentID(id)}
		case 2:
			return MarkAgentUnreachable{ids.AgentID(id), at}
		case 3:
			return MarkAgentGone{ids.AgentID(id), at}
		case 4:
			return AdmitFramework{ids.FrameworkID(id), info, "p"}
		default:
			return RemoveFramework{ids.FrameworkID(id), at}
		}
	})
}

func carryOut(t *rapid.T, stored map[string][]byte, transaction []change) {
	if len(transaction) == 0 || len(transaction) > maxOps {
		t.Fatalf("a transaction of %d changes", len(transaction))
	}
	seen := map[string]bool{}
	for _, c := range transaction {
		if seen[c.key] {
			t.Fatalf("key %s twice in a transaction, which etcd refuses", c.key)
		}
		seen[c.key] = true
		if c.value == nil {
			delete(stored, c.key)
		} else {
			stored[c.key] = c.value
		}
	}
}

// carryOutPlainly is the dumb twin of the ledger.
func carryOutPlainly(model map[string]change, k keys, op Op, limit int) {
	for _, c := range k.changes(op) {
		if c.value == nil {
			delete(model, c.key)
			continue
		}
		model[c.key] = c
		kind := k.kindOf(c.key)
		var all []age
		for key, o := range model {
			if aging(kind) && k.kindOf(key) == kind {
				all = append(all, age{o.since, key})
			}
		}
		if len(all) > limit {
			delete(model, slices.MinFunc(all, age.compare).key)
		}
	}
}

// forgetsItself: a record older than all that are remembered is written and forgotten, each time.
func forgetsItself(plan [][]change) bool {
	return len(plan) == 1 && len(plan[0]) == 1 && plan[0][0].value == nil
}

func TestTransactionsStaySmall(t *testing.T) {
	l := newLedger("/x")
	var ops []Op
	for i := range 1000 {
		ops = append(ops, AdmitAgent{ids.AgentID(fmt.Sprint(i)), make([]byte, i*30)})
	}
	for _, transaction := range l.plan(ops) {
		size := 0
		for _, c := range transaction {
			size += len(c.key) + len(c.value)
		}
		if limit := maxBytes + 30*1000 + 1000; size > limit {
			t.Errorf("a transaction of %d bytes, want at most %d", size, limit)
		}
	}
}

func TestRecordThatCannotBeReadIsNamed(t *testing.T) {
	for name, value := range map[string][]byte{
		"nonsense":              []byte("\xff\xff\xff"),
		"a kind to come":        {0xfa, 0x01, 0x00}, // field 31
		"nothing":               {},
		"a record that is torn": keys("/x").changes(AdmitAgent{"a", []byte("info")})[0].value[:5],
	} {
		var s State
		if _, err := s.add("/meseta/agents/a", value); err == nil || !strings.Contains(err.Error(), "/meseta/agents/a") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any bytes in the store are an answer or an error.
func FuzzRecord(f *testing.F) {
	f.Add([]byte{})
	f.Add(keys("/x").changes(AdmitAgent{"a", []byte("info")})[0].value)
	for _, c := range keys("/x").changes(MarkAgentGone{"a", time.Unix(5, 0)}) {
		f.Add(c.value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var s State
		if _, err := s.add("/x/agents/a", value); err != nil && len(s.Agents)+len(s.Frameworks) > 0 {
			t.Errorf("%v, and yet %v", err, s)
		}
	})
}
