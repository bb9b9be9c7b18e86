package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/protobuf/proto"

	registrypb "github.com/meseta/meseta/api/meseta/registry/v1"
)

// Open opens the registry that config names: it starts the embedded etcd, or reaches for the external
// one, and makes the cluster's id when there is none. It waits for an external etcd until ctx ends.
func Open(ctx context.Context, config Config) (Registry, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	r := &etcd{config: config, keys: keys(config.Prefix)}
	r.lifetime, r.end = context.WithCancelCause(context.Background())
	start, where := r.startMember, config.Dir
	if config.Dir == "" {
		start, where = r.dial, fmt.Sprintf("%q", config.Endpoints)
	}
	if err := start(ctx); err != nil {
		return nil, fmt.Errorf("registry at %s: %w", where, err)
	}
	if err := r.identify(ctx); err != nil {
		return nil, fmt.Errorf("registry at %s: %w", where, errors.Join(err, r.stop()))
	}
	return r, nil
}

// startMember goes on an embedded etcd.
func (r *etcd) startMember(ctx context.Context) error {
	m, err := startMember(ctx, r.config.Dir, r.config.Log, r.end)
	if err != nil {
		return err
	}
	r.client, r.stop, r.alone = m.client, m.stop, true
	return nil
}

// dial goes on an external etcd.
func (r *etcd) dial(context.Context) error {
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            r.config.Endpoints,
		TLS:                  r.config.TLS,
		Username:             r.config.Username,
		Password:             r.config.Password,
		DialTimeout:          attemptTimeout,
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: 5 * time.Second,
		Logger:               zapOn(r.config.Log, nil),
	})
	if err != nil {
		return err
	}
	r.client, r.stop = client, client.Close
	return nil
}

// identify learns the cluster's id, or makes it.
func (r *etcd) identify(ctx context.Context) error {
	record := encode(&registrypb.Record{Kind: &registrypb.Record_Cluster{Cluster: &registrypb.Cluster{Id: uuid.NewString()}}})
	key := r.keys.cluster()
	return r.insist(ctx, func(ctx context.Context) error {
		resp, err := r.client.Txn(ctx).
			If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
			Then(clientv3.OpPut(key, string(record))).
			Else(clientv3.OpGet(key)).
			Commit()
		if err != nil {
			return err
		}
		stored := record
		if !resp.Succeeded {
			stored = resp.Responses[0].GetResponseRange().Kvs[0].Value
		}
		found := new(registrypb.Record)
		if err := proto.Unmarshal(stored, found); err != nil {
			return fmt.Errorf("registry: record of %d bytes at key %q: %w", len(stored), key, err)
		}
		if r.clusterID = found.GetCluster().GetId(); r.clusterID == "" {
			return fmt.Errorf("registry: record at key %q has no id", key)
		}
		return nil
	})
}
