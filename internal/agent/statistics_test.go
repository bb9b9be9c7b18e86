package agent

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/meseta/meseta/api/mesos/v1"
)

// measuredContainer is an entry of /containers.
type measuredContainer struct {
	Container  string             `json:"container_id"`
	Executor   string             `json:"executor_id"`
	Name       string             `json:"executor_name"`
	Framework  string             `json:"framework_id"`
	Source     string             `json:"source"`
	Statistics map[string]float64 `json:"statistics"`
	Status     struct {
		PID         int `json:"executor_pid"`
		ContainerID struct {
			Value string `json:"value"`
		} `json:"container_id"`
	} `json:"status"`
}

func (a *testAgent) statistics(t *testing.T) (all []measuredContainer) {
	t.Helper()
	r, err := http.Get("http://" + a.address + "/containers")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestContainersAreMeasured(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m)
	m.subscribed()
	task := shellTask("t1", "sleep 1000")
	task.Resources = []*mesos.Resource{scalar("cpus", 0.5), scalar("mem", 64), scalar("disk", 10)}
	m.run(frameworkInfo(), task)
	running := lastOf(m.statuses("t1", mesos.TaskState_TASK_RUNNING))
	all := a.statistics(t)
	if len(all) != 1 {
		t.Fatalf("%d containers: %+v", len(all), all)
	}
	c, s := all[0], all[0].Statistics
	if c.Framework != "framework-1" || c.Executor != "t1" || c.Source != "t1" || c.Name != "Command Executor (Task: t1) (Command: sleep 1000)" {
		t.Errorf("it is called %+v", c)
	}
	if id := running.ContainerStatus.ContainerId.GetValue(); c.Container != id || c.Status.ContainerID.Value != id ||
		c.Status.PID != int(running.ContainerStatus.GetExecutorPid()) {
		t.Errorf("status %+v, expected that of %v", c.Status, running.ContainerStatus)
	}
	if s["cpus_limit"] != 0.5 || s["disk_limit_bytes"] != 10<<20 || s["mem_soft_limit_bytes"] != 64<<20 || s["timestamp"] < 1e9 {
		t.Errorf("statistics %v", s)
	}

	call, err := http.Post("http://"+a.address+"/api/v1", "application/json", strings.NewReader(`{"type":"GET_CONTAINERS"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer call.Body.Close()
	var got struct {
		GetContainers struct {
			Containers []struct {
				ExecutorID struct{ Value string } `json:"executor_id"`
				Statistics map[string]float64     `json:"resource_statistics"`
				Status     map[string]any         `json:"container_status"`
			} `json:"containers"`
		} `json:"get_containers"`
	}
	if err := json.NewDecoder(call.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if c := got.GetContainers.Containers; len(c) != 1 || c[0].ExecutorID.Value != "t1" || c[0].Statistics["cpus_limit"] != 0.5 || c[0].Status["executor_pid"] == nil {
		t.Errorf("GET_CONTAINERS: %+v", c)
	}
}
