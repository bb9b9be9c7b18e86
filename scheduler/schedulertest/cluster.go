package schedulertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
	"github.com/meseta/meseta/internal/stage"
	"github.com/meseta/meseta/scheduler"
)

// Cluster is a cluster for one test. Its methods may be called from the test's goroutine, from scripts and from
// callbacks; those that wait, from the test's goroutine only.
type Cluster struct {
	t       testing.TB
	stage   *stage.Cluster
	machine []agentSpec // until it is started

	// guarded by the stage's lock
	log    log
	orders []*order // faults that are due

	mu         sync.Mutex
	script     func(*Task) error                                                     // guarded by mu
	executors  func(ctx context.Context, info *mesos.ExecutorInfo) executor.Executor // guarded by mu
	schedulers []string                                                              // guarded by mu; their names in the network
}

// agentSpec is a machine as an option asks for it.
type agentSpec struct {
	resources  resources.List
	attributes []*mesos.Attribute
}

// Option changes what New makes.
type Option func(*Cluster) error

// Agents adds n agents with resources as in "cpus:4;mem:4096;ports:[31000-32000]" and, if any, attributes as in
// "rack:a;ssd:true". Given several times, all of them are there. Agents are called agent-0, agent-1 and so on.
func Agents(n int, resourceList string, attributes ...string) Option {
	return func(c *Cluster) error {
		if n < 0 {
			return fmt.Errorf("%d agents, expected a positive number", n)
		}
		total, err := resources.Parse(resourceList)
		if err != nil {
			return fmt.Errorf("resources: %w", err)
		}
		spec := agentSpec{resources: total}
		for _, text := range attributes {
			parsed, err := resources.ParseAttributes(text)
			if err != nil {
				return fmt.Errorf("attributes: %w", err)
			}
			spec.attributes = append(spec.attributes, resourcepb.AttributesToProto(parsed)...)
		}
		for range n {
			c.machine = append(c.machine, spec)
		}
		return nil
	}
}

// New makes a cluster whose agents have registered, and which ends with the test. Without options it has one agent
// with "cpus:4;mem:4096;disk:10000;ports:[31000-32000]". It has to be called inside synctest.Test.
func New(t testing.TB, options ...Option) *Cluster {
	t.Helper()
	stage.NeedBubble(t, "schedulertest.New")
	c := &Cluster{t: t}
	for _, option := range options {
		if err := option(c); err != nil {
			t.Fatalf("schedulertest: %v", err)
		}
	}
	if c.machine == nil {
		if err := Agents(1, "cpus:4;mem:4096;disk:10000;ports:[31000-32000]")(c); err != nil {
			t.Fatalf("schedulertest: %v", err)
		}
	}
	c.stage = stage.NewCluster(stage.NewWorld())
	c.stage.Taps = c.taps()
	for _, spec := range c.machine {
		c.stage.AddAgent(stage.AgentConfig{
			Name:       fmt.Sprintf("agent-%d", len(c.stage.Agents)),
			Resources:  spec.resources,
			Attributes: spec.attributes,
			Play:       c.play,
		})
	}
	t.Cleanup(c.close)
	if !c.stage.World.Await(t.Context(), time.Minute, c.stage.Registered) {
		t.Fatal("schedulertest: the agents have not registered")
	}
	return c
}

// close ends the cluster, and says what happened if the test has failed.
func (c *Cluster) close() {
	history := c.stage.World.History()
	c.stage.Close()
	if c.t.Failed() {
		c.t.Log(stage.Tell(history))
	}
}

// Start gives a scheduler to a driver and starts that. It is stopped, for a failover, at the end of the test. Of the
// configuration, what leads to the cluster is filled in; a framework without a name is called "test", and one
// without a user runs as "nobody".
func (c *Cluster) Start(s scheduler.Scheduler, config scheduler.Config) scheduler.Driver {
	c.t.Helper()
	d, err := scheduler.NewDriver(s, c.Config(config))
	if err != nil {
		c.t.Fatalf("schedulertest: %v", err)
	}
	c.t.Cleanup(func() {
		c.stage.World.Do(func() { c.stage.World.Logf("test", "is over") })
		d.Stop(true)
	})
	d.Start()
	return d
}

// Config fills into a driver's configuration what leads to the cluster, for code that makes its driver by itself.
// Whoever does stops the driver, too, before the test ends.
func (c *Cluster) Config(config scheduler.Config) scheduler.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := fmt.Sprintf("scheduler-%d", len(c.schedulers))
	c.schedulers = append(c.schedulers, name)
	config.Masters = []string{stage.MasterName}
	config.Dial = c.stage.World.Net.Dialer(name)
	if config.BackoffMin == 0 && config.BackoffMax == 0 {
		// Nothing is left to chance: it is the network that takes its time to refuse.
		config.BackoffMin, config.BackoffMax = time.Nanosecond, time.Nanosecond
	}
	config.Framework = named(config.Framework)
	return config
}

// Agent gives the agent of a number, from 0.
func (c *Cluster) Agent(n int) *Agent {
	c.t.Helper()
	if n < 0 || n >= len(c.stage.Agents) {
		c.t.Fatalf("schedulertest: no agent %d, expected one of %d, from 0", n, len(c.stage.Agents))
	}
	return &Agent{c, c.stage.Agents[n]}
}

// AgentOf gives the agent that runs a task at the moment.
func (c *Cluster) AgentOf(task string) *Agent {
	c.t.Helper()
	var found *Agent
	c.stage.World.Do(func() {
		for _, a := range c.stage.Agents {
			if found == nil && a.Runs(ids.TaskID(task)) {
				found = &Agent{c, a}
			}
		}
	})
	if found == nil {
		c.t.Fatalf("schedulertest: no agent runs task %q; %s", task, c.whatOf(task))
	}
	return found
}

// History tells what has happened so far: who said and did what, and when. A test that fails logs it by itself.
func (c *Cluster) History() string { return stage.Tell(c.stage.World.History()) }

// Settle waits a moment, of 10 ms: what was said has then been heard and answered, and callbacks have returned, unless
// they wait for something.
func (c *Cluster) Settle() {
	c.t.Helper()
	c.Sleep(10 * time.Millisecond)
}

// Sleep lets virtual time pass, and waits until everything that happens in it is over. After it, as after the other
// methods that wait, a test may look at what callbacks have written.
func (c *Cluster) Sleep(d time.Duration) {
	c.t.Helper()
	time.Sleep(d)
	synctest.Wait()
}

// named fills in what a framework needs and a test rarely cares about.
func named(info *mesos.FrameworkInfo) *mesos.FrameworkInfo {
	if info == nil {
		info = new(mesos.FrameworkInfo)
	}
	info = proto.CloneOf(info)
	if info.GetName() == "" {
		info.Name = new("test")
	}
	if info.GetUser() == "" {
		info.User = new("nobody")
	}
	if info.GetHostname() == "" {
		info.Hostname = new("localhost")
	}
	return info
}
