package registry_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/registry/registrytest"
)

// Whatever is applied, by however many leaders: the registry on etcd and the one in memory, which share
// no line, remember the same.
func TestEtcdAndStoreRememberTheSame(t *testing.T) {
	base := open(t, t.TempDir())
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		store := registrytest.NewStore("")
		join := func() []registry.Registry {
			onEtcd, err := registry.Join(t.Context(), base, registry.Config{Prefix: fmt.Sprintf("/p%d", n)})
			if err != nil {
				t.Fatal(err)
			}
			both := []registry.Registry{onEtcd, store.Join()}
			for _, r := range both {
				if _, err := r.Campaign(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			return both
		}
		masters := join()
		leave := func() {
			for _, m := range masters {
				if err := m.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		defer func() { leave() }()
		for range rapid.IntRange(1, 6).Draw(t, "calls") {
			if rapid.IntRange(0, 4).Draw(t, "another leader") == 0 {
				leave()
				masters = join()
			}
			ops := rapid.SliceOfN(anyOp(), 0, 12).Draw(t, "ops")
			var states [2]registry.State
			for i, m := range masters {
				if err := m.Apply(t.Context(), ops); err != nil {
					t.Fatalf("apply: %v", err)
				}
				var err error
				if states[i], err = m.Load(t.Context()); err != nil {
					t.Fatalf("load: %v", err)
				}
			}
			if diff := cmp.Diff(states[0], states[1], cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("etcd -, store +:\n%s", diff)
			}
		}
	})
}

func anyOp() *rapid.Generator[registry.Op] {
	return rapid.Custom(func(t *rapid.T) registry.Op {
		id := rapid.SampledFrom([]string{"a", "b", "c/d", "ä", " "}).Draw(t, "id")
		info := []byte(rapid.SampledFrom([]string{"", "x", "\x00\xff"}).Draw(t, "info"))
		at := time.Unix(0, rapid.Int64Range(1, 6).Draw(t, "at"))
		switch rapid.IntRange(0, 9).Draw(t, "op") {
		case 0:
			return registry.AdmitAgent{ID: ids.AgentID(id), Info: info}
		case 1:
			return registry.RemoveAgent{ID: ids.AgentID(id)}
		case 2:
			return registry.MarkAgentUnreachable{ID: ids.AgentID(id), Since: at}
		case 3:
			return registry.MarkAgentGone{ID: ids.AgentID(id), Since: at}
		case 4:
			return registry.AdmitFramework{ID: ids.FrameworkID(id), Info: info, Principal: id}
		case 5:
			return registry.KeepDetachedFramework{ID: ids.FrameworkID(id)}
		case 6:
			return registry.DropDetachedFramework{ID: ids.FrameworkID(id)}
		case 7:
			return registry.KeepDetachedTask{ID: ids.TaskID(id), Task: info}
		case 8:
			return registry.DropDetachedTask{ID: ids.TaskID(id)}
		default:
			return registry.RemoveFramework{ID: ids.FrameworkID(id), At: at}
		}
	})
}
