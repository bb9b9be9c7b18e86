package registry_test

import (
	"context"
	"fmt"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/registry/registrytest"
)

// open opens an embedded registry that is closed with the test.
func open(t testing.TB, dir string) registry.Registry {
	t.Helper()
	r, err := registry.Open(t.Context(), registry.Config{Dir: dir})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

func TestEtcdConforms(t *testing.T) {
	base := open(t, t.TempDir())
	clusters := 0
	var fresh func(*testing.T) registrytest.Cluster
	fresh = func(*testing.T) registrytest.Cluster {
		clusters++
		return onEtcd(base, fmt.Sprintf("/cluster%d", clusters), fresh)
	}
	registrytest.Run(t, fresh)
}

func onEtcd(base registry.Registry, prefix string, fresh func(*testing.T) registrytest.Cluster) registrytest.Cluster {
	client := registry.Client(base)
	return registrytest.Cluster{
		Join: func(t *testing.T) registry.Registry {
			r, err := registry.Join(t.Context(), base, registry.Config{Prefix: prefix})
			if err != nil {
				t.Fatalf("join: %v", err)
			}
			t.Cleanup(func() { r.Close() })
			return r
		},
		Expire: func(t *testing.T) { revokeLeader(t, client, prefix+"/leader") },
		Writes: func(t *testing.T) uint64 { return revision(t, client, prefix) },
		Fresh:  fresh,
	}
}

// revision rises with everything that is written to an etcd.
func revision(t *testing.T, client *clientv3.Client, prefix string) uint64 {
	t.Helper()
	resp, err := client.Get(t.Context(), prefix, clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return uint64(resp.Header.Revision)
}

// revokeLeader is what etcd does when a lease runs out.
func revokeLeader(t testing.TB, client *clientv3.Client, key string) {
	t.Helper()
	resp, err := client.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range resp.Kvs {
		if _, err := client.Revoke(context.Background(), clientv3.LeaseID(kv.Lease)); err != nil {
			t.Fatal(err)
		}
	}
}
