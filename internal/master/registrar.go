package master

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/registry"
)

// registrar writes the cores' records to the registry, in order, as many at once as have gathered.
type registrar struct {
	registry registry.Registry
	done     func(delivery) // the loop's back door
	queue    inbox[write]
}

// write is a change to be made durable, and what is said in the loop when it is.
type write struct {
	changes []registry.Op
	then    delivery
}

func newRegistrar(r registry.Registry, done func(delivery)) *registrar {
	return &registrar{registry: r, done: done, queue: newInbox[write]()}
}

func (r *registrar) put(changes []registry.Op, then delivery) { r.queue.put(write{changes, then}) }

// lastWrites bounds what is written after the master was told to stop.
const lastWrites = 2 * time.Second

// run writes until ctx ends or the registry refuses: then this master must stop. What waits when ctx ends
// is still written, so that a master that is stopped does not forget what it was just told.
func (r *registrar) run(ctx context.Context) error {
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastWrites, stop) })()
	for stopping := false; !stopping; {
		select {
		case <-r.queue.signal:
		case <-ctx.Done():
			stopping = true
		}
		if err := r.write(writing, r.queue.take()); err != nil {
			return fmt.Errorf("registry: %w", err)
		}
	}
	return nil
}

func (r *registrar) write(ctx context.Context, batch []write) error {
	if len(batch) == 0 {
		return nil
	}
	var changes []registry.Op
	for _, w := range batch {
		changes = append(changes, w.changes...)
	}
	if err := r.registry.Apply(ctx, changes); err != nil {
		return err
	}
	for _, w := range batch {
		r.done(w.then)
	}
	return nil
}

// persist makes records of the cluster's core durable.
func (l *loop) persist(p cluster.Persist) {
	changes := make([]registry.Op, len(p.Records))
	for i, record := range p.Records {
		changes[i] = change(record)
	}
	l.m.registrar.put(changes, delivery{in: cluster.Persisted{Ticket: p.Ticket}})
}

// change gives a record of the core as a change of the registry.
func change(r cluster.Record) registry.Op {
	switch r := r.(type) {
	case cluster.AdmitAgent:
		return registry.AdmitAgent{ID: r.ID, Info: r.Info}
	case cluster.LoseAgent:
		return registry.MarkAgentUnreachable{ID: r.ID, Since: r.Since}
	case cluster.MarkAgentGone:
		return registry.MarkAgentGone{ID: r.ID, Since: r.Since}
	case cluster.RemoveAgent:
		return registry.RemoveAgent{ID: r.ID}
	case cluster.AdmitFramework:
		info := clusterpb.FrameworkTo(&r.Info)
		info.Id = nil
		return registry.AdmitFramework{ID: r.Info.ID, Info: clusterpb.Encode(info), Principal: r.Info.Principal}
	case cluster.RemoveFramework:
		return registry.RemoveFramework{ID: r.ID, At: r.At}
	}
	panic(fmt.Sprintf("master: record of unknown type %T", r))
}

// recovered gives what the registry remembers as the core's first input.
func recovered(s registry.State) (cluster.Recovered, error) {
	var in cluster.Recovered
	for _, f := range s.RemovedFrameworks {
		in.Removed = append(in.Removed, f.ID)
	}
	for _, a := range s.Agents {
		in.Agents = append(in.Agents, a.ID)
	}
	for _, a := range s.GoneAgents {
		in.Gone = append(in.Gone, a.ID)
	}
	for _, a := range s.UnreachableAgents {
		in.Unreachable = append(in.Unreachable, cluster.UnreachableAgent{ID: a.ID, Since: a.Since})
	}
	for _, f := range s.Frameworks {
		m := new(mesos.FrameworkInfo)
		if err := proto.Unmarshal(f.Info, m); err != nil {
			return in, fmt.Errorf("registry: framework %s: %w", f.ID, err)
		}
		m.Id = &mesos.FrameworkID{Value: new(string(f.ID))}
		in.Frameworks = append(in.Frameworks, clusterpb.FrameworkFrom(m))
	}
	return in, nil
}
