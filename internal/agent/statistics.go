package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	agentpb "github.com/meseta/meseta/api/mesos/v1/agent"
	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/wire"
	"github.com/meseta/meseta/internal/wire/mesosjson"
)

// runningContainer is a container as people see it.
type runningContainer struct {
	node.ContainerView
	name       string // of its executor
	source     string
	statistics *mesos.ResourceStatistics
	status     *mesos.ContainerStatus
}

// running measures what runs.
func (a *agent) running(ctx context.Context) ([]runningContainer, error) {
	views, err := a.loop.containers(ctx)
	if err != nil {
		return nil, err
	}
	measured, err := a.loop.launcher.supervisor.Statistics(ctx)
	if err != nil {
		a.log.Debug("containers cannot be measured", "error", err)
	}
	byID := make(map[ids.ContainerID]container.Statistics, len(measured))
	for _, s := range measured {
		byID[ids.ContainerID(s.ID)] = s
	}
	var running []runningContainer
	for _, v := range views {
		if v.PID == 0 {
			continue
		}
		r := runningContainer{ContainerView: v, status: a.containerStatus(v)}
		r.name, r.source = describeExecutor(v)
		r.statistics = a.statisticsOf(v, byID[v.Sandbox.Container])
		running = append(running, r)
	}
	return running, nil
}

// containerStatus is what statuses of tasks say of their container.
func (a *agent) containerStatus(v node.ContainerView) *mesos.ContainerStatus {
	encoded := a.statuses.container(&node.Status{Container: v.Sandbox.Container, PID: v.PID})
	status := new(mesos.ContainerStatus)
	_ = proto.Unmarshal(encoded, status) // what was just encoded
	return status
}

// describeExecutor names an executor as Mesos does: that of a command task is called after its command.
func describeExecutor(v node.ContainerView) (name, source string) {
	if v.Task == "" {
		m := new(mesos.ExecutorInfo)
		_ = proto.Unmarshal(v.Info, m) // it was read when it came
		return m.GetName(), m.GetSource()
	}
	m := new(mesos.TaskInfo)
	_ = proto.Unmarshal(v.Info, m)
	command := m.GetCommand().GetValue()
	if !m.GetCommand().GetShell() && len(m.GetCommand().GetArguments()) > 0 {
		command = m.GetCommand().GetArguments()[0]
	}
	return "Command Executor (Task: " + string(v.Task) + ") (Command: " + shortened(command) + ")", string(v.Task)
}

func shortened(command string) string {
	const most = 60
	if r := []rune(command); len(r) > most {
		return string(r[:most-3]) + "..."
	}
	return command
}

// statisticsOf says what a container uses and may use. What nobody measured is left out.
func (a *agent) statisticsOf(v node.ContainerView, s container.Statistics) *mesos.ResourceStatistics {
	if s.At.IsZero() {
		s.At = time.Now()
	}
	r := &mesos.ResourceStatistics{
		Timestamp:         new(float64(s.At.UnixNano()) / 1e9),
		CpusSoftLimit:     new(float64(v.Demand.CPUs) / 1000),
		CpusLimit:         new(float64(v.Demand.CPUs) / 1000),
		MemSoftLimitBytes: new(uint64(v.Demand.Mem)),
	}
	if s.ID != "" {
		r.CpusUserTimeSecs, r.CpusSystemTimeSecs = new(s.CPUUser.Seconds()), new(s.CPUSystem.Seconds())
	}
	if q := s.Limits.CPUQuota; q != 0 {
		r.CpusLimit = new(float64(q) / float64(s.Limits.Period()))
	}
	if soft := s.Limits.MemorySoftBytes; soft != 0 {
		r.MemSoftLimitBytes = &soft
	}
	setIf(&r.MemLimitBytes, s.Limits.MemoryBytes)
	setIf(&r.MemTotalBytes, s.Memory)
	setIf(&r.MemRssBytes, s.MemoryAnonymous)
	setIf(&r.MemAnonBytes, s.MemoryAnonymous)
	setIf(&r.MemFileBytes, s.MemoryFile)
	setIf(&r.MemCacheBytes, s.MemoryFile)
	setIf(&r.MemMappedFileBytes, s.MemoryMapped)
	setIf(&r.MemSwapBytes, s.MemorySwap)
	setIf(&r.CpusNrPeriods, uint32(s.CPUPeriods))
	setIf(&r.CpusNrThrottled, uint32(s.CPUThrottled))
	setIf(&r.Processes, uint32(s.Processes))
	setIf(&r.Threads, uint32(s.Threads))
	setIf(&r.CpusThrottledTimeSecs, s.CPUThrottledTime.Seconds())
	setIf(&r.DiskLimitBytes, uint64(v.Demand.Disk))
	setIf(&r.DiskUsedBytes, uint64(a.disks.of(v.Sandbox.Container).bytes))
	return r
}

// setIf sets a field to what is not zero.
func setIf[T comparable](field **T, value T) {
	var zero T
	if value != zero {
		*field = &value
	}
}

// serveStatistics answers GET /monitor/statistics, as Mesos does.
func (a *agent) serveStatistics(w http.ResponseWriter, r *http.Request) {
	a.answerContainers(w, r, func(c runningContainer, entry map[string]any) {})
}

// serveContainers answers GET /containers, which has the containers' ids and status too.
func (a *agent) serveContainers(w http.ResponseWriter, r *http.Request) {
	a.answerContainers(w, r, func(c runningContainer, entry map[string]any) {
		entry["container_id"] = c.Sandbox.Container
		entry["status"] = asJSON(c.status)
	})
}

func (a *agent) answerContainers(w http.ResponseWriter, r *http.Request, more func(runningContainer, map[string]any)) {
	running, err := a.running(r.Context())
	if err != nil {
		wire.Answer(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	entries := []map[string]any{}
	for _, c := range running {
		entry := map[string]any{
			"framework_id": c.Sandbox.Framework, "executor_id": c.Sandbox.Executor, "executor_name": c.name, "source": c.source,
			"statistics": asJSON(c.statistics),
		}
		more(c, entry)
		entries = append(entries, entry)
	}
	answerJSON(w, entries)
}

func asJSON(m proto.Message) json.RawMessage {
	b, err := mesosjson.Marshal(m)
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

// getContainers answers GET_CONTAINERS.
func (a *agent) getContainers(ctx context.Context) (*agentpb.Response, error) {
	running, err := a.running(ctx)
	if err != nil {
		return nil, err
	}
	all := new(agentpb.Response_GetContainers)
	for _, c := range running {
		entry := &agentpb.Response_GetContainers_Container{
			FrameworkId:        &mesos.FrameworkID{Value: new(string(c.Sandbox.Framework))},
			ExecutorId:         &mesos.ExecutorID{Value: new(string(c.Sandbox.Executor))},
			ExecutorName:       new(c.name),
			ContainerId:        &mesos.ContainerID{Value: new(string(c.Sandbox.Container))},
			ContainerStatus:    c.status,
			ResourceStatistics: c.statistics,
		}
		all.Containers = append(all.Containers, entry)
	}
	return &agentpb.Response{Type: agentpb.Response_GET_CONTAINERS.Enum(), GetContainers: all}, nil
}
