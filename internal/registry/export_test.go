package registry

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Join gives another master's registry on the etcd of an open one, as three masters on one etcd
// would have it.
func Join(ctx context.Context, on Registry, config Config) (Registry, error) {
	r := &etcd{config: config.withDefaults(), client: Client(on), stop: func() error { return nil }}
	r.keys = keys(r.config.Prefix)
	r.lifetime, r.end = context.WithCancelCause(context.Background())
	return r, r.identify(ctx)
}

// Client is what a registry talks to etcd through.
func Client(r Registry) *clientv3.Client { return r.(*etcd).client }

// SetClient puts something before it.
func SetClient(r Registry, client *clientv3.Client) { r.(*etcd).client = client }

// LeaderKey is the key whose create revision is the epoch.
func LeaderKey(r Registry) string { return r.(*etcd).keys.leader() }
