package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/registry/registrytest"
)

// external starts an etcd that listens, and returns its URL.
func external(t *testing.T) string {
	t.Helper()
	config := embed.NewConfig()
	config.Dir = t.TempDir()
	any := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{any}, []url.URL{any}
	config.ListenPeerUrls = nil
	config.TickMs, config.ElectionMs = 10, 50
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	server, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	<-server.Server.ReadyNotify()
	return "http://" + server.Clients[0].Addr().String()
}

func TestExternalEtcdConforms(t *testing.T) {
	endpoint := external(t)
	observer, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { observer.Close() })
	clusters := 0
	var fresh func(*testing.T) registrytest.Cluster
	fresh = func(*testing.T) registrytest.Cluster {
		clusters++
		prefix := fmt.Sprintf("/cluster%d", clusters)
		return registrytest.Cluster{
			Join: func(t *testing.T) registry.Registry {
				r, err := registry.Open(t.Context(), registry.Config{Endpoints: []string{endpoint}, Prefix: prefix})
				if err != nil {
					t.Fatalf("open: %v", err)
				}
				t.Cleanup(func() { r.Close() })
				return r
			},
			Expire: func(t *testing.T) { revokeLeader(t, observer, prefix+"/leader") },
			Writes: func(t *testing.T) uint64 { return revision(t, observer, prefix) },
			Fresh:  fresh,
		}
	}
	registrytest.Run(t, fresh)
}

func TestDeadMastersLeaseRunsOut(t *testing.T) {
	endpoint := external(t)
	config := registry.Config{Endpoints: []string{endpoint}, LeaseTTL: 2 * time.Second}
	a, err := registry.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := registry.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	l, err := a.Campaign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	registry.Client(a).Close() // from now on it is silent
	campaign, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	next, err := b.Campaign(campaign)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.Lost():
	default:
		t.Error("somebody leads before the old leader has stopped")
	}
	if next.Epoch() <= l.Epoch() {
		t.Errorf("epoch %d after %d", next.Epoch(), l.Epoch())
	}
}

func TestOpenWaitsForAnExternalEtcd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := registry.Open(ctx, registry.Config{Endpoints: []string{"http://127.0.0.1:1"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("open with nobody there: %v", err)
	}
}
