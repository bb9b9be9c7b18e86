// Package clusterpb translates between messages of Mesos' v1 API and what the cluster's core keeps of
// them. The parts of a message that the core owns are taken out and the rest is kept as canonical
// bytes, so that what we do not know of survives; on the way back they are appended. From functions
// take a message over (it is not to be used afterwards), To functions make one.
package clusterpb

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

var canonical = proto.MarshalOptions{Deterministic: true, AllowPartial: true}

// Encode marshals a message that was decoded from outside or built by us, in canonical form.
func Encode(m proto.Message) []byte {
	b, err := canonical.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("clusterpb: encode %T: %v", m, err))
	}
	return b
}

// FrameworkFrom takes a framework over.
func FrameworkFrom(m *mesos.FrameworkInfo) cluster.FrameworkInfo {
	f := cluster.FrameworkInfo{
		ID:              ids.FrameworkID(m.GetId().GetValue()),
		Name:            m.GetName(),
		User:            m.GetUser(),
		Principal:       m.GetPrincipal(),
		Role:            ids.Role(m.GetRole()),
		RoleSet:         m.Role != nil,
		FailoverTimeout: Seconds(m.GetFailoverTimeout()),
		Checkpoint:      m.GetCheckpoint(),
	}
	for _, r := range m.GetRoles() {
		f.Roles = append(f.Roles, ids.Role(r))
	}
	for _, c := range m.GetCapabilities() {
		if n := c.GetType(); n > 0 && n < 32 {
			f.Capabilities = f.Capabilities.With(n)
		}
	}
	m.Id, m.User, m.Checkpoint = nil, nil, nil
	f.Raw = Encode(m)
	return f
}

// FrameworkTo gives a framework with its id.
func FrameworkTo(f *cluster.FrameworkInfo) *mesos.FrameworkInfo {
	m := new(mesos.FrameworkInfo)
	decode(f.Raw, m)
	m.Id = &mesos.FrameworkID{Value: new(string(f.ID))}
	m.User = &f.User
	m.Checkpoint = &f.Checkpoint
	return m
}

// decode reads bytes that Encode made.
func decode(raw []byte, m proto.Message) {
	if err := (proto.UnmarshalOptions{AllowPartial: true, Merge: true}).Unmarshal(raw, m); err != nil {
		panic(fmt.Sprintf("clusterpb: decode %T that this package encoded: %v", m, err))
	}
}

// TaskFrom takes a task over. What is wrong with it is noted, for the core to answer.
func TaskFrom(m *mesos.TaskInfo) cluster.TaskInfo {
	t := cluster.TaskInfo{
		ID:         ids.TaskID(m.GetTaskId().GetValue()),
		Name:       m.GetName(),
		Agent:      ids.AgentID(m.GetAgentId().GetValue()),
		HasCommand: m.Command != nil,
	}
	var err error
	if t.Resources, err = resourcepb.FromProto(m.Resources); err != nil {
		t.Problem = "Task uses invalid resources: " + err.Error()
	}
	if m.Executor != nil {
		t.Executor = new(cluster.ExecutorInfo)
		if *t.Executor, err = ExecutorFrom(m.Executor); err != nil && t.Problem == "" {
			t.Problem = "Executor uses invalid resources: " + err.Error()
		}
	}
	m.Resources, m.Executor = nil, nil
	t.Raw = Encode(m)
	return t
}

// LaunchFrom takes over a task that is to be launched. Whatever is wrong with it is noted, and not only what
// could not be read, as of a task that runs already.
func LaunchFrom(m *mesos.TaskInfo) cluster.TaskInfo {
	problem := taskProblem(m)
	t := TaskFrom(m)
	t.Problem = cmp.Or(problem, t.Problem)
	return t
}

// TaskBytes is the task as bytes of mesos.v1.TaskInfo.
func TaskBytes(framework ids.FrameworkID, t *cluster.TaskInfo) []byte {
	rest := &mesos.TaskInfo{Resources: resourcepb.ToProto(t.Resources, resourcepb.Stacked)}
	if t.Executor != nil {
		rest.Executor = ExecutorTo(framework, t.Executor)
	}
	out := make([]byte, 0, len(t.Raw)+canonical.Size(rest))
	out = append(out, t.Raw...)
	out, err := canonical.MarshalAppend(out, rest)
	if err != nil {
		panic(fmt.Sprintf("clusterpb: encode task %s: %v", t.ID, err))
	}
	return out
}

// ExecutorFrom takes an executor over; the error says what is wrong with its resources.
func ExecutorFrom(m *mesos.ExecutorInfo) (cluster.ExecutorInfo, error) {
	e := cluster.ExecutorInfo{
		ID:        ids.ExecutorID(m.GetExecutorId().GetValue()),
		Framework: ids.FrameworkID(m.GetFrameworkId().GetValue()),
		Name:      m.GetName(),
	}
	list, err := resourcepb.FromProto(m.Resources)
	e.Resources = list
	m.Resources, m.FrameworkId = nil, nil
	e.Raw = Encode(m)
	return e, err
}

// ExecutorTo gives an executor of a framework.
func ExecutorTo(framework ids.FrameworkID, e *cluster.ExecutorInfo) *mesos.ExecutorInfo {
	m := new(mesos.ExecutorInfo)
	decode(e.Raw, m)
	m.FrameworkId = &mesos.FrameworkID{Value: new(string(framework))}
	m.Resources = resourcepb.ToProto(e.Resources, resourcepb.Stacked)
	return m
}

// AgentFrom takes an agent over. It is reached at ip and runs our release.
func AgentFrom(m *mesos.AgentInfo, ip, release string) (cluster.AgentInfo, error) {
	a := cluster.AgentInfo{Hostname: m.GetHostname(), IP: ip, Port: m.GetPort(), Release: release}
	list, err := resourcepb.FromProto(m.Resources)
	if err != nil {
		return a, fmt.Errorf("agent %s: %w", m.GetHostname(), err)
	}
	a.Resources = list
	for _, attribute := range m.GetAttributes() {
		a.Attributes = append(a.Attributes, Encode(attribute))
	}
	m.Id = nil
	a.Raw = Encode(m)
	return a, nil
}

// StatusFrom takes in a status as an agent sent it.
func StatusFrom(raw []byte) (cluster.Status, error) {
	m := new(mesos.TaskStatus)
	if err := proto.Unmarshal(raw, m); err != nil {
		return cluster.Status{}, fmt.Errorf("status: %w", err)
	}
	s := cluster.Status{
		Task:      ids.TaskID(m.GetTaskId().GetValue()),
		State:     m.GetState(),
		Timestamp: m.GetTimestamp(),
		Agent:     ids.AgentID(m.GetAgentId().GetValue()),
		Reason:    m.GetReason(),
		Message:   m.GetMessage(),
		Raw:       raw,
	}
	copy(s.UUID[:], m.GetUuid())
	if m.Data != nil {
		m.Data = nil
		s.Lasting = Encode(m)
	}
	return s, nil
}

// StatusTo is a status as schedulers and readers see it.
func StatusTo(s *cluster.Status) *mesos.TaskStatus {
	m := new(mesos.TaskStatus)
	if s.Raw != nil {
		decode(s.Raw, m)
		return m
	}
	m.TaskId = &mesos.TaskID{Value: new(string(s.Task))}
	m.State = s.State.Enum()
	m.Message = &s.Message
	m.Source = mesos.TaskStatus_SOURCE_MASTER.Enum()
	if s.Reason != 0 { // 0 is COMMAND_EXECUTOR_FAILED, which no master can know
		m.Reason = s.Reason.Enum()
	}
	m.Timestamp = &s.Timestamp
	if s.Agent != "" {
		m.AgentId = &mesos.AgentID{Value: new(string(s.Agent))}
	}
	if !s.UnreachableSince.IsZero() {
		m.UnreachableTime = &mesos.TimeInfo{Nanoseconds: new(s.UnreachableSince.UnixNano())}
	}
	if s.Like != nil {
		like := new(mesos.TaskStatus)
		decode(s.Like, like)
		m.ContainerStatus, m.CheckStatus = like.ContainerStatus, like.CheckStatus
		m.Healthy, m.Labels = like.Healthy, like.Labels
	}
	return m
}

// Seconds is a duration that came as seconds from outside: never negative, never beyond what fits.
func Seconds(s float64) time.Duration {
	const most = math.MaxInt64 / float64(time.Second) / 2
	switch {
	case math.IsNaN(s) || s <= 0:
		return 0
	case s > most:
		s = most
	}
	return time.Duration(s * float64(time.Second))
}
