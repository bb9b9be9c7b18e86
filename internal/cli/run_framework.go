package cli

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/demand/demandpb"
	"github.com/meseta/meseta/internal/resources/resourcepb"
	"github.com/meseta/meseta/scheduler"
)

// runner is the framework of one command, in one instance or several.
type runner struct {
	scheduler.Base

	// immutable once the driver runs
	options   RunOptions
	demand    demand.Demand
	command   *mesos.CommandInfo
	driver    scheduler.Driver
	instances []*instance

	ended chan struct{} // closed when nothing runs any more

	mu      sync.Mutex
	id      string    // of the framework; guarded by mu, as all that follows
	waiting int       // instances that wait for an offer
	running int       // instances that have not ended, the waiting ones among them
	killed  bool      // nothing more is to be launched
	first   *instance // that failed
}

// instance is one task.
type instance struct {
	runner  *runner
	number  int
	task    string
	started chan struct{} // closed when the sandbox is known
	ended   chan struct{} // closed when there is a last status or a failure

	agent string // its address; guarded by runner.mu until started is closed
	path  string // of the sandbox; likewise

	taken   bool              // launched, or never to be; guarded by runner.mu
	last    *mesos.TaskStatus // guarded by runner.mu until ended is closed
	failure error             // likewise
}

// maxInstances is how many instances somebody may wait for: what each of them writes is asked for five times
// a second.
const maxInstances = 100

func newRunner(o RunOptions) (*runner, error) {
	o.Instances = max(1, o.Instances)
	if o.Instances > maxInstances {
		return nil, fmt.Errorf("instances %d: expected at most %d, or --detach", o.Instances, maxInstances)
	}
	r := &runner{options: o, waiting: o.Instances, running: o.Instances, ended: make(chan struct{})}
	var err error
	if r.demand, err = o.demand(); err != nil {
		return nil, err
	}
	if r.command, err = o.commandInfo(); err != nil {
		return nil, err
	}
	id := "run-" + uuid.NewString()[:8]
	for n := range o.Instances {
		i := &instance{runner: r, number: n, task: id, started: make(chan struct{}), ended: make(chan struct{})}
		if o.Instances > 1 {
			i.task = fmt.Sprintf("%s-%d", id, n)
		}
		r.instances = append(r.instances, i)
	}
	return r, nil
}

func (r *runner) frameworkInfo() *mesos.FrameworkInfo {
	info := &mesos.FrameworkInfo{Name: new("meseta run"), User: new("")}
	if r.options.Role != "" {
		info.Roles = []string{r.options.Role}
		info.Capabilities = append(info.Capabilities, capability(mesos.FrameworkInfo_Capability_MULTI_ROLE))
	}
	if r.demand.GPUs > 0 {
		info.Capabilities = append(info.Capabilities, capability(mesos.FrameworkInfo_Capability_GPU_RESOURCES))
	}
	return info
}

func capability(t mesos.FrameworkInfo_Capability_Type) *mesos.FrameworkInfo_Capability {
	return &mesos.FrameworkInfo_Capability{Type: &t}
}

// Registered notes the framework's id, which is part of a sandbox's path.
func (r *runner) Registered(_ scheduler.Driver, id *mesos.FrameworkID, _ *mesos.MasterInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.id = id.GetValue()
}

// ResourceOffers launches as many instances on each offer as it holds.
func (r *runner) ResourceOffers(d scheduler.Driver, offers []*mesos.Offer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range offers {
		if tasks := r.launch(o); len(tasks) > 0 {
			d.LaunchTasks([]*mesos.OfferID{o.Id}, tasks, nil)
		} else {
			d.DeclineOffer(o.Id, nil)
		}
	}
	if r.waiting == 0 {
		d.SuppressOffers()
	}
}

func (r *runner) launch(o *mesos.Offer) (tasks []*mesos.TaskInfo) {
	rest, err := resourcepb.FromProto(o.Resources)
	if err != nil {
		return nil // of a kind that we cannot read
	}
	for _, i := range r.instances {
		if i.taken {
			continue
		}
		share, ok := r.demand.Take(rest)
		if !ok {
			break
		}
		rest = rest.Sub(share.Resources)
		a := o.GetUrl().GetAddress()
		i.agent = net.JoinHostPort(a.GetIp(), strconv.Itoa(int(a.GetPort())))
		i.take()
		tasks = append(tasks, i.taskInfo(o, share))
	}
	return tasks
}

// take takes an instance out of those that wait.
func (i *instance) take() {
	if !i.taken {
		i.taken = true
		i.runner.waiting--
	}
}

// giveBack lets an instance wait again that was not launched after all.
func (i *instance) giveBack() {
	i.taken = false
	i.runner.waiting++
	i.runner.driver.ReviveOffers()
}

func (i *instance) id() *mesos.TaskID { return &mesos.TaskID{Value: &i.task} }

func (i *instance) taskInfo(o *mesos.Offer, share demand.Share) *mesos.TaskInfo {
	r := i.runner
	t := &mesos.TaskInfo{Name: new(r.options.taskName()), TaskId: i.id(), AgentId: o.AgentId,
		Command: proto.CloneOf(r.command), MaxCompletionTime: r.options.completion()}
	demandpb.Give(t, share, resourcepb.Classic)
	return t
}

// StatusUpdate notes where a sandbox is, and the end.
func (r *runner) StatusUpdate(_ scheduler.Driver, s *mesos.TaskStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.instances {
		if i.task != s.GetTaskId().GetValue() {
			continue
		}
		container := s.GetContainerStatus().GetContainerId().GetValue()
		if container != "" && i.path == "" {
			i.path = "/frameworks/" + r.id + "/executors/" + s.GetExecutorId().GetValue() + "/runs/" + container + "/"
			close(i.started)
		}
		switch {
		case i.last != nil || i.failure != nil || !terminal(s.GetState()):
		case neverLaunched(s) && !r.killed:
			i.giveBack()
		default:
			i.end(s, nil)
		}
	}
}

// neverLaunched tells whether a status says that the launch came to nothing: the offer was taken back meanwhile, or
// the master was not there.
func neverLaunched(s *mesos.TaskStatus) bool {
	switch s.GetReason() {
	case mesos.TaskStatus_REASON_INVALID_OFFERS, mesos.TaskStatus_REASON_MASTER_DISCONNECTED:
		return true
	}
	return false
}

// Error ends everything.
func (r *runner) Error(_ scheduler.Driver, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.instances {
		i.end(nil, err)
	}
}

// end notes how an instance ended, once.
func (i *instance) end(last *mesos.TaskStatus, failure error) {
	if i.last != nil || i.failure != nil {
		return
	}
	i.take()
	i.last, i.failure = last, failure
	r := i.runner
	if code, err := i.exitCode(); r.first == nil && (code != 0 || err != nil) {
		r.first = i
	}
	close(i.ended)
	if r.running--; r.running == 0 {
		close(r.ended)
	}
}

// kill ends the instances that run, and the waiting of those that do not.
func (r *runner) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed = true
	for _, i := range r.instances {
		switch {
		case !i.taken:
			i.end(nil, fmt.Errorf("interrupted while waiting for an offer of %s", r.demand))
		case i.last == nil && i.failure == nil:
			r.driver.KillTask(i.id())
		}
	}
}

// wait waits for the end, but not for ever, and tells whether it came.
func (r *runner) wait(patience time.Duration) bool {
	select {
	case <-r.ended:
		return true
	case <-time.After(patience):
		return false
	}
}
