package clusterpb_test

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/cluster/clusterpb"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

var update = flag.Bool("update", false, "rewrite testdata/answers.txt")

// TestAnswers makes one mistake after the other and compares what is answered with testdata/answers.txt, word
// for word; -update rewrites that, to be read by eye. A task that is refused leaves nothing behind: the same
// resources are offered again.
func TestAnswers(t *testing.T) {
	var got strings.Builder
	section := func(title string) { fmt.Fprintf(&got, "\n# %s\n", title) }
	fmt.Fprintln(&got, "# What a scheduler hears of its mistakes. Written by go test -run Answers -update; read it by eye.")
	section("a task on its own")
	for _, row := range taskRows {
		fmt.Fprintf(&got, "%s: %s\n", row.name, row.answer(t))
	}
	section("tasks and offers in one ACCEPT")
	for _, row := range acceptRows {
		fmt.Fprintf(&got, "%s: %s\n", row.name, row.answer(t))
	}
	section("a framework that subscribes")
	for _, row := range frameworkRows {
		fmt.Fprintf(&got, "%s: %s\n", row.name, row.answer(t))
	}
	const file = "testdata/answers.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() == string(want) {
		return
	}
	before := strings.Split(string(want), "\n")
	for line := range strings.Lines(got.String()) {
		if line = strings.TrimSuffix(line, "\n"); !slices.Contains(before, line) {
			t.Errorf("answered now, and not in %s:\n%s", file, line)
		}
	}
	if !t.Failed() {
		t.Errorf("%s has lines that are not answered any more; -update takes them out", file)
	}
}

// world is a master with one agent, A, another one, B, and a framework, F, that wants whatever there is.
type world struct {
	t    *testing.T
	c    *cluster.Cluster
	now  core.Time
	said []string // to anybody since the last call of step
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, c: cluster.New(cluster.Config{MasterID: "M"}), now: core.Time{Mono: time.Hour, Wall: time.Unix(1_000_000, 0)}}
	w.subscribe("s", &mesos.FrameworkInfo{Id: id[mesos.FrameworkID]("F"), Name: new("f"), User: new("u"), Principal: new("p"),
		FailoverTimeout: new(60.0),
		Capabilities: capabilities(mesos.FrameworkInfo_Capability_GPU_RESOURCES, mesos.FrameworkInfo_Capability_REVOCABLE_RESOURCES,
			mesos.FrameworkInfo_Capability_SHARED_RESOURCES, mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT)})
	for i, agent := range []string{"A", "B"} {
		info, err := clusterpb.AgentFrom(&mesos.AgentInfo{Hostname: new("h"), Resources: append(offered(),
			volume("v1", false), volume("v2", true))}, "127.0.0.1", "")
		if err != nil {
			t.Fatal(err)
		}
		w.step(cluster.AgentSubscribe{Link: cluster.LinkID(i + 1), ID: ids.AgentID(agent), Info: info})
	}
	w.wait()
	return w
}

// wait lets filters end and offers come.
func (w *world) wait() {
	for range 3 {
		w.now = w.now.Add(10 * time.Second)
		w.step(cluster.Tick{})
	}
}

func (w *world) subscribe(stream cluster.StreamID, m *mesos.FrameworkInfo, suppressed ...string) {
	// as it comes from outside
	call := &schedulerpb.Call_Subscribe{FrameworkInfo: m, SuppressedRoles: suppressed}
	w.step(clusterpb.SubscribeFrom(stream, proto.CloneOf(call)))
}

// step applies an input, has every record made durable at once, and notes what is said to whom.
func (w *world) step(in cluster.Input) {
	var tickets []cluster.Ticket
	for _, out := range w.c.Step(w.now, in) {
		switch out := out.(type) {
		case cluster.Persist:
			tickets = append(tickets, out.Ticket)
		case cluster.Answer:
			if out.Code != cluster.Accepted {
				w.said = append(w.said, fmt.Sprintf("%d %s", out.Code, out.Text))
			}
		case cluster.Send:
			w.note(out.Event)
		case cluster.ToAgent:
			if run, ok := out.Command.(cluster.RunTask); ok {
				w.said = append(w.said, "launched on "+string(run.Task.Agent))
			}
		}
	}
	for _, t := range tickets {
		w.step(cluster.Persisted{Ticket: t})
	}
}

func (w *world) note(e cluster.Event) {
	switch e := e.(type) {
	case cluster.Update:
		s := clusterpb.StatusTo(&e.Status)
		w.said = append(w.said, fmt.Sprintf("%s %s %s %q", s.GetState(), s.GetReason(), s.GetSource(), s.GetMessage()))
	case cluster.Subscribed:
		w.said = append(w.said, "SUBSCRIBED")
	case cluster.Error:
		w.said = append(w.said, fmt.Sprintf("ERROR %q", e.Message))
	}
}

// offers are the offers of an agent's resources to F.
func (w *world) offers(agent ids.AgentID) (all []*cluster.Offer) {
	view := w.c.View()
	for o := range view.Offers.All() {
		if o.Agent.ID == agent && o.Framework == "F" {
			all = append(all, o)
		}
	}
	return all
}

// accept launches tasks on offers and says what came of it. What was refused left no trace.
func (w *world) accept(a *schedulerpb.Call_Accept) string {
	w.t.Helper()
	view := w.c.View()
	free := w.free()
	m := &schedulerpb.Call{Type: schedulerpb.Call_ACCEPT.Enum(), FrameworkId: id[mesos.FrameworkID]("F"), Accept: proto.CloneOf(a)}
	if problem := clusterpb.CallProblem(m); problem != "" {
		return "400 " + problem
	}
	call, err := clusterpb.CallFrom(m)
	if err != nil {
		return "501 " + err.Error()
	}
	w.said = nil
	w.step(cluster.SchedulerCall{Framework: "F", Stream: "s", Call: call})
	said := cmp.Or(strings.Join(w.said, "; "), "taken, and nothing follows")
	w.wait()
	if !strings.Contains(said, "launched") {
		after := w.c.View()
		if before, now := count(&view), count(&after); before != now || free != w.free() {
			w.t.Errorf("%s\nleft %s, before there were %s\nand free is %s, before it was %s", said, now, before, w.free(), free)
		}
	}
	return said
}

// free is what is offered.
func (w *world) free() string {
	var all []string
	for _, agent := range []ids.AgentID{"A", "B"} {
		for _, o := range w.offers(agent) {
			all = append(all, fmt.Sprint(agent, o.Resources))
		}
	}
	return strings.Join(all, "; ")
}

func count(v *cluster.View) string {
	n := func(seq func(func(any) bool)) (n int) {
		for range seq {
			n++
		}
		return n
	}
	return fmt.Sprintf("%d tasks, %d executors, %d frameworks, %d completed tasks",
		n(each(v.Tasks)), n(each(v.Executors)), n(each(v.Frameworks)), n(each(v.CompletedTasks)))
}

func each[V any](s cluster.Snapshot[V]) func(func(any) bool) {
	return func(yield func(any) bool) {
		for v := range s.All() {
			if !yield(v) {
				return
			}
		}
	}
}

// ---- parts of messages

// id is one of Mesos' ids, which are all alike.
func id[M any, P interface {
	*M
	proto.Message
}](value string) P {
	m := P(new(M))
	r := m.ProtoReflect()
	field := r.Descriptor().Fields().ByName("value")
	r.Set(field, protoString(value))
	return m
}

func capabilities(types ...mesos.FrameworkInfo_Capability_Type) (all []*mesos.FrameworkInfo_Capability) {
	for _, t := range types {
		all = append(all, &mesos.FrameworkInfo_Capability{Type: t.Enum()})
	}
	return all
}

func scalar(name string, value float64) *mesos.Resource {
	return &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: &value}}
}

func ports(ranges ...uint64) *mesos.Resource {
	m := &mesos.Resource{Name: new("ports"), Type: mesos.Value_RANGES.Enum(), Ranges: &mesos.Value_Ranges{}}
	for i := 0; i < len(ranges); i += 2 {
		m.Ranges.Range = append(m.Ranges.Range, &mesos.Value_Range{Begin: &ranges[i], End: &ranges[i+1]})
	}
	return m
}

func revocable(m *mesos.Resource) *mesos.Resource {
	m.Revocable = &mesos.Resource_RevocableInfo{}
	return m
}

// volume is a persistent volume of role *.
func volume(name string, shared bool) *mesos.Resource {
	m := scalar("disk", 10)
	m.Reservations = []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: new("r")}}
	m.Disk = &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{Id: &name},
		Volume: &mesos.Volume{Mode: mesos.Volume_RW.Enum(), ContainerPath: new("data")}}
	if shared {
		m.Shared = &mesos.Resource_SharedInfo{}
	}
	return m
}

// offered is what an agent has.
func offered() []*mesos.Resource {
	return []*mesos.Resource{scalar("cpus", 4), scalar("mem", 1024), scalar("gpus", 2), ports(1, 10), revocable(scalar("cpus", 2))}
}

// plainTask is a task with nothing wrong.
func plainTask(name string) *mesos.TaskInfo {
	return &mesos.TaskInfo{Name: &name, TaskId: id[mesos.TaskID](name), AgentId: id[mesos.AgentID]("A"),
		Resources: []*mesos.Resource{scalar("cpus", 1), scalar("mem", 32)}, Command: &mesos.CommandInfo{Value: new("true")}}
}

// withExecutor is a task with an executor with nothing wrong.
func withExecutor(name, executor string) *mesos.TaskInfo {
	m := plainTask(name)
	m.Command = nil
	m.Executor = &mesos.ExecutorInfo{ExecutorId: id[mesos.ExecutorID](executor), Command: &mesos.CommandInfo{Value: new("run")},
		Resources: []*mesos.Resource{scalar("cpus", 0.5)}}
	return m
}

func long(n int) string { return strings.Repeat("x", n) }

func seconds(s float64) *mesos.DurationInfo {
	return &mesos.DurationInfo{Nanoseconds: new(int64(s * 1e9))}
}

var nan, infinite = math.NaN(), math.Inf(1)
