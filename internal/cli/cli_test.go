package cli

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/wire"
)

// cluster is a master and an agent that answer what a test wants.
type cluster struct {
	client *Client
	agent  string
	file   http.HandlerFunc // of the one task
	state  mesos.TaskState
	asked  int // how often for the state
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{state: mesos.TaskState_TASK_FINISHED}
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.file(w, r) }))
	t.Cleanup(agent.Close)
	c.agent = strings.TrimPrefix(agent.URL, "http://")
	master := httptest.NewServer(http.HandlerFunc(c.serveState))
	t.Cleanup(master.Close)
	c.client = NewClient(strings.TrimPrefix(master.URL, "http://"))
	return c
}

func (c *cluster) serveState(w http.ResponseWriter, r *http.Request) {
	c.asked++
	task := &mesos.Task{Name: new("t"), TaskId: &mesos.TaskID{Value: new("t")}, FrameworkId: &mesos.FrameworkID{Value: new("f")},
		AgentId: &mesos.AgentID{Value: new("a")}, State: &c.state}
	agent := &masterpb.Response_GetAgents_Agent{Pid: new("slave(1)@" + c.agent), Active: new(true), Version: new("1.11.0"),
		AgentInfo: &mesos.AgentInfo{Id: &mesos.AgentID{Value: new("a")}, Hostname: new("h")}}
	wire.Respond(w, wire.Protobuf, &masterpb.Response{Type: masterpb.Response_GET_STATE.Enum(),
		GetState: &masterpb.Response_GetState{
			GetTasks:  &masterpb.Response_GetTasks{Tasks: []*mesos.Task{task}},
			GetAgents: &masterpb.Response_GetAgents{Agents: []*masterpb.Response_GetAgents_Agent{agent}},
		}})
}

// noise is bytes of all kinds, more than come in one piece.
func noise() []byte {
	b := make([]byte, 700_000)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func TestLogsAreWhatWasWrittenByteForByte(t *testing.T) {
	content := noise()
	for _, test := range []struct {
		name string
		file http.HandlerFunc
		want []byte
	}{
		{"pieces", func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}, content},
		{"an agent that knows no pieces", func(w http.ResponseWriter, r *http.Request) { w.Write(content) }, content},
		{"nothing written", func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(nil))
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t)
			c.file = test.file
			var out bytes.Buffer
			if err := c.client.Logs(t.Context(), &Screen{Out: &out}, "t", LogOptions{}); err != nil || !bytes.Equal(out.Bytes(), test.want) {
				t.Errorf("%d bytes, %v; want the %d that were written", out.Len(), err, len(test.want))
			}
		})
	}
}

func TestLogsSayWhatIsGone(t *testing.T) {
	c := newCluster(t)
	c.file = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Meseta-Gone", "5")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("\x00\x00\x00\x00\x00end"))
	}
	var out, note strings.Builder
	if err := c.client.Logs(t.Context(), &Screen{Out: &out, Err: &note}, "t", LogOptions{}); err != nil || out.String() != "end" {
		t.Errorf("%q, %v; want the end", out.String(), err)
	}
	if !strings.HasPrefix(note.String(), "… 5 bytes are gone") {
		t.Errorf("said about the rest: %q", note.String())
	}
}

func TestLogsOfASandboxThatIsGoneSaySo(t *testing.T) {
	c := newCluster(t)
	c.file = func(w http.ResponseWriter, r *http.Request) { wire.Answer(w, http.StatusNotFound, "") }
	err := c.client.Logs(t.Context(), &Screen{Out: io.Discard}, "t", LogOptions{Stderr: true})
	if want := "task t: stderr is not in its sandbox, or not any more"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestFollowedLogsEndWithTheirTask follows a file that appears late and grows, and looks after the task now
// and then, not whenever it looks after the file.
func TestFollowedLogsEndWithTheirTask(t *testing.T) {
	c := newCluster(t)
	c.state = mesos.TaskState_TASK_RUNNING
	looks := 0
	c.file = func(w http.ResponseWriter, r *http.Request) {
		if looks++; looks < 3 {
			wire.Answer(w, http.StatusNotFound, "")
			return
		}
		if looks == 4 {
			c.state = mesos.TaskState_TASK_FINISHED
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("x", min(looks, 8))))
	}
	var out bytes.Buffer
	if err := c.client.Logs(t.Context(), &Screen{Out: &out}, "t", LogOptions{Follow: true}); err != nil || out.String() != "xxxxxxxx" {
		t.Errorf("%q, %v; want eight times x", out.String(), err)
	}
	if c.asked > 3 {
		t.Errorf("the state of the cluster was asked for %d times, while the file was looked at %d times", c.asked, looks)
	}
}

func TestAnswersThatSayNoAreToldWithTheirSentence(t *testing.T) {
	master := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wire.Answer(w, http.StatusServiceUnavailable, "Try again: the master is too busy")
	}))
	defer master.Close()
	address := strings.TrimPrefix(master.URL, "http://")
	_, err := NewClient(address).Call(t.Context(), masterpb.Call_GET_HEALTH)
	if want := fmt.Sprintf("master %s: Service Unavailable: Try again: the master is too busy", address); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
