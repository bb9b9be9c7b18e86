package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/scheduler"
)

// RunOptions describe one command to run on the cluster.
type RunOptions struct {
	Master  string
	Name    string // default: the command's first word
	Command []string
	CPUs    float64
	Mem     float64   // MiB
	Disk    float64   // MiB
	Notice  io.Writer // hears of waits that take long; nil for silence
	Logger  *slog.Logger
}

// Run runs a command on the cluster, prints what it writes and returns its exit code: the command's
// own, or 128 and the signal's number if a signal ended it. The end of ctx kills the command.
func Run(ctx context.Context, o RunOptions, stdout, stderr io.Writer) (int, error) {
	client := NewClient(o.Master)
	if _, err := client.Call(ctx, masterpb.Call_GET_HEALTH); err != nil {
		return 0, err
	}
	r := newRunner(o)
	driver, err := scheduler.NewDriver(r, scheduler.Config{
		Masters:   []string{o.Master},
		Framework: &mesos.FrameworkInfo{Name: new("meseta run"), User: new("")},
		Logger:    o.Logger,
	})
	if err != nil {
		return 0, err
	}
	driver.Start()
	defer driver.Stop(false)

	outputs, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, outputs := errgroup.WithContext(outputs)
	group.Go(func() error { return r.stream(outputs, client, "stdout", stdout) })
	group.Go(func() error { return r.stream(outputs, client, "stderr", stderr) })
	if launched, err := r.awaitLaunch(ctx, o.Notice); !launched {
		stop()
		return 0, errors.Join(err, group.Wait())
	}
	select {
	case <-r.ended:
	case <-outputs.Done(): // nobody reads what the task writes
		driver.KillTask(r.id())
		r.wait(killPatience)
	case <-ctx.Done():
		driver.KillTask(r.id())
		if !r.wait(killPatience) {
			stop()
		}
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return r.exitCode()
}

// killPatience is how long the end of a killed task is waited for: longer than any usual grace period.
const killPatience = 15 * time.Second

// runner is the framework of one task.
type runner struct {
	scheduler.Base
	options RunOptions
	task    string

	accepted chan struct{} // closed when an offer was taken, or can never be
	started  chan struct{} // closed when the task's sandbox is known
	ended    chan struct{} // closed when there is a last status or an error

	// owned by the driver's callbacks until the channel that announces them is closed
	framework string
	launched  bool
	agent     string // address
	path      string // of the sandbox
	last      *mesos.TaskStatus
	failure   error

	mu      sync.Mutex
	largest string // what was offered last and was too small; guarded by mu
}

func newRunner(o RunOptions) *runner {
	return &runner{options: o, task: "run-" + uuid.NewString()[:8], accepted: make(chan struct{}),
		started: make(chan struct{}), ended: make(chan struct{})}
}

func (r *runner) id() *mesos.TaskID { return &mesos.TaskID{Value: &r.task} }

// Registered notes the framework's id, which is part of the sandbox's path.
func (r *runner) Registered(_ scheduler.Driver, id *mesos.FrameworkID, _ *mesos.MasterInfo) {
	r.framework = id.GetValue()
}

// ResourceOffers launches the task on the first offer that holds it.
func (r *runner) ResourceOffers(d scheduler.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		if r.launched || scalar(o.Resources, "cpus") < r.options.CPUs || scalar(o.Resources, "mem") < r.options.Mem ||
			scalar(o.Resources, "disk") < r.options.Disk {
			r.noteOffer(o)
			d.DeclineOffer(o.Id, nil)
			continue
		}
		r.launched = true
		close(r.accepted)
		a := o.GetUrl().GetAddress()
		r.agent = net.JoinHostPort(a.GetIp(), strconv.Itoa(int(a.GetPort())))
		d.LaunchTasks([]*mesos.OfferID{o.Id}, []*mesos.TaskInfo{r.taskInfo(o)}, nil)
		d.SuppressOffers()
	}
}

// noteOffer remembers what was offered last, for people who wait.
func (r *runner) noteOffer(o *mesos.Offer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.largest = demand(scalar(o.Resources, "cpus"), scalar(o.Resources, "mem"), scalar(o.Resources, "disk"))
}

// demand prints resources in the words of the flags.
func demand(cpus, mem, disk float64) string {
	text := fmt.Sprintf("%s cpus, %s MiB of memory", number(cpus), number(mem))
	if disk > 0 {
		text += fmt.Sprintf(", %s MiB of disk", number(disk))
	}
	return text
}

// awaitLaunch waits until an offer was taken and says what it waits for when that takes long. It returns
// false if ctx ended first.
func (r *runner) awaitLaunch(ctx context.Context, notice io.Writer) (bool, error) {
	for every := time.After(2 * time.Second); ; every = time.After(30 * time.Second) {
		select {
		case <-r.accepted:
			return true, nil
		case <-ctx.Done():
			return false, fmt.Errorf("interrupted while waiting for an offer of %s",
				demand(r.options.CPUs, r.options.Mem, r.options.Disk))
		case <-every:
		}
		if notice == nil {
			continue
		}
		r.mu.Lock()
		last := r.largest
		r.mu.Unlock()
		if last == "" {
			last = "nothing: everything is taken, or there is no agent"
		}
		fmt.Fprintf(notice, "meseta: waiting for an offer of %s; offered so far: %s\n",
			demand(r.options.CPUs, r.options.Mem, r.options.Disk), last)
	}
}

func (r *runner) taskInfo(o *mesos.Offer) *mesos.TaskInfo {
	name := r.options.Name
	if name == "" {
		name = r.options.Command[0]
	}
	t := &mesos.TaskInfo{
		Name: &name, TaskId: r.id(), AgentId: o.AgentId,
		Command: &mesos.CommandInfo{Shell: new(false), Value: &r.options.Command[0], Arguments: r.options.Command},
	}
	for _, want := range []struct {
		name  string
		value float64
	}{{"cpus", r.options.CPUs}, {"mem", r.options.Mem}, {"disk", r.options.Disk}} {
		if want.value > 0 {
			t.Resources = append(t.Resources, &mesos.Resource{Name: &want.name, Type: mesos.Value_SCALAR.Enum(),
				Scalar: &mesos.Value_Scalar{Value: &want.value}})
		}
	}
	return t
}

// StatusUpdate notes where the sandbox is, and the end.
func (r *runner) StatusUpdate(_ scheduler.Driver, s *mesos.TaskStatus) {
	container := s.GetContainerStatus().GetContainerId().GetValue()
	if container != "" && r.path == "" {
		r.path = "/frameworks/" + r.framework + "/executors/" + s.GetExecutorId().GetValue() + "/runs/" + container + "/"
		close(r.started)
	}
	if terminal(s.GetState()) && r.last == nil {
		r.last = s
		close(r.ended)
	}
}

// Error ends the run.
func (r *runner) Error(_ scheduler.Driver, err error) {
	if r.last == nil && r.failure == nil {
		r.failure = err
		if !r.launched {
			r.launched = true
			close(r.accepted)
		}
		close(r.ended)
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

// exitCode tells how the task ended.
func (r *runner) exitCode() (int, error) {
	select {
	case <-r.ended:
	default:
		return 0, fmt.Errorf("task %s: did not end within %s of being killed", r.task, killPatience)
	}
	if r.failure != nil {
		return 0, r.failure
	}
	message := r.last.GetMessage()
	var code int
	if _, err := fmt.Sscanf(message, "Command exited with status %d", &code); err == nil {
		return code, nil
	}
	if name, ok := strings.CutPrefix(message, "Command terminated with signal "); ok {
		return 128 + signalNumber(name), nil
	}
	return 0, fmt.Errorf("task %s: %s: %s", r.task, shortState(r.last.GetState()), orDash(message))
}

// signalNumber finds a signal by its description; 0 if there is none.
func signalNumber(name string) int {
	for n := 1; n < 65; n++ {
		if strings.EqualFold(syscall.Signal(n).String(), name) {
			return n
		}
	}
	return 0
}

// stream prints a file of the sandbox as it grows, to its end. An agent that is away, say to be upgraded,
// is waited for: the task goes on without it.
func (r *runner) stream(ctx context.Context, c *Client, file string, w io.Writer) error {
	select {
	case <-r.started:
	case <-r.ended:
		return nil
	case <-ctx.Done():
		return nil
	}
	f := &sandboxFile{client: c, agent: r.agent, path: r.path + file}
	var giveUp <-chan time.Time
	ended := r.ended
	for {
		over := false
		select {
		case <-ended:
			over, ended = true, nil
			giveUp = time.After(agentPatience)
		case <-giveUp:
			return fmt.Errorf("the end of what task %s wrote to %s could not be read: its agent is away", r.task, file)
		case <-ctx.Done():
			return nil
		case <-time.After(followPause):
			over = giveUp != nil
		}
		err := f.copy(ctx, w)
		if absent(err) { // not written yet, or never
			err = nil
		}
		var away *awayError
		if err == nil && over || err != nil && !errors.As(err, &away) {
			return err
		}
	}
}

// agentPatience is how long the agent of a task that has ended is waited for, to get what it wrote last.
const agentPatience = 10 * time.Second
