package agent

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// TestASubscriptionIsNoLongerThanReckoned launches tasks with the longest of names until no more are taken, lets
// their commands begin, end or fail, and encodes what a new master is told then.
func TestASubscriptionIsNoLongerThanReckoned(t *testing.T) {
	config := node.Config{MaxDescribed: 4 << 20, MaxCompletedTasks: 100, MaxCompletedBytes: 1 << 20}
	p := plainCore{t: t, core: node.New(config), now: core.Time{Mono: time.Hour, Wall: time.Unix(1_000_000, 0)}}
	p.step(node.Recovered{})
	p.step(node.LinkOpened{Link: 1})
	p.step(node.FromMaster{Link: 1, Session: 1, Epoch: 1, Body: node.Subscribed{Agent: ids.AgentID(longName("a", 0)), Cluster: "c", Master: "m"}})
	framework, err := proto.Marshal(&mesos.FrameworkInfo{Id: &mesos.FrameworkID{Value: new(longName("f", 0))}, Name: new("n"), User: new("u")})
	if err != nil {
		t.Fatal(err)
	}
	f := node.Framework{ID: ids.FrameworkID(longName("f", 0)), Info: framework}
	for n := 0; !p.refused; n++ {
		task := shellTask(longName("t", n), strings.Repeat("x", n%3*1000))
		task.AgentId.Value = new(longName("a", 0))
		info, err := proto.Marshal(task)
		if err != nil {
			t.Fatal(err)
		}
		run := node.RunTask{Framework: f, Task: node.TaskInfo{ID: ids.TaskID(longName("t", n)), Info: info}}
		if n%2 == 1 {
			run.Unsupported = strings.Repeat("u", 100)
		}
		p.step(node.FromMaster{Link: 1, Session: 1, Epoch: 1, Body: run})
		if n > 100_000 {
			t.Fatal("there is no end of it")
		}
	}
	if p.tasks < 100 {
		t.Errorf("only %d tasks were taken", p.tasks)
	}
	p.step(node.LinkClosed{Link: 1})
	p.step(node.LinkOpened{Link: 2})
	if most := config.MaxSubscribe(); p.subscription > most || p.subscription < config.MaxDescribed/4 {
		t.Errorf("the subscription has %d bytes, reckoned were at most %d", p.subscription, most)
	}
}

func longName(prefix string, n int) string {
	name := prefix + strings.Repeat("n", 250)
	return name + string([]byte{byte('a' + n/17576%26), byte('a' + n/676%26), byte('a' + n/26%26), byte('a' + n%26)})
}

// plainCore carries out what a core wants as if nothing could fail.
type plainCore struct {
	t            *testing.T
	core         *node.Node
	now          core.Time
	tasks        int
	refused      bool
	subscription int // bytes of the last one
}

func (p *plainCore) step(in node.Input) {
	for _, out := range append([]node.Output(nil), p.core.Step(p.now, in)...) {
		switch out := out.(type) {
		case node.Persist:
			p.step(node.Persisted{Ticket: out.Ticket})
		case node.StartContainer:
			p.tasks++
			p.step(node.ContainerStarted{Container: out.Sandbox.Container, PID: 1 << 20})
		case node.ToMaster:
			switch body := out.Body.(type) {
			case node.TaskRefused:
				p.refused = true
			case node.Subscribe:
				a := &agent{info: agentInfo{&mesos.AgentInfo{Hostname: new("h")}}, statuses: newStatusEncoder("2001:db8:1111:2222:3333:4444:5555:6666"), loop: &loop{core: p.core}}
				record, err := a.encodeToMaster(node.ToMaster{Body: body})
				if err != nil {
					p.t.Fatal(err)
				}
				p.subscription = len(record)
			}
		}
	}
}
