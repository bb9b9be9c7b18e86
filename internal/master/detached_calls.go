package master

import (
	"fmt"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	registrypb "github.com/meseta/meseta/api/meseta/registry/v1"
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/detached"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/registry"
	"github.com/meseta/meseta/internal/resources"
)

// runDetached has detached tasks taken on, and leaves a line in the log of who asked for what.
func (m *Master) runDetached(r *http.Request, in detached.Run) (detached.Answer, error) {
	a, err := m.askDetached(r, in)
	attrs := []any{"audit", "RUN_TASKS", "from", r.RemoteAddr, "user_agent", userAgent(r), "name", in.Name,
		"instances", in.Instances, "demand", in.Demand.String(), "role", in.Role}
	switch {
	case err != nil:
		attrs = append(attrs, "result", err.Error())
	case a.Verdict == detached.Refused:
		attrs = append(attrs, "result", a.Text)
	default:
		attrs = append(attrs, "result", "accepted", "first", a.Tasks[0], "framework", a.Framework)
	}
	m.log.Info("operator call", attrs...)
	return a, err
}

// killDetached ends a detached task that no agent is known to have. It returns false if there is none of the
// name, and the cluster's core is to be asked.
func (m *Master) killDetached(r *http.Request, o cluster.OrderKill) (_ cluster.Answer, mine bool, _ error) {
	a, err := m.askDetached(r, detached.Kill{Framework: o.Framework, Task: o.Task})
	if err != nil || a.Verdict == detached.NotMine {
		return cluster.Answer{}, false, err
	}
	t := &cluster.Task{Key: cluster.TaskKey{Framework: a.Framework, Task: o.Task}, Info: cluster.TaskInfo{Agent: a.Agent},
		State: mesos.TaskState_TASK_STAGING}
	if a.Agent == "" {
		t.State = mesos.TaskState_TASK_KILLED
	}
	return cluster.Answer{Code: cluster.Accepted, Task: t}, true, nil
}

func (m *Master) askDetached(r *http.Request, in detached.Input) (detached.Answer, error) {
	reply := make(chan detached.Answer, 1)
	if err := m.loop.deliver(r.Context(), delivery{detached: in, reply: reply}); err != nil {
		return detached.Answer{}, err
	}
	select {
	case a := <-reply:
		return a, nil
	case <-m.stopping:
		return detached.Answer{}, errStopping
	}
}

// addDetached adds to a view what the cluster's core does not know: the detached tasks that wait, and those
// that ended while they did.
func (l *loop) addDetached(v *cluster.View) {
	view := l.detached.core.View()
	for i := range view.Tasks {
		t := &view.Tasks[i]
		key := cluster.TaskKey{Framework: view.Framework, Task: t.ID}
		if t.Launching() && l.core.HasTask(key) {
			continue
		}
		text := "Waiting for an offer of " + t.Demand.String()
		if t.Launching() {
			text = "Being launched"
		}
		v.Pending = append(v.Pending, pendingTask(key, t, mesos.TaskState_TASK_STAGING, text, t.Created))
	}
	for i := range view.Ended {
		e := &view.Ended[i]
		v.NeverLaunched = append(v.NeverLaunched,
			pendingTask(cluster.TaskKey{Framework: e.Framework, Task: e.Task.ID}, &e.Task, e.State, e.Text, e.At))
	}
}

func pendingTask(key cluster.TaskKey, t *detached.Task, state mesos.TaskState, text string, at time.Time) *cluster.Task {
	status := cluster.Status{Task: t.ID, State: state, Agent: t.Agent, Message: text,
		Timestamp: core.Time{Wall: at}.Seconds()}
	return &cluster.Task{Key: key, Role: t.Role, State: state, Created: core.Time{Wall: t.Created}, Shown: status,
		Statuses: []cluster.Status{status},
		Info:     cluster.TaskInfo{ID: t.ID, Name: t.Name, Agent: t.Agent, HasCommand: true, Resources: t.Demand.List(), Raw: t.Spec}}
}

// recoveredDetached gives what the registry remembers of detached tasks.
func recoveredDetached(s registry.State) (in detached.Recovered, err error) {
	if len(s.DetachedFrameworks) > 0 {
		in.Framework = s.DetachedFrameworks[len(s.DetachedFrameworks)-1]
	}
	for _, f := range s.RemovedFrameworks {
		in.Gone = in.Gone || in.Framework != "" && f.ID == in.Framework
	}
	for _, stored := range s.DetachedTasks {
		m := new(registrypb.DetachedTaskState)
		if err := proto.Unmarshal(stored.Task, m); err != nil {
			return in, fmt.Errorf("registry: detached task %s: %w", stored.ID, err)
		}
		in.Tasks = append(in.Tasks, detached.Task{
			ID: stored.ID, Name: m.Name, Role: ids.Role(m.Role), Spec: m.Spec, Created: time.Unix(0, m.Created),
			Agent: ids.AgentID(m.Agent), Killed: m.Killed,
			Demand: demand.Demand{CPUs: resources.Scalar(m.Cpus), Mem: resources.Scalar(m.Mem),
				Disk: resources.Scalar(m.Disk), GPUs: resources.Scalar(m.Gpus), Ports: int(m.Ports)},
		})
	}
	return in, nil
}
