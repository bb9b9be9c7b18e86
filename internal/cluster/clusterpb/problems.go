package clusterpb

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
)

// What is wrong with a description that can be seen without knowing the cluster: contradictions, numbers that
// mean nothing, parts that a type promises and that are not there. Each function gives the first problem that it
// finds as a sentence that names the field, what it holds and what was expected; empty if there is none. They
// refuse what Mesos refuses, and beyond that only what no process can be given.

// taskProblem is about a task that is launched on its own, not in a group.
func taskProblem(m *mesos.TaskInfo) string {
	return cmp.Or(
		timeProblem("TaskInfo.kill_policy.grace_period", m.KillPolicy.GetGracePeriod()),
		timeProblem("TaskInfo.max_completion_time", m.MaxCompletionTime),
		checkProblem("TaskInfo.check", m.Check),
		healthCheckProblem("TaskInfo.health_check", m.HealthCheck),
		commandProblem("TaskInfo.command", m.Command),
		containerProblem("TaskInfo.container", m.Container),
		limitsProblem(m),
		executorProblem(m.Executor),
		cgroupsProblem(m),
	)
}

// executorProblem is about the executor of such a task, if it has one.
func executorProblem(m *mesos.ExecutorInfo) string {
	switch {
	case m == nil:
		return ""
	case m.Type != nil && m.GetType() != mesos.ExecutorInfo_CUSTOM:
		return fmt.Sprintf("'ExecutorInfo.type' is %s, expected CUSTOM: others are for task groups", m.GetType())
	case m.Command == nil:
		return "'ExecutorInfo.command' is missing, expected the command that starts the executor"
	}
	return cmp.Or(
		timeProblem("ExecutorInfo.shutdown_grace_period", m.ShutdownGracePeriod),
		commandProblem("ExecutorInfo.command", m.Command),
		containerProblem("ExecutorInfo.container", m.Container),
	)
}

func timeProblem(field string, m *mesos.DurationInfo) string {
	if m.GetNanoseconds() >= 0 {
		return ""
	}
	return fmt.Sprintf("'%s' is %s, expected no less than 0", field, time.Duration(m.GetNanoseconds()))
}

// commandProblem is about a command, or the lack of one.
func commandProblem(field string, m *mesos.CommandInfo) string {
	if m == nil {
		return ""
	}
	for _, text := range append([]string{m.GetValue(), m.GetUser()}, m.Arguments...) {
		if strings.ContainsRune(text, 0) {
			return fmt.Sprintf("'%s' contains a NUL byte, which no process can be given", field)
		}
	}
	for _, v := range m.Environment.GetVariables() {
		if problem := variableProblem(v); problem != "" {
			return fmt.Sprintf("'%s.environment' has the variable '%s', which %s", field, v.GetName(), problem)
		}
	}
	return ""
}

// variableProblem completes a sentence about a variable.
func variableProblem(v *mesos.Environment_Variable) string {
	if strings.ContainsAny(v.GetName(), "=\x00") || v.GetName() == "" {
		return "has no usable name: expected at least one byte, and neither '=' nor NUL"
	}
	switch v.GetType() {
	case mesos.Environment_Variable_VALUE:
		switch {
		case v.Value == nil:
			return "is of type VALUE and has no 'value'"
		case v.Secret != nil:
			return "is of type VALUE and has a 'secret'"
		case strings.ContainsRune(v.GetValue(), 0):
			return "contains a NUL byte"
		}
	case mesos.Environment_Variable_SECRET:
		switch {
		case v.Secret == nil:
			return "is of type SECRET and has no 'secret'"
		case v.Value != nil:
			return "is of type SECRET and has a 'value'"
		case strings.ContainsRune(string(v.Secret.GetValue().GetData()), 0):
			return "is a secret that contains a NUL byte"
		}
		if problem := secretProblem(v.Secret); problem != "" {
			return "is a secret that " + problem
		}
	default:
		return fmt.Sprintf("is of type %s, expected VALUE or SECRET", v.GetType())
	}
	return ""
}

// secretProblem completes a sentence about a secret.
func secretProblem(m *mesos.Secret) string {
	switch {
	case m.GetType() == mesos.Secret_REFERENCE && (m.Reference == nil || m.Value != nil):
		return "is of type REFERENCE, expected a 'reference' and no 'value'"
	case m.GetType() == mesos.Secret_VALUE && (m.Value == nil || m.Reference != nil):
		return "is of type VALUE, expected a 'value' and no 'reference'"
	case m.GetType() != mesos.Secret_REFERENCE && m.GetType() != mesos.Secret_VALUE:
		return fmt.Sprintf("is of type %s, expected REFERENCE or VALUE", m.GetType())
	}
	return ""
}

// part is a part of a message, whether it is there, and the type that promises it.
type part struct {
	promised bool
	name     string
	there    bool
}

// missing says which part a type promises that is not there.
func missing(field, kind string, parts ...part) string {
	for _, p := range parts {
		if p.promised {
			if p.there {
				return ""
			}
			return fmt.Sprintf("'%s' is of type %s and has no '%s'", field, kind, p.name)
		}
	}
	return fmt.Sprintf("'%s' has the type %s, which means nothing", field, kind)
}

func checkProblem(field string, m *mesos.CheckInfo) string {
	switch {
	case m == nil:
		return ""
	case m.Type == nil:
		return fmt.Sprintf("'%s.type' is missing, expected COMMAND, HTTP or TCP", field)
	}
	return cmp.Or(
		missing(field, m.GetType().String(),
			part{m.GetType() == mesos.CheckInfo_COMMAND, "command", m.Command != nil},
			part{m.GetType() == mesos.CheckInfo_HTTP, "http", m.Http != nil},
			part{m.GetType() == mesos.CheckInfo_TCP, "tcp", m.Tcp != nil}),
		checkedCommandProblem(field+".command.command", m.Command.GetCommand()),
		pathProblem(field+".http.path", m.Http.GetPath()),
		secondsProblem(field+".delay_seconds", m.GetDelaySeconds()),
		secondsProblem(field+".interval_seconds", m.GetIntervalSeconds()),
		secondsProblem(field+".timeout_seconds", m.GetTimeoutSeconds()),
	)
}

func healthCheckProblem(field string, m *mesos.HealthCheck) string {
	switch scheme := m.GetHttp().GetScheme(); {
	case m == nil:
		return ""
	case m.Type == nil:
		return fmt.Sprintf("'%s.type' is missing, expected COMMAND, HTTP or TCP", field)
	case scheme != "" && scheme != "http" && scheme != "https":
		return fmt.Sprintf("'%s.http.scheme' is '%s', expected http or https", field, scheme)
	}
	return cmp.Or(
		missing(field, m.GetType().String(),
			part{m.GetType() == mesos.HealthCheck_COMMAND, "command", m.Command != nil},
			part{m.GetType() == mesos.HealthCheck_HTTP, "http", m.Http != nil},
			part{m.GetType() == mesos.HealthCheck_TCP, "tcp", m.Tcp != nil}),
		checkedCommandProblem(field+".command", m.Command),
		pathProblem(field+".http.path", m.Http.GetPath()),
		secondsProblem(field+".delay_seconds", m.GetDelaySeconds()),
		secondsProblem(field+".grace_period_seconds", m.GetGracePeriodSeconds()),
		secondsProblem(field+".interval_seconds", m.GetIntervalSeconds()),
		secondsProblem(field+".timeout_seconds", m.GetTimeoutSeconds()),
	)
}

// checkedCommandProblem is about a command that has to be there in full, if it is there at all.
func checkedCommandProblem(field string, m *mesos.CommandInfo) string {
	if m != nil && m.Value == nil {
		return fmt.Sprintf("'%s.value' is missing, expected what to run", field)
	}
	return commandProblem(field, m)
}

func pathProblem(field, path string) string {
	if path == "" || strings.HasPrefix(path, "/") {
		return ""
	}
	return fmt.Sprintf("'%s' is '%s', expected it to begin with a slash", field, path)
}

func secondsProblem(field string, s float64) string {
	if s >= 0 {
		return ""
	}
	return fmt.Sprintf("'%s' is %g, expected no less than 0", field, s)
}

func containerProblem(field string, m *mesos.ContainerInfo) string {
	if m == nil {
		return ""
	}
	for i, v := range m.Volumes {
		if problem := volumeProblem(fmt.Sprintf("%s.volumes[%d]", field, i), v); problem != "" {
			return problem
		}
	}
	if m.GetType() != mesos.ContainerInfo_DOCKER {
		return ""
	}
	if m.Docker == nil {
		return fmt.Sprintf("'%s' is of type DOCKER and has no 'docker'", field)
	}
	for _, p := range m.Docker.Parameters {
		if p.GetKey() == "name" {
			return fmt.Sprintf("'%s.docker.parameters' has a 'name', but containers are named by the agent", field)
		}
	}
	return ""
}

func volumeProblem(field string, m *mesos.Volume) string {
	ways := 0
	for _, there := range []bool{m.HostPath != nil, m.Image != nil, m.Source != nil} {
		if there {
			ways++
		}
	}
	s := m.Source
	switch {
	case ways != 1:
		return fmt.Sprintf("'%s' has %d of 'host_path', 'image' and 'source', expected one", field, ways)
	case s == nil:
		return ""
	case s.GetType() == mesos.Volume_Source_CSI_VOLUME && s.CsiVolume != nil && s.CsiVolume.StaticProvisioning == nil:
		return fmt.Sprintf("'%s.source.csi_volume.static_provisioning' is missing", field)
	case s.GetType() == mesos.Volume_Source_SECRET && s.Secret != nil && secretProblem(s.Secret) != "":
		return fmt.Sprintf("'%s.source.secret' %s", field, secretProblem(s.Secret))
	}
	return missing(field+".source", s.GetType().String(),
		part{s.GetType() == mesos.Volume_Source_DOCKER_VOLUME, "docker_volume", s.DockerVolume != nil},
		part{s.GetType() == mesos.Volume_Source_HOST_PATH, "host_path", s.HostPath != nil},
		part{s.GetType() == mesos.Volume_Source_SANDBOX_PATH, "sandbox_path", s.SandboxPath != nil},
		part{s.GetType() == mesos.Volume_Source_SECRET, "secret", s.Secret != nil},
		part{s.GetType() == mesos.Volume_Source_CSI_VOLUME, "csi_volume", s.CsiVolume != nil})
}

// limitsProblem compares what a task may use at most with what it asks for.
func limitsProblem(m *mesos.TaskInfo) string {
	for name := range m.Limits {
		if name != "cpus" && name != "mem" {
			return fmt.Sprintf("'TaskInfo.limits' has '%s', expected only cpus and mem", name)
		}
	}
	for _, name := range []string{"cpus", "mem"} {
		limit, limited := m.Limits[name]
		if !limited {
			continue
		}
		asked, found := 0.0, false
		for _, r := range m.Resources {
			if r.GetName() == name {
				asked, found = asked+r.Scalar.GetValue(), true
			}
		}
		switch value := limit.GetValue(); {
		case !found:
			return fmt.Sprintf("'TaskInfo.limits' has '%s', but 'TaskInfo.resources' has none", name)
		case math.IsNaN(value) || value < asked:
			return fmt.Sprintf("'TaskInfo.limits.%s' is %g, expected no less than the %g of 'TaskInfo.resources'", name, value, asked)
		}
	}
	return ""
}

// cgroupsProblem is about sharing cgroups, which only the tasks of a group can choose.
func cgroupsProblem(m *mesos.TaskInfo) string {
	linux, executor := m.Container.GetLinuxInfo(), m.Executor.GetContainer().GetLinuxInfo()
	switch {
	case linux != nil && linux.ShareCgroups != nil && !linux.GetShareCgroups():
		return "'TaskInfo.container.linux_info.share_cgroups' is false, which only a task in a group may ask for"
	case executor != nil && executor.ShareCgroups != nil && executor.GetShareCgroups():
		return "'ExecutorInfo.container.linux_info.share_cgroups' is true, but an executor has nobody to share with"
	}
	return ""
}

// frameworkProblem is about a framework that subscribes.
func frameworkProblem(m *mesos.FrameworkInfo) string {
	const most = math.MaxInt64 / float64(time.Second)
	if s := m.GetFailoverTimeout(); math.IsNaN(s) || math.Abs(s) > most {
		return fmt.Sprintf("The framework failover_timeout (%g) is invalid", s)
	}
	for role, filter := range m.OfferFilters {
		for _, q := range filter.GetMinAllocatableResources().GetQuantities() {
			for name, amount := range q.GetQuantities() {
				if v := amount.GetValue(); math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
					return fmt.Sprintf("'FrameworkInfo.offer_filters' of role '%s' asks for %g of '%s', expected no less than 0", role, v, name)
				}
			}
		}
	}
	return ""
}
