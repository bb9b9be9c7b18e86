package crawler_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/examples/pinspider/crawler"
	"github.com/meseta/meseta/executor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// driver is an executor.Driver that keeps the last update. It is all that is needed where the network is real; the
// tests on virtual time, in agent_test.go, have a real one.
type driver struct {
	executor.Driver // nil: nothing else is called
	last            chan *mesos.TaskStatus
}

func (d *driver) SendStatusUpdate(status *mesos.TaskStatus) executor.Status {
	if status.GetState() != mesos.TaskState_TASK_RUNNING {
		d.last <- status
	}
	return executor.Running
}

// crawl runs one task to its end.
func crawl(url string) *mesos.TaskStatus {
	d := &driver{last: make(chan *mesos.TaskStatus, 1)}
	c := crawler.New(crawler.Profile, &http.Client{Timeout: crawler.PageTimeout}, silent())
	c.LaunchTask(d, &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: new("0")}, Data: []byte(url)})
	status := <-d.last
	c.Shutdown(d)
	return status
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
		status := crawl(url) // a message would panic: the driver sends none
		if status.GetState() != mesos.TaskState_TASK_FAILED {
			t.Errorf("%q: state %v, want TASK_FAILED", url, status.GetState())
		}
		if message := status.GetMessage(); !strings.Contains(message, cause) || !strings.Contains(message, url) {
			t.Errorf("%q: message %q, want the URL and %q", url, message, cause)
		}
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
