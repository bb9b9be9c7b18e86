package schedulertest_test

import (
	"fmt"
	"strings"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
)

// queue is a framework that runs a list of tasks, each on one cpu, and each again when it does not finish: a
// task called "a" becomes "a-2" and so on.
type queue struct {
	scheduler.Base
	todo     []string
	executor string // its id; empty for commands

	tries    map[string]int
	finished []string
	heard    []string // what it was told beside offers and states
}

func newQueue(todo ...string) *queue { return &queue{todo: todo, tries: map[string]int{}} }

func (q *queue) ResourceOffers(d scheduler.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		var tasks []*mesos.TaskInfo
		for free := cpus(o); free >= 1 && len(q.todo) > 0; free-- {
			tasks = append(tasks, q.task(q.todo[0], o.GetAgentId()))
			q.todo = q.todo[1:]
		}
		if tasks == nil {
			d.DeclineOffer(o.GetId(), nil)
			continue
		}
		d.LaunchTasks([]*mesos.OfferID{o.GetId()}, tasks, nil)
	}
	if len(q.todo) == 0 {
		d.SuppressOffers()
	}
}

func (q *queue) StatusUpdate(d scheduler.Driver, s *mesos.TaskStatus) {
	id := s.GetTaskId().GetValue()
	switch s.GetState() {
	case mesos.TaskState_TASK_FINISHED:
		q.finished = append(q.finished, id)
	case mesos.TaskState_TASK_FAILED, mesos.TaskState_TASK_LOST, mesos.TaskState_TASK_KILLED:
		name, _, _ := strings.Cut(id, "-")
		q.tries[name]++
		q.todo = append(q.todo, fmt.Sprintf("%s-%d", name, q.tries[name]+1))
		d.ReviveOffers()
	}
}

func (q *queue) FrameworkMessage(_ scheduler.Driver, x *mesos.ExecutorID, _ *mesos.AgentID, data []byte) {
	q.heard = append(q.heard, fmt.Sprintf("%s says %s", x.GetValue(), data))
}
func (q *queue) Disconnected(scheduler.Driver) { q.heard = append(q.heard, "disconnected") }
func (q *queue) Reregistered(scheduler.Driver, *mesos.MasterInfo) {
	q.heard = append(q.heard, "reregistered")
}
func (q *queue) AgentLost(scheduler.Driver, *mesos.AgentID) { q.heard = append(q.heard, "agent lost") }
func (q *queue) OfferRescinded(scheduler.Driver, *mesos.OfferID) {
	q.heard = append(q.heard, "rescinded")
}
func (q *queue) Error(_ scheduler.Driver, err error) { q.heard = append(q.heard, err.Error()) }
func (q *queue) ExecutorLost(_ scheduler.Driver, x *mesos.ExecutorID, _ *mesos.AgentID, status int) {
	q.heard = append(q.heard, fmt.Sprintf("executor %s lost, status %d", x.GetValue(), status))
}

func (q *queue) task(id string, agent *mesos.AgentID) *mesos.TaskInfo {
	t := &mesos.TaskInfo{
		Name:      &id,
		TaskId:    &mesos.TaskID{Value: &id},
		AgentId:   agent,
		Resources: []*mesos.Resource{scalar("cpus", 1), scalar("mem", 100)},
	}
	if q.executor == "" {
		t.Command = &mesos.CommandInfo{Value: new("true")}
		return t
	}
	t.Executor = &mesos.ExecutorInfo{
		Type:       mesos.ExecutorInfo_CUSTOM.Enum(),
		ExecutorId: &mesos.ExecutorID{Value: &q.executor},
		Command:    &mesos.CommandInfo{Value: new("./executor")},
	}
	return t
}

func cpus(o *mesos.Offer) (sum float64) {
	for _, r := range o.GetResources() {
		if r.GetName() == "cpus" {
			sum += r.GetScalar().GetValue()
		}
	}
	return sum
}

func scalar(name string, value float64) *mesos.Resource {
	return &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &value}}
}
