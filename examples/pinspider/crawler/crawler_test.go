package crawler_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/examples/pinspider/crawler"
	"github.com/meseta/meseta/examples/pinspider/site"
	"github.com/meseta/meseta/executor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// driver is an executor.Driver that keeps what it is told.
type driver struct {
	executor.Driver // nil: nothing else is called

	mu       sync.Mutex
	told     []string                     // "0 TASK_RUNNING", "message", in order
	last     map[string]*mesos.TaskStatus // by task id
	messages [][]byte
}

func (d *driver) SendStatusUpdate(status *mesos.TaskStatus) executor.Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil {
		d.last = map[string]*mesos.TaskStatus{}
	}
	d.told = append(d.told, status.GetTaskId().GetValue()+" "+status.GetState().String())
	d.last[status.GetTaskId().GetValue()] = status
	return executor.Running
}

func (d *driver) SendFrameworkMessage(data []byte) executor.Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, "message")
	d.messages = append(d.messages, data)
	return executor.Running
}

func task(id, url string) *mesos.TaskInfo {
	return &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: new(id)}, Data: []byte(url)}
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// waitFor waits until the task is in one of its last states. It is Shutdown that waits for everything.
func (d *driver) waitFor(t *testing.T, id string) *mesos.TaskStatus {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		d.mu.Lock()
		status := d.last[id]
		d.mu.Unlock()
		if status.GetState() != mesos.TaskState_TASK_RUNNING {
			return status
		}
	}
	t.Fatalf("task %s still runs after 10 s", id)
	return nil
}

// crawl runs one task to its end.
func crawl(t *testing.T, kind crawler.Kind, url string) *driver {
	t.Helper()
	d := &driver{}
	c := crawler.New(kind, silent())
	c.LaunchTask(d, task("0", url))
	d.waitFor(t, "0")
	c.Shutdown(d)
	return d
}

func TestEveryFieldOfRandomPagesIsReported(t *testing.T) {
	users := site.Random(rand.New(rand.NewPCG(5, 6)), 20)
	server := httptest.NewServer(site.Serve(users))
	defer server.Close()
	for _, user := range users {
		url := server.URL + user.Path()

		var profile crawler.ProfileReport
		d := crawl(t, crawler.Profile, url)
		if err := json.Unmarshal(d.messages[0], &profile); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(crawler.ProfileReport{URL: url, Profile: user.Profile}, profile); diff != "" {
			t.Errorf("profile (-want +got):\n%s", diff)
		}

		var boards crawler.BoardsReport
		d = crawl(t, crawler.Board, url)
		if err := json.Unmarshal(d.messages[0], &boards); err != nil {
			t.Fatal(err)
		}
		want := crawler.BoardsReport{URL: url, Boards: user.Boards}
		if diff := cmp.Diff(want, boards, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("boards (-want +got):\n%s", diff)
		}
	}
}

func TestTaskRunsReportsAndFinishes(t *testing.T) {
	server := httptest.NewServer(site.Handler())
	defer server.Close()
	d := crawl(t, crawler.Board, server.URL+"/no-boards/")
	if diff := cmp.Diff([]string{"0 TASK_RUNNING", "message", "0 TASK_FINISHED"}, d.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	want := `{"url":"` + server.URL + `/no-boards/","boards":[]}`
	if got := string(d.messages[0]); got != want {
		t.Errorf("message is %s, want %s", got, want)
	}
}

func TestMalformedPageGivesEmptyValuesAndFinishes(t *testing.T) {
	server := httptest.NewServer(site.Handler())
	defer server.Close()
	d := crawl(t, crawler.Profile, server.URL+"/mangled/")
	if state := d.last["0"].GetState(); state != mesos.TaskState_TASK_FINISHED {
		t.Errorf("state %v, want TASK_FINISHED", state)
	}
	var report crawler.ProfileReport
	if err := json.Unmarshal(d.messages[0], &report); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(crawler.ProfileReport{URL: server.URL + "/mangled/"}, report); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
}

func TestPageThatDoesNotComeFailsTheTaskWithTheCause(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cut":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "<html>")
		case "/endless":
			for range 17 << 10 {
				io.WriteString(w, strings.Repeat(" ", 1<<10))
			}
		case "/accepted":
			w.WriteHeader(http.StatusAccepted)
		default:
			http.Error(w, "no", http.StatusTeapot)
		}
	}))
	defer server.Close()
	dead := httptest.NewServer(nil)
	dead.Close()
	for url, cause := range map[string]string{
		dead.URL + "/x":           "connection refused",
		server.URL + "/teapot":    "answered 418 I'm a teapot, expected 200 OK",
		server.URL + "/accepted":  "answered 202 Accepted, expected 200 OK",
		server.URL + "/cut":       "unexpected EOF",
		server.URL + "/endless":   "larger than 16 MiB",
		"http://[::1":             "missing ']'",
		"gopher://host.example/x": "unsupported protocol scheme",
		"":                        "unsupported protocol scheme",
	} {
		d := crawl(t, crawler.Profile, url)
		status := d.last["0"]
		if status.GetState() != mesos.TaskState_TASK_FAILED || len(d.messages) != 0 {
			t.Errorf("%q: state %v and %d messages, want TASK_FAILED and none", url, status.GetState(), len(d.messages))
		}
		if message := status.GetMessage(); !strings.Contains(message, cause) || !strings.Contains(message, url) {
			t.Errorf("%q: message %q, want the URL and %q", url, message, cause)
		}
	}
}

// hanging serves pages that never come; started gets a value for each request.
func hanging(t *testing.T) (url string, started chan struct{}) {
	started = make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server.URL, started
}

func TestKilledTaskEndsAndOthersGoOn(t *testing.T) {
	url, started := hanging(t)
	d, c := &driver{}, crawler.New(crawler.Profile, silent())
	c.LaunchTask(d, task("a", url))
	c.LaunchTask(d, task("b", url))
	<-started
	<-started
	c.KillTask(d, &mesos.TaskID{Value: new("a")})
	c.KillTask(d, &mesos.TaskID{Value: new("nobody")})
	status := d.waitFor(t, "a")
	if status.GetState() != mesos.TaskState_TASK_KILLED || status.GetMessage() != "killed on request" {
		t.Errorf("a is %v with %q, want TASK_KILLED with %q", status.GetState(), status.GetMessage(), "killed on request")
	}
	d.mu.Lock()
	if state := d.last["b"].GetState(); state != mesos.TaskState_TASK_RUNNING {
		t.Errorf("b is %v, want TASK_RUNNING", state)
	}
	d.mu.Unlock()
	c.Shutdown(d)
}

func TestShutdownReturnsWhenEveryTaskHasEnded(t *testing.T) {
	url, started := hanging(t)
	d, c := &driver{}, crawler.New(crawler.Profile, silent())
	for _, id := range []string{"a", "b", "c"} {
		c.LaunchTask(d, task(id, url))
		<-started
	}
	c.Shutdown(d)
	for id, status := range d.last {
		if status.GetState() != mesos.TaskState_TASK_KILLED {
			t.Errorf("%s is %v, want TASK_KILLED", id, status.GetState())
		}
	}
	if len(d.told) != 6 {
		t.Errorf("told %q, want RUNNING and KILLED for each of 3 tasks", d.told)
	}
}

func TestUnknownKindIsRefused(t *testing.T) {
	for _, name := range []string{"", "profiles", "Profile"} {
		if kind, err := crawler.ParseKind(name); err == nil || !strings.Contains(err.Error(), `expected "profile" or "board"`) {
			t.Errorf("ParseKind(%q) = %q, %v", name, kind, err)
		}
	}
}

func TestRunWithoutAnAgentIsAnError(t *testing.T) {
	t.Setenv("MESOS_FRAMEWORK_ID", "")
	err := crawler.Run(t.Context(), crawler.Board, silent())
	if err == nil || !strings.Contains(err.Error(), "MESOS_FRAMEWORK_ID") {
		t.Errorf("Run = %v, want an error that names MESOS_FRAMEWORK_ID", err)
	}
}
