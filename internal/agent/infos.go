package agent

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/node"
)

// decodeFramework reads what the core needs of a FrameworkInfo.
func decodeFramework(info []byte) (node.Framework, error) {
	m := new(mesos.FrameworkInfo)
	if err := proto.Unmarshal(info, m); err != nil {
		return node.Framework{}, fmt.Errorf("framework info: %w", err)
	}
	f := node.Framework{ID: ids.FrameworkID(validText(m.Id.GetValue())), User: m.GetUser(), Info: info}
	if f.ID == "" {
		return f, errors.New("framework info: the id is missing")
	}
	for _, c := range m.Capabilities {
		switch c.GetType() {
		case mesos.FrameworkInfo_Capability_PARTITION_AWARE:
			f.PartitionAware = true
		case mesos.FrameworkInfo_Capability_TASK_KILLING_STATE:
			f.KillingState = true
		}
	}
	return f, nil
}

// decodeTask reads what the core needs of a TaskInfo and, if it has one, of its ExecutorInfo, and says what
// of it this agent cannot give.
func decodeTask(info []byte) (task node.TaskInfo, executor *node.ExecutorInfo, unsupported string, err error) {
	m := new(mesos.TaskInfo)
	if err := proto.Unmarshal(info, m); err != nil {
		return node.TaskInfo{}, nil, "", fmt.Errorf("task info: %w", err)
	}
	t := node.TaskInfo{
		ID:        ids.TaskID(validText(m.TaskId.GetValue())),
		KillGrace: durationFrom(m.KillPolicy.GetGracePeriod()),
		Demand:    demandOf(m.Resources, m.Limits),
		Info:      info,
	}
	if d := durationFrom(m.MaxCompletionTime); d != nil {
		t.MaxTime = *d
	}
	if m.Executor == nil {
		t.Command = commandFrom(m.Command)
		return t, nil, cmp.Or(unsupportedChecks(m), unsupportedBy(m.Container)), nil
	}
	raw, err := proto.Marshal(m.Executor)
	if err != nil {
		return t, nil, "", fmt.Errorf("executor of task %q: %w", t.ID, err)
	}
	return t, &node.ExecutorInfo{
		ID:            ids.ExecutorID(validText(m.Executor.ExecutorId.GetValue())),
		Command:       commandFrom(m.Executor.Command),
		ShutdownGrace: durationFrom(m.Executor.ShutdownGracePeriod),
		Demand:        demandOf(m.Executor.Resources, nil),
		Info:          raw,
	}, unsupportedBy(m.Executor.Container), nil
}

// unsupportedChecks says what a command task asks for beside its container that nothing here does yet.
func unsupportedChecks(m *mesos.TaskInfo) string {
	switch {
	case m.HealthCheck != nil, m.Check != nil:
		return "this agent does not support checks of command tasks yet"
	}
	return ""
}

// unsupportedBy says what a container asks for that nothing here makes yet. To run the command without it
// would be worse than not to run it.
func unsupportedBy(c *mesos.ContainerInfo) string {
	switch {
	case c == nil:
		return ""
	case c.GetType() == mesos.ContainerInfo_DOCKER, c.GetMesos().GetImage() != nil:
		return "this agent does not support container images yet"
	case len(c.Volumes) > 0:
		return "this agent does not support volumes yet"
	case len(c.NetworkInfos) > 0:
		return "this agent does not support container networks yet"
	case c.LinuxInfo != nil, c.RlimitInfo != nil, c.TtyInfo != nil, c.Hostname != nil:
		return "this agent does not support linux_info, rlimit_info, tty_info and hostname of containers yet"
	}
	return ""
}

func durationFrom(m *mesos.DurationInfo) *time.Duration {
	if m == nil {
		return nil
	}
	return new(time.Duration(m.GetNanoseconds()))
}

func commandFrom(m *mesos.CommandInfo) node.Command {
	c := node.Command{Shell: m.GetShell(), Value: m.GetValue(), Arguments: m.GetArguments(), User: m.GetUser()}
	for _, v := range m.GetEnvironment().GetVariables() {
		if v.GetType() != mesos.Environment_Variable_SECRET {
			c.Variables = append(c.Variables, node.Variable{Name: v.GetName(), Value: v.GetValue()})
		} else if s := v.GetSecret(); s.GetType() == mesos.Secret_VALUE {
			c.Variables = append(c.Variables, node.Variable{Name: v.GetName(), Value: string(s.GetValue().GetData())})
		}
	}
	for _, u := range m.GetUris() {
		c.URIs = append(c.URIs, node.URI{Value: u.GetValue(), Executable: u.GetExecutable(), Extract: u.GetExtract(),
			Cache: u.GetCache(), OutputFile: u.GetOutputFile()})
	}
	return c
}
