package framework

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/testing/protocmp"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// driver is a scheduler.Driver that keeps what it is told.
type driver struct {
	scheduler.Driver // nil: nothing else is called

	calls    []string // what was called, in order
	launched []*mesos.TaskInfo
}

func (d *driver) LaunchTasks(offers []*mesos.OfferID, tasks []*mesos.TaskInfo, _ *mesos.Filters) scheduler.Status {
	if len(offers) != 1 {
		panic(fmt.Sprintf("%d offers in one launch, want 1", len(offers)))
	}
	d.calls = append(d.calls, fmt.Sprintf("launch %d on %s", len(tasks), offers[0].GetValue()))
	d.launched = append(d.launched, tasks...)
	return scheduler.Running
}

func (d *driver) SuppressOffers(...string) scheduler.Status {
	d.calls = append(d.calls, "suppress")
	return scheduler.Running
}

func (d *driver) Stop(failover bool) scheduler.Status {
	d.calls = append(d.calls, fmt.Sprintf("stop %v", failover))
	return scheduler.Stopped
}

func (d *driver) Abort() scheduler.Status {
	d.calls = append(d.calls, "abort")
	return scheduler.Aborted
}

func (d *driver) wantCalls(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, d.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func scalar(name string, value float64) *mesos.Resource {
	return &mesos.Resource{Name: new(name), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: new(value)}}
}

// offer offers cpus and mem in turn: offer("o", 1, 128, 0.5, 64) has 1.5 cpus in two pieces.
func offer(id string, amounts ...float64) *mesos.Offer {
	o := &mesos.Offer{Id: &mesos.OfferID{Value: new(id)}, AgentId: &mesos.AgentID{Value: new("agent of " + id)}}
	for i, value := range amounts {
		o.Resources = append(o.Resources, scalar([]string{"cpus", "mem"}[i%2], value))
	}
	return o
}

func update(task string, state mesos.TaskState) *mesos.TaskStatus {
	return &mesos.TaskStatus{TaskId: &mesos.TaskID{Value: new(task)}, State: state.Enum()}
}

// spider makes a framework for so many tasks that crawl three URLs.
func spider(tasks int) (f *Framework, d *driver, out, log *bytes.Buffer) {
	out, log = new(bytes.Buffer), new(bytes.Buffer)
	f = newFramework(plan{
		urls:  []string{"http://a/", "http://b/", "http://c/"},
		tasks: tasks,
		where: artifact{uri: "http://scheduler/binary", args: []string{"executor"}},
	}, out, slog.New(slog.NewTextHandler(log, nil)))
	return f, &driver{}, out, log
}

func TestTaskIsWhatTheSpecificationSays(t *testing.T) {
	f, d, _, _ := spider(1)
	f.ResourceOffers(d, []*mesos.Offer{offer("o", 1, 128)})
	want := &mesos.TaskInfo{
		Name:      new("task 0"),
		TaskId:    &mesos.TaskID{Value: new("0")},
		AgentId:   &mesos.AgentID{Value: new("agent of o")},
		Resources: []*mesos.Resource{scalar("cpus", 1), scalar("mem", 128)},
		Data:      []byte("http://a/"),
		Executor: &mesos.ExecutorInfo{
			Type:       mesos.ExecutorInfo_CUSTOM.Enum(),
			ExecutorId: &mesos.ExecutorID{Value: new("PinUserProfileExecutor")},
			Name:       new("PinUserProfileExecutor"),
			Source:     new("pinspider"),
			Command: &mesos.CommandInfo{
				Shell:     new(false),
				Value:     new("./pinspider-executor"),
				Arguments: []string{"pinspider-executor", "executor", "profile"},
				Uris: []*mesos.CommandInfo_URI{{
					Value: new("http://scheduler/binary"), Executable: new(true), Extract: new(false),
					OutputFile: new("pinspider-executor"),
				}},
			},
		},
	}
	if diff := cmp.Diff(want, d.launched[0], protocmp.Transform()); diff != "" {
		t.Errorf("task (-want +got):\n%s", diff)
	}
}

func TestPairsCrawlOneURLWithBothExecutorsAndURLsComeAround(t *testing.T) {
	f, d, _, _ := spider(9)
	f.ResourceOffers(d, []*mesos.Offer{offer("o", 100, 100_000)})
	var got []string
	for _, task := range d.launched {
		got = append(got, fmt.Sprintf("%s|%s|%s|%s", task.GetTaskId().GetValue(), task.GetName(), task.GetExecutor().GetName(), task.GetData()))
	}
	const profile, board = "PinUserProfileExecutor", "PinUserBoardExecutor"
	want := []string{
		"0|task 0|" + profile + "|http://a/", "1|task 1|" + board + "|http://a/",
		"2|task 2|" + profile + "|http://b/", "3|task 3|" + board + "|http://b/",
		"4|task 4|" + profile + "|http://c/", "5|task 5|" + board + "|http://c/",
		"6|task 6|" + profile + "|http://a/", "7|task 7|" + board + "|http://a/",
		"8|task 8|" + profile + "|http://b/",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

func TestTasksOfOneKindHaveEqualExecutors(t *testing.T) {
	f, d, _, _ := spider(4)
	f.ResourceOffers(d, []*mesos.Offer{offer("o", 4, 512)})
	for _, pair := range [][2]int{{0, 2}, {1, 3}} {
		if diff := cmp.Diff(d.launched[pair[0]].GetExecutor(), d.launched[pair[1]].GetExecutor(), protocmp.Transform()); diff != "" {
			t.Errorf("executors of tasks %d and %d differ:\n%s", pair[0], pair[1], diff)
		}
	}
}

func TestOfferTakesAsManyTasksAsItHolds(t *testing.T) {
	for _, c := range []struct {
		name    string
		amounts []float64 // cpus, mem in turn
		want    int
	}{
		{"nothing", nil, 0},
		{"one", []float64{1, 128}, 1},
		{"a bit too few cpus", []float64{0.999, 128}, 0},
		{"a bit too little memory", []float64{1, 127.9}, 0},
		{"cpus decide", []float64{3.9, 4096}, 3},
		{"memory decides", []float64{16, 640}, 5},
		{"pieces add up", []float64{0.5, 100, 0.5, 28}, 1},
		{"pieces of tenths add up exactly", []float64{0.1, 128, 0.2, 0, 0.7, 0}, 1},
		{"no more than there are tasks", []float64{64, 65536}, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, d, _, _ := spider(6)
			o := offer("o", c.amounts...)
			o.Resources = append(o.Resources, scalar("disk", 1e6), &mesos.Resource{
				Name: new("ports"), Type: mesos.Value_RANGES.Enum(), Ranges: &mesos.Value_Ranges{},
			})
			f.ResourceOffers(d, []*mesos.Offer{o})
			if len(d.launched) != c.want {
				t.Errorf("%d tasks, want %d", len(d.launched), c.want)
			}
		})
	}
}

func TestEveryOfferIsAnsweredAndLogged(t *testing.T) {
	f, d, _, log := spider(5)
	f.ResourceOffers(d, []*mesos.Offer{offer("o1", 2, 300), offer("o2", 0.5, 1000), offer("o3", 2, 1000)})
	f.ResourceOffers(d, []*mesos.Offer{offer("o4", 1.5, 500, 0.5, 12), offer("o5", 8, 8000)})
	f.ResourceOffers(d, []*mesos.Offer{offer("o6", 8, 8000)})
	d.wantCalls(t, "launch 2 on o1", "launch 0 on o2", "launch 2 on o3",
		"launch 1 on o4", "launch 0 on o5", "suppress", "launch 0 on o6")
	for _, want := range []string{"offer=o1 cpus=2 mem=300", "offer=o2 cpus=0.5 mem=1000", "offer=o4 cpus=2 mem=512"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log has no %q:\n%s", want, log)
		}
	}
}

func TestStopsWhenAllTasksHaveFinished(t *testing.T) {
	f, d, _, _ := spider(2)
	f.StatusUpdate(d, update("0", mesos.TaskState_TASK_STARTING))
	f.StatusUpdate(d, update("0", mesos.TaskState_TASK_RUNNING))
	f.StatusUpdate(d, update("0", mesos.TaskState_TASK_FINISHED))
	f.StatusUpdate(d, update("0", mesos.TaskState_TASK_FINISHED)) // updates come at least once
	d.wantCalls(t)
	f.StatusUpdate(d, update("1", mesos.TaskState_TASK_FINISHED))
	d.wantCalls(t, "stop false")
	if err := f.outcome(scheduler.Stopped); err != nil {
		t.Errorf("outcome %v, want none", err)
	}
}

func TestGivesUpWhenATaskFails(t *testing.T) {
	bad := map[mesos.TaskState]bool{
		mesos.TaskState_TASK_FAILED: true, mesos.TaskState_TASK_KILLED: true, mesos.TaskState_TASK_LOST: true,
		mesos.TaskState_TASK_ERROR: true, mesos.TaskState_TASK_DROPPED: true, mesos.TaskState_TASK_GONE: true,
		mesos.TaskState_TASK_GONE_BY_OPERATOR: true,
	}
	for number, name := range mesos.TaskState_name {
		state := mesos.TaskState(number)
		f, d, _, log := spider(2)
		status := update("0", state)
		status.Reason = mesos.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED.Enum()
		status.Source = mesos.TaskStatus_SOURCE_AGENT.Enum()
		status.Message = new("no such luck")
		f.StatusUpdate(d, status)
		if !bad[state] {
			d.wantCalls(t)
			continue
		}
		d.wantCalls(t, "abort")
		err := f.outcome(scheduler.Aborted)
		for _, want := range []string{name, "REASON_CONTAINER_LAUNCH_FAILED", "SOURCE_AGENT", "no such luck"} {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(log.String(), want) {
				t.Errorf("%s: outcome %v, want it and the log to say %q:\n%s", name, err, want, log)
			}
		}
	}
}

func TestReasonThatWasNotGivenIsNotInvented(t *testing.T) {
	f, d, _, _ := spider(1)
	f.StatusUpdate(d, update("0", mesos.TaskState_TASK_FAILED))
	if got, want := f.outcome(scheduler.Aborted).Error(), "task 0: TASK_FAILED (not given, not given): "; got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
}

func TestOnlyStoppedWithAllTasksFinishedIsASuccess(t *testing.T) {
	f, _, _, _ := spider(1)
	for status, want := range map[scheduler.Status]string{
		scheduler.Aborted: "DRIVER_ABORTED", scheduler.NotStarted: "DRIVER_NOT_STARTED",
		scheduler.Stopped: "interrupted when 0 of 1 tasks had finished",
	} {
		if err := f.outcome(status); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: outcome %v, want %q", status, err, want)
		}
	}
	refused := errors.New("framework refused")
	f.Error(nil, refused)
	if err := f.outcome(scheduler.Aborted); !errors.Is(err, refused) {
		t.Errorf("outcome %v, want %v", err, refused)
	}
}

func TestMessagesArePrintedWithTheirKind(t *testing.T) {
	f, d, out, log := spider(1)
	say := func(executor, message string) {
		f.FrameworkMessage(d, &mesos.ExecutorID{Value: new(executor)}, nil, []byte(message))
	}
	say("PinUserProfileExecutor", `{"name": "Ada"}`)
	say("PinUserBoardExecutor", "{\n\"boards\": []}")
	say("PinUserBoardExecutor", "no JSON\nuserprofile : {}")
	say("Stranger", "{}")
	want := "userprofile : {\"name\":\"Ada\"}\nuserboard : {\"boards\":[]}\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out, want)
	}
	if n := strings.Count(log.String(), "makes no sense"); n != 2 {
		t.Errorf("%d messages were complained about, want 2:\n%s", n, log)
	}
}
