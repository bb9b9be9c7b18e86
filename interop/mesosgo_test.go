package interop

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// status is what both sides know of a status update.
type status struct{ State, Agent, UUID string }

// TestMesosGo runs mesos-go's example scheduler, which launches tasks in mesos-go's example executor and
// ends when all have finished.
func TestMesosGo(t *testing.T) {
	for _, codec := range []string{"protobuf", "json"} {
		t.Run(codec, func(t *testing.T) {
			const tasks = 20
			c := start(t, 2)
			said := runScheduler(t, c, codec, tasks)
			if !strings.Contains(said, "mission accomplished, terminating") {
				t.Fatalf("the scheduler did not succeed:\n%s", said)
			}
			seen, known := seenByScheduler(t, said), c.knownToMaster(t, tasks)
			agents := make(map[string]bool)
			for n := range tasks {
				id := strconv.Itoa(n + 1)
				if !slices.Equal(seen[id], known[id]) {
					t.Errorf("task %s: the scheduler saw %v, the master tells %v", id, seen[id], known[id])
				}
				var states []string
				for _, s := range known[id] {
					states = append(states, s.State)
					agents[s.Agent] = true
				}
				if got := strings.Join(states, " "); got != "TASK_RUNNING TASK_FINISHED" {
					t.Errorf("task %s was %s, expected TASK_RUNNING TASK_FINISHED", id, got)
				}
			}
			if len(seen) != tasks {
				t.Errorf("the scheduler saw %d tasks, launched %d", len(seen), tasks)
			}
			if len(agents) != 2 {
				t.Errorf("tasks ran on %v, expected both agents", slices.Collect(maps.Keys(agents)))
			}
		})
	}
}

// runScheduler runs the scheduler to its end and gives its log.
func runScheduler(t *testing.T, c *cluster, codec string, tasks int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin+"/example-scheduler", "-verbose",
		"-url", "http://"+c.master+"/api/v1/scheduler", "-codec", codec, "-tasks", strconv.Itoa(tasks),
		"-executor", bin+"/example-executor", "-exec.image", "", // a process, not a container
		"-server.address", "127.0.0.1", "-server.port", "0", "-metrics.port", "0")
	cmd.Env = append(os.Environ(), "LIBPROCESS_IP=127.0.0.1")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	// Its exit code is 1 either way: when all is done it cancels itself, and reports that.
	if err := cmd.Run(); cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("the scheduler: %v, said:\n%s", err, said.Bytes())
	}
	return said.String()
}

// update is how the scheduler logs an UPDATE event.
var update = regexp.MustCompile(`TaskStatus\{TaskID:TaskID\{Value:([^,]*),\},State:\*(\w+),.*?AgentID:&AgentID\{Value:([^,]*),\}.*?UUID:\*\[([0-9 ]*)\]`)

// seenByScheduler finds in the scheduler's log the statuses of each task, as they came.
func seenByScheduler(t *testing.T, said string) map[string][]status {
	t.Helper()
	seen := make(map[string][]status)
	for line := range strings.Lines(said) {
		if m := update.FindStringSubmatch(line); m != nil {
			seen[m[1]] = append(seen[m[1]], status{State: m[2], Agent: m[3], UUID: m[4]})
		}
	}
	return seen
}

// knownToMaster asks the master for the statuses of each finished task, once all are known to be acknowledged.
func (c *cluster) knownToMaster(t *testing.T, tasks int) map[string][]status {
	t.Helper()
	type id struct{ Value string }
	var got struct {
		GetTasks struct {
			Tasks     []any
			Completed []struct {
				TaskID   id `json:"task_id"`
				State    string
				Statuses []struct {
					State   string
					AgentID id `json:"agent_id"`
					UUID    string
				}
			} `json:"completed_tasks"`
		} `json:"get_tasks"`
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		c.ask(t, "GET_TASKS", &got)
		if len(got.GetTasks.Tasks) == 0 && len(got.GetTasks.Completed) == tasks {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d tasks are live and %d completed, launched were %d", len(got.GetTasks.Tasks), len(got.GetTasks.Completed), tasks)
		}
	}
	known := make(map[string][]status)
	for _, task := range got.GetTasks.Completed {
		if task.State != "TASK_FINISHED" {
			t.Errorf("task %s is %s at the master", task.TaskID.Value, task.State)
		}
		for _, s := range task.Statuses {
			raw, err := base64.StdEncoding.DecodeString(s.UUID)
			if err != nil {
				t.Errorf("task %s: uuid %q: %v", task.TaskID.Value, s.UUID, err)
			}
			known[task.TaskID.Value] = append(known[task.TaskID.Value],
				status{State: s.State, Agent: s.AgentID.Value, UUID: strings.Trim(fmt.Sprint(raw), "[]")})
		}
	}
	return known
}
