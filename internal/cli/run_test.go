package cli

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
	"github.com/meseta/meseta/scheduler"
)

func TestURIsWithOptions(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"https://e.org/a.tgz", `value:"https://e.org/a.tgz"`},
		{"https://e.org/a.tgz,extract=false,cache=true,output=b", `value:"https://e.org/a.tgz" extract:false cache:true output_file:"b"`},
		{"/bin/tool,executable=true", `value:"/bin/tool" executable:true`},
		{"", `uri "": expected URI[,extract=BOOL][,executable=BOOL][,cache=BOOL][,output=NAME]`},
		{"/a,extract=maybe", `uri "/a,extract=maybe": extract=maybe: expected true or false`},
		{"/a,output=", `uri "/a,output=": output: expected the name of a file`},
		{"/a,b", `uri "/a,b": option "b": expected extract, executable, cache or output (a comma in a URI is written %2C)`},
	} {
		uri, err := parseURI(test.text)
		got := strings.ReplaceAll(prototext.MarshalOptions{}.Format(uri), "  ", " ")
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.text, got, test.want)
		}
	}
}

func TestPeopleAreToldWhyTheyWait(t *testing.T) {
	agent := func(host, total, free string) room {
		return room{host: host, total: resources.MustParse(total), free: resources.MustParse(free)}
	}
	away := agent("away", "cpus:64;mem:9999", "cpus:64;mem:9999")
	away.away = true
	d := demand.Demand{CPUs: 4 * resources.One, Mem: 100 * resources.One}
	for _, test := range []struct {
		want   string
		agents []room
	}{
		{"there is no agent", nil},
		{"no agent is there, those that are known are away", []room{away}},
		{"no agent is large enough; the largest, b, has 3 cpus", []room{away,
			agent("a", "cpus:2;mem:999", "cpus:2;mem:999"), agent("b", "cpus:3;mem:999", "cpus:1;mem:1"), agent("c", "cpus:3.5;mem:9", "")}},
		{"no agent is large enough; the largest, a, has 2 cpus and 99 MiB of memory", []room{agent("a", "cpus:2;mem:99", "")}},
		{"no agent is large enough; the largest, a, has 3 cpus", []room{agent("a", "cpus:3;cpus(other):8;mem:999", "")}},
		{"all is in use; the emptiest agent, b, has 2 cpus free", []room{
			agent("a", "cpus:8;mem:999", "cpus:1;mem:999"), agent("b", "cpus:8;mem:999", "cpus:2;mem:500"), agent("small", "cpus:3;mem:999", "cpus:3;mem:999")}},
		{"all is in use; the emptiest agent, a, has 0 cpus and 10 MiB of memory free", []room{agent("a", "cpus:8;mem:999", "mem:10")}},
		{"every agent has gpus, which are kept for those who ask for some", []room{agent("a", "cpus:8;mem:999;gpus:1", "cpus:8;mem:999;gpus:1")}},
		{"b has room, which is offered to others just now", []room{
			agent("a", "cpus:8;mem:999", "cpus:1;mem:999"), agent("b", "cpus:8;mem:999", "cpus:4;mem:500")}},
	} {
		if got := whyNot(d, "*", test.agents); got != test.want {
			t.Errorf("got %q\nwant %q", got, test.want)
		}
	}
}

func TestTheExitCodeTellsHowATaskEnded(t *testing.T) {
	status := func(state mesos.TaskState, reason mesos.TaskStatus_Reason, message string) *mesos.TaskStatus {
		return &mesos.TaskStatus{State: &state, Reason: &reason, Message: &message}
	}
	const failed, none = mesos.TaskState_TASK_FAILED, mesos.TaskStatus_REASON_COMMAND_EXECUTOR_FAILED
	for _, test := range []struct {
		status *mesos.TaskStatus
		code   int
		err    string
	}{
		{status(mesos.TaskState_TASK_FINISHED, none, "Command exited with status 0"), 0, ""},
		{status(failed, none, "Command exited with status 3"), 3, ""},
		{status(failed, none, "Command terminated with signal Killed"), 137, ""},
		{status(failed, none, "Command terminated with signal Segmentation fault (core dumped)"), 139, ""},
		{status(failed, mesos.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED, "Command terminated with signal Terminated"), 124, ""},
		{status(mesos.TaskState_TASK_LOST, none, "gone"), 0, "task t: LOST: gone"},
		{status(failed, mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY, "too much"), 0, "task t: FAILED: too much; ask for more with --mem"},
	} {
		code, err := (&instance{task: "t", last: test.status}).exitCode()
		if code != test.code || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("%s: got %d, %v", test.status, code, err)
		}
	}
}

func TestAnAnswerThatGotLostIsNoLicenceToRepeat(t *testing.T) {
	master := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer master.Close()
	var out strings.Builder
	err := Detach(t.Context(), RunOptions{Client: NewClient(strings.TrimPrefix(master.URL, "http://")), Command: []string{"true"}, CPUs: 1}, &out)
	if want := "it may have been taken on all the same, look with: meseta tasks"; err == nil || !strings.HasSuffix(err.Error(), want) || out.Len() > 0 {
		t.Errorf("%v, %q; want that %s", err, out.String(), want)
	}
}

// idleDriver notes what it is asked for, as far as a test wants to know.
type idleDriver struct {
	scheduler.Driver
	launches, revivals int
}

func (d *idleDriver) LaunchTasks([]*mesos.OfferID, []*mesos.TaskInfo, *mesos.Filters) scheduler.Status {
	d.launches++
	return scheduler.Running
}
func (d *idleDriver) SuppressOffers(...string) scheduler.Status { return scheduler.Running }
func (d *idleDriver) ReviveOffers(...string) scheduler.Status   { d.revivals++; return scheduler.Running }

func TestALaunchThatCameToNothingIsTriedAgain(t *testing.T) {
	r, err := newRunner(RunOptions{Command: []string{"x"}, CPUs: 1})
	if err != nil {
		t.Fatal(err)
	}
	d := new(idleDriver)
	r.driver = d
	offer := &mesos.Offer{Resources: resourcepb.ToProto(resources.MustParse("cpus:1"), resourcepb.Classic)}
	update := func(state mesos.TaskState, reason mesos.TaskStatus_Reason, message string) {
		r.StatusUpdate(d, &mesos.TaskStatus{TaskId: r.instances[0].id(), State: &state, Reason: &reason, Message: &message})
	}
	for range 3 {
		r.ResourceOffers(d, []*mesos.Offer{offer})
		update(mesos.TaskState_TASK_LOST, mesos.TaskStatus_REASON_INVALID_OFFERS, "Task launched with invalid offers")
	}
	r.ResourceOffers(d, []*mesos.Offer{offer})
	update(mesos.TaskState_TASK_FINISHED, mesos.TaskStatus_REASON_COMMAND_EXECUTOR_FAILED, "Command exited with status 0")
	update(mesos.TaskState_TASK_LOST, mesos.TaskStatus_REASON_INVALID_OFFERS, "too late")
	if code, err := r.exitCode(); code != 0 || err != nil || d.launches != 4 || d.revivals != 3 {
		t.Errorf("exit code %d, %v; %d launches, %d revivals", code, err, d.launches, d.revivals)
	}
}

func TestTheFirstInstanceThatFailsGivesTheExitCode(t *testing.T) {
	r, err := newRunner(RunOptions{Command: []string{"x"}, CPUs: 1, Instances: 3})
	if err != nil {
		t.Fatal(err)
	}
	end := func(i int, message string) {
		r.StatusUpdate(nil, &mesos.TaskStatus{TaskId: r.instances[i].id(), State: mesos.TaskState_TASK_FAILED.Enum(), Message: &message})
	}
	end(2, "Command exited with status 0")
	end(1, "Command exited with status 5")
	if _, err := r.exitCode(); err == nil {
		t.Error("an exit code while an instance runs")
	}
	end(0, "Command exited with status 6")
	end(0, "Command exited with status 7")
	if code, err := r.exitCode(); code != 5 || err != nil {
		t.Errorf("got %d, %v, want 5", code, err)
	}
	r.Error(nil, errors.New("too late"))
	if code, err := r.exitCode(); code != 5 || err != nil {
		t.Errorf("got %d, %v, want 5 still", code, err)
	}
}

func TestLinesOfSeveralInstancesAreTold(t *testing.T) {
	for _, test := range []struct {
		instances int
		want      string
	}{
		{1, "ab1\n\ncx"},
		{2, "[1] b1\n[1] \n[0] ac\n[1] x\n"},
	} {
		var b strings.Builder
		p := newPrefixer(&b, test.instances)
		zero, one := p.of(0), p.of(1)
		for _, w := range []struct {
			to   *lines
			text string
		}{{zero, "a"}, {one, "b"}, {one, "1\n\n"}, {zero, "c"}, {one, "x"}} {
			if n, err := w.to.Write([]byte(w.text)); n != len(w.text) || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := errors.Join(zero.flush(), one.flush()); err != nil || b.String() != test.want {
			t.Errorf("%d instances: got %q, %v", test.instances, b.String(), err)
		}
	}
}

func TestALineWithoutEndIsNotWaitedForForEver(t *testing.T) {
	var b strings.Builder
	w := newPrefixer(&b, 2).of(0)
	for range 100 {
		w.Write([]byte(strings.Repeat("x", maxLine/50)))
	}
	if got := strings.Count(b.String(), "\n"); got == 0 || len(w.rest) >= maxLine {
		t.Errorf("%d lines printed, %d bytes kept", got, len(w.rest))
	}
}
