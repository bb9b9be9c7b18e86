package registrytest_test

import (
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/registry/registrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStoreConforms(t *testing.T) { registrytest.Run(t, cluster) }

func cluster(*testing.T) registrytest.Cluster {
	store := registrytest.NewStore(uuid.NewString())
	return registrytest.Cluster{
		Join: func(t *testing.T) registry.Registry {
			m := store.Join()
			t.Cleanup(func() { m.Close() })
			return m
		},
		Expire: func(*testing.T) { store.Expire(false) },
		Writes: func(*testing.T) uint64 { return store.Writes() },
		Fresh:  cluster,
	}
}
