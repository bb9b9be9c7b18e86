package clusterpb_test

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
)

func protoString(s string) protoreflect.Value { return protoreflect.ValueOfString(s) }

// taskRow is a mistake in a task.
type taskRow struct {
	name   string
	change func(*mesos.TaskInfo)
}

func (r taskRow) answer(t *testing.T) string {
	w := newWorld(t)
	task := plainTask("t")
	r.change(task)
	return w.accept(launchOn(w.offers("A"), task))
}

// onExecutor makes the mistake in the executor of a task.
func onExecutor(change func(*mesos.ExecutorInfo)) func(*mesos.TaskInfo) {
	return func(m *mesos.TaskInfo) {
		*m = *withExecutor("t", "e")
		change(m.Executor)
	}
}

func variable(v *mesos.Environment_Variable) func(*mesos.TaskInfo) {
	return func(m *mesos.TaskInfo) {
		m.Command.Environment = &mesos.Environment{Variables: []*mesos.Environment_Variable{v}}
	}
}

func aVolume(v *mesos.Volume) func(*mesos.TaskInfo) {
	v.Mode, v.ContainerPath = mesos.Volume_RW.Enum(), new("data")
	return func(m *mesos.TaskInfo) {
		m.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []*mesos.Volume{v}}
	}
}

func health(h *mesos.HealthCheck) func(*mesos.TaskInfo) {
	return func(m *mesos.TaskInfo) { m.HealthCheck = h }
}

func check(c *mesos.CheckInfo) func(*mesos.TaskInfo) {
	return func(m *mesos.TaskInfo) { m.Check = c }
}

func needs(all ...*mesos.Resource) func(*mesos.TaskInfo) {
	return func(m *mesos.TaskInfo) { m.Resources = all }
}

func limit(name string, value float64) func(*mesos.TaskInfo) {
	return func(m *mesos.TaskInfo) { m.Limits = map[string]*mesos.Value_Scalar{name: {Value: &value}} }
}

func allocatedTo(role string, r *mesos.Resource) *mesos.Resource {
	r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &role}
	return r
}

var taskRows = []taskRow{
	{"nothing wrong", func(m *mesos.TaskInfo) {}},

	{"id empty", func(m *mesos.TaskInfo) { m.TaskId = id[mesos.TaskID]("") }},
	{"id a dot", func(m *mesos.TaskInfo) { m.TaskId = id[mesos.TaskID](".") }},
	{"id two dots", func(m *mesos.TaskInfo) { m.TaskId = id[mesos.TaskID]("..") }},
	{"id with a slash", func(m *mesos.TaskInfo) { m.TaskId = id[mesos.TaskID]("a/b") }},
	{"id with a backslash", func(m *mesos.TaskInfo) { m.TaskId = id[mesos.TaskID](`a\b`) }},
	{"id with a newline", func(m *mesos.TaskInfo) { m.TaskId = id[mesos.TaskID]("a\nb") }},
	{"id of 256 bytes", func(m *mesos.TaskInfo) { m.TaskId = id[mesos.TaskID](long(256)) }},
	{"id of 255 bytes", func(m *mesos.TaskInfo) { m.TaskId = id[mesos.TaskID](long(255)) }},
	{"name of 1025 bytes", func(m *mesos.TaskInfo) { m.Name = new(long(1025)) }},
	{"name empty", func(m *mesos.TaskInfo) { m.Name = new("") }},
	{"agent unknown", func(m *mesos.TaskInfo) { m.AgentId = id[mesos.AgentID]("Z") }},
	{"agent of another offer", func(m *mesos.TaskInfo) { m.AgentId = id[mesos.AgentID]("B") }},
	{"too long in all", func(m *mesos.TaskInfo) { m.Data = make([]byte, 8<<20) }},

	{"neither command nor executor", func(m *mesos.TaskInfo) { m.Command = nil }},
	{"command and executor", func(m *mesos.TaskInfo) { m.Executor = withExecutor("t", "e").Executor }},
	{"command with NUL", func(m *mesos.TaskInfo) { m.Command.Value = new("a\x00b") }},
	{"argument with NUL", func(m *mesos.TaskInfo) { m.Command.Arguments = []string{"fine", "\x00"} }},
	{"variable twice", func(m *mesos.TaskInfo) {
		v := &mesos.Environment_Variable{Name: new("A"), Value: new("1")}
		m.Command.Environment = &mesos.Environment{Variables: []*mesos.Environment_Variable{v, v}}
	}},
	{"variable without a name", variable(&mesos.Environment_Variable{Name: new(""), Value: new("1")})},
	{"variable with =", variable(&mesos.Environment_Variable{Name: new("A=B"), Value: new("1")})},
	{"variable without a value", variable(&mesos.Environment_Variable{Name: new("A")})},
	{"variable with NUL", variable(&mesos.Environment_Variable{Name: new("A"), Value: new("\x00")})},
	{"value with a secret", variable(&mesos.Environment_Variable{Name: new("A"), Value: new(""), Secret: &mesos.Secret{}})},
	{"variable of unknown type", variable(&mesos.Environment_Variable{Name: new("A"), Type: mesos.Environment_Variable_UNKNOWN.Enum()})},
	{"secret without a secret", variable(&mesos.Environment_Variable{Name: new("A"), Type: mesos.Environment_Variable_SECRET.Enum()})},
	{"secret with a value", variable(&mesos.Environment_Variable{Name: new("A"), Type: mesos.Environment_Variable_SECRET.Enum(),
		Value: new(""), Secret: &mesos.Secret{}})},
	{"secret of no type", variable(&mesos.Environment_Variable{Name: new("A"), Type: mesos.Environment_Variable_SECRET.Enum(),
		Secret: &mesos.Secret{}})},
	{"secret that is a reference to nothing", variable(&mesos.Environment_Variable{Name: new("A"), Type: mesos.Environment_Variable_SECRET.Enum(),
		Secret: &mesos.Secret{Type: mesos.Secret_REFERENCE.Enum()}})},
	{"secret value that is none", variable(&mesos.Environment_Variable{Name: new("A"), Type: mesos.Environment_Variable_SECRET.Enum(),
		Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum()}})},
	{"secret with NUL", variable(&mesos.Environment_Variable{Name: new("A"), Type: mesos.Environment_Variable_SECRET.Enum(),
		Secret: &mesos.Secret{Type: mesos.Secret_VALUE.Enum(), Value: &mesos.Secret_Value{Data: []byte{0}}}})},

	{"kill grace negative", func(m *mesos.TaskInfo) { m.KillPolicy = &mesos.KillPolicy{GracePeriod: seconds(-1)} }},
	{"max_completion_time negative", func(m *mesos.TaskInfo) { m.MaxCompletionTime = seconds(-0.5) }},

	{"check without type", check(&mesos.CheckInfo{})},
	{"check of unknown type", check(&mesos.CheckInfo{Type: mesos.CheckInfo_UNKNOWN.Enum()})},
	{"check without command", check(&mesos.CheckInfo{Type: mesos.CheckInfo_COMMAND.Enum()})},
	{"check with an empty command", check(&mesos.CheckInfo{Type: mesos.CheckInfo_COMMAND.Enum(),
		Command: &mesos.CheckInfo_Command{Command: &mesos.CommandInfo{}}})},
	{"check without http", check(&mesos.CheckInfo{Type: mesos.CheckInfo_HTTP.Enum()})},
	{"check of a path without slash", check(&mesos.CheckInfo{Type: mesos.CheckInfo_HTTP.Enum(),
		Http: &mesos.CheckInfo_Http{Port: new(uint32(80)), Path: new("health")}})},
	{"check without tcp", check(&mesos.CheckInfo{Type: mesos.CheckInfo_TCP.Enum()})},
	{"check with negative delay", check(&mesos.CheckInfo{Type: mesos.CheckInfo_TCP.Enum(),
		Tcp: &mesos.CheckInfo_Tcp{Port: new(uint32(80))}, DelaySeconds: new(-1.0)})},
	{"check every NaN seconds", check(&mesos.CheckInfo{Type: mesos.CheckInfo_TCP.Enum(),
		Tcp: &mesos.CheckInfo_Tcp{Port: new(uint32(80))}, IntervalSeconds: &nan})},
	{"health check without type", health(&mesos.HealthCheck{})},
	{"health check of unknown type", health(&mesos.HealthCheck{Type: mesos.HealthCheck_UNKNOWN.Enum()})},
	{"health check without command", health(&mesos.HealthCheck{Type: mesos.HealthCheck_COMMAND.Enum()})},
	{"health check with an empty command", health(&mesos.HealthCheck{Type: mesos.HealthCheck_COMMAND.Enum(), Command: &mesos.CommandInfo{}})},
	{"health check with a wrong variable", health(&mesos.HealthCheck{Type: mesos.HealthCheck_COMMAND.Enum(), Command: &mesos.CommandInfo{Value: new("true"),
		Environment: &mesos.Environment{Variables: []*mesos.Environment_Variable{{Name: new("A")}}}}})},
	{"health check without http", health(&mesos.HealthCheck{Type: mesos.HealthCheck_HTTP.Enum()})},
	{"health check by ftp", health(&mesos.HealthCheck{Type: mesos.HealthCheck_HTTP.Enum(),
		Http: &mesos.HealthCheck_HTTPCheckInfo{Port: new(uint32(21)), Scheme: new("ftp")}})},
	{"health check of a path without slash", health(&mesos.HealthCheck{Type: mesos.HealthCheck_HTTP.Enum(),
		Http: &mesos.HealthCheck_HTTPCheckInfo{Port: new(uint32(80)), Path: new("health")}})},
	{"health check without tcp", health(&mesos.HealthCheck{Type: mesos.HealthCheck_TCP.Enum()})},
	{"health check with negative grace", health(&mesos.HealthCheck{Type: mesos.HealthCheck_TCP.Enum(),
		Tcp: &mesos.HealthCheck_TCPCheckInfo{Port: new(uint32(80))}, GracePeriodSeconds: new(-1.0)})},
	{"health check with negative interval", health(&mesos.HealthCheck{Type: mesos.HealthCheck_TCP.Enum(),
		Tcp: &mesos.HealthCheck_TCPCheckInfo{Port: new(uint32(80))}, IntervalSeconds: new(-1.0)})},
	{"health check with negative timeout", health(&mesos.HealthCheck{Type: mesos.HealthCheck_TCP.Enum(),
		Tcp: &mesos.HealthCheck_TCPCheckInfo{Port: new(uint32(80))}, TimeoutSeconds: new(-1.0)})},

	{"no resources", needs()},
	{"resources of nothing", needs(scalar("cpus", 0))},
	{"resource without a name", needs(scalar("", 1))},
	{"resource of negative amount", needs(scalar("cpus", -1))},
	{"resource of NaN", needs(scalar("cpus", nan))},
	{"resource without end", needs(scalar("cpus", infinite))},
	{"resource of less than a thousandth", needs(scalar("cpus", 0.0001))},
	{"resource without a value", needs(&mesos.Resource{Name: new("cpus"), Type: mesos.Value_SCALAR.Enum()})},
	{"resource of another type's value", needs(&mesos.Resource{Name: new("cpus"), Type: mesos.Value_RANGES.Enum(), Scalar: &mesos.Value_Scalar{Value: new(1.0)}})},
	{"resource that is a text", needs(&mesos.Resource{Name: new("cpus"), Type: mesos.Value_TEXT.Enum()})},
	{"resource that nobody has", needs(scalar("bananas", 1))},
	{"more than is offered", needs(scalar("cpus", 100))},
	{"ports that are not offered", needs(ports(8, 12))},
	{"ports from the end", needs(ports(5, 3))},
	{"ports that overlap", needs(ports(1, 5, 3, 8))},
	{"half a gpu", needs(scalar("cpus", 1), scalar("gpus", 0.5))},
	{"revocable and not", needs(scalar("cpus", 1), revocable(scalar("cpus", 1)))},
	{"revocable only", needs(revocable(scalar("cpus", 1)))},
	{"shared cpus", needs(func() *mesos.Resource { r := scalar("cpus", 1); r.Shared = &mesos.Resource_SharedInfo{}; return r }())},
	{"a disk of cpus", needs(func() *mesos.Resource { r := scalar("cpus", 1); r.Disk = volume("v1", false).Disk; return r }())},
	{"a volume without id", needs(volume("", false))},
	{"a volume twice", needs(volume("v1", false), volume("v1", false))},
	{"allocated to another role", needs(allocatedTo("other", scalar("cpus", 1)))},
	{"allocated to no role", needs(allocatedTo("", scalar("cpus", 1)))},
	{"allocated to the offer's role", needs(allocatedTo("*", scalar("cpus", 1)))},
	{"reserved to a role with a space", needs(func() *mesos.Resource {
		r := scalar("cpus", 1)
		r.Reservations = []*mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: new("a b")}}
		return r
	}())},
	{"limit below what is asked for", limit("cpus", 0.5)},
	{"limit of NaN", limit("mem", nan)},
	{"limit without end", limit("mem", infinite)},
	{"limit of disk", limit("disk", 10)},
	{"limit of what is not asked for", func(m *mesos.TaskInfo) {
		m.Resources = m.Resources[:1]
		limit("mem", 100)(m)
	}},

	{"docker container without docker", func(m *mesos.TaskInfo) { m.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum()} }},
	{"docker container with a name", func(m *mesos.TaskInfo) {
		m.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum(), Docker: &mesos.ContainerInfo_DockerInfo{Image: new("i"),
			Parameters: []*mesos.Parameter{{Key: new("name"), Value: new("x")}}}}
	}},
	{"volume of nothing", aVolume(&mesos.Volume{})},
	{"volume of two things", aVolume(&mesos.Volume{HostPath: new("/x"), Image: &mesos.Image{Type: mesos.Image_DOCKER.Enum()}})},
	{"volume of unknown source", aVolume(&mesos.Volume{Source: &mesos.Volume_Source{}})},
	{"volume of a sandbox without path", aVolume(&mesos.Volume{Source: &mesos.Volume_Source{Type: mesos.Volume_Source_SANDBOX_PATH.Enum()}})},
	{"volume of a host without path", aVolume(&mesos.Volume{Source: &mesos.Volume_Source{Type: mesos.Volume_Source_HOST_PATH.Enum()}})},
	{"volume of docker without one", aVolume(&mesos.Volume{Source: &mesos.Volume_Source{Type: mesos.Volume_Source_DOCKER_VOLUME.Enum()}})},
	{"volume of a secret without one", aVolume(&mesos.Volume{Source: &mesos.Volume_Source{Type: mesos.Volume_Source_SECRET.Enum()}})},
	{"volume of an empty secret", aVolume(&mesos.Volume{Source: &mesos.Volume_Source{Type: mesos.Volume_Source_SECRET.Enum(), Secret: &mesos.Secret{}}})},
	{"volume of csi without provisioning", aVolume(&mesos.Volume{Source: &mesos.Volume_Source{Type: mesos.Volume_Source_CSI_VOLUME.Enum(),
		CsiVolume: &mesos.Volume_Source_CSIVolume{PluginName: new("p")}}})},
	{"cgroups of its own", func(m *mesos.TaskInfo) {
		m.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), LinuxInfo: &mesos.LinuxInfo{ShareCgroups: new(false)}}
	}},
	{"labels twice", func(m *mesos.TaskInfo) {
		m.Labels = &mesos.Labels{Labels: []*mesos.Label{{Key: new("k")}, {Key: new("k")}}}
	}},

	{"executor without a command", onExecutor(func(e *mesos.ExecutorInfo) { e.Command = nil })},
	{"executor id empty", onExecutor(func(e *mesos.ExecutorInfo) { e.ExecutorId = id[mesos.ExecutorID]("") })},
	{"executor id with a slash", onExecutor(func(e *mesos.ExecutorInfo) { e.ExecutorId = id[mesos.ExecutorID]("a/b") })},
	{"executor id two dots", onExecutor(func(e *mesos.ExecutorInfo) { e.ExecutorId = id[mesos.ExecutorID]("..") })},
	{"executor name of 1025 bytes", onExecutor(func(e *mesos.ExecutorInfo) { e.Name = new(long(1025)) })},
	{"executor of another framework", onExecutor(func(e *mesos.ExecutorInfo) { e.FrameworkId = id[mesos.FrameworkID]("G") })},
	{"executor of this framework", onExecutor(func(e *mesos.ExecutorInfo) { e.FrameworkId = id[mesos.FrameworkID]("F") })},
	{"executor of type DEFAULT", onExecutor(func(e *mesos.ExecutorInfo) { e.Type = mesos.ExecutorInfo_DEFAULT.Enum() })},
	{"executor of type UNKNOWN", onExecutor(func(e *mesos.ExecutorInfo) { e.Type = mesos.ExecutorInfo_UNKNOWN.Enum() })},
	{"executor with negative grace", onExecutor(func(e *mesos.ExecutorInfo) { e.ShutdownGracePeriod = seconds(-2) })},
	{"executor with a wrong variable", onExecutor(func(e *mesos.ExecutorInfo) {
		e.Command.Environment = &mesos.Environment{Variables: []*mesos.Environment_Variable{{Name: new("A")}}}
	})},
	{"executor with a wrong volume", onExecutor(func(e *mesos.ExecutorInfo) {
		task := new(mesos.TaskInfo)
		aVolume(&mesos.Volume{})(task)
		e.Container = task.Container
	})},
	{"executor without resources", onExecutor(func(e *mesos.ExecutorInfo) { e.Resources = nil })},
	{"executor that needs too much", onExecutor(func(e *mesos.ExecutorInfo) { e.Resources = []*mesos.Resource{scalar("cpus", 3.5)} })},
	{"executor of negative resources", onExecutor(func(e *mesos.ExecutorInfo) { e.Resources = []*mesos.Resource{scalar("cpus", -1)} })},
	{"executor with the task's ports", func(m *mesos.TaskInfo) {
		*m = *withExecutor("t", "e")
		m.Resources = append(m.Resources, ports(1, 5))
		m.Executor.Resources = append(m.Executor.Resources, ports(4, 8))
	}},
	{"executor on revocable cpus", onExecutor(func(e *mesos.ExecutorInfo) { e.Resources = []*mesos.Resource{revocable(scalar("cpus", 1))} })},
	{"executor in another role", onExecutor(func(e *mesos.ExecutorInfo) { e.Resources = []*mesos.Resource{allocatedTo("other", scalar("cpus", 1))} })},
	{"executor on a shared volume", onExecutor(func(e *mesos.ExecutorInfo) { e.Resources = []*mesos.Resource{volume("v2", true)} })},
	{"executor sharing cgroups", onExecutor(func(e *mesos.ExecutorInfo) {
		e.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), LinuxInfo: &mesos.LinuxInfo{ShareCgroups: new(true)}}
	})},
}

// acceptRow is a mistake in an ACCEPT.
type acceptRow struct {
	name string
	call func(*world) *schedulerpb.Call_Accept
}

func (r acceptRow) answer(t *testing.T) string {
	w := newWorld(t)
	return w.accept(r.call(w))
}

// launchOn launches tasks on offers.
func launchOn(offers []*cluster.Offer, tasks ...*mesos.TaskInfo) *schedulerpb.Call_Accept {
	a := &schedulerpb.Call_Accept{Filters: &mesos.Filters{RefuseSeconds: new(0.0)}}
	for _, o := range offers {
		a.OfferIds = append(a.OfferIds, id[mesos.OfferID](string(o.ID)))
	}
	a.Operations = []*mesos.Offer_Operation{{Type: mesos.Offer_Operation_LAUNCH.Enum(), Launch: &mesos.Offer_Operation_Launch{TaskInfos: tasks}}}
	return a
}

func filtered(seconds float64) func(w *world) *schedulerpb.Call_Accept {
	return func(w *world) *schedulerpb.Call_Accept {
		a := launchOn(w.offers("A"), plainTask("t"))
		a.Filters.RefuseSeconds = &seconds
		return a
	}
}

func operation(kind mesos.Offer_Operation_Type) func(w *world) *schedulerpb.Call_Accept {
	return func(w *world) *schedulerpb.Call_Accept {
		a := launchOn(w.offers("A"), plainTask("t"))
		a.Operations = append(a.Operations, &mesos.Offer_Operation{Type: &kind})
		return a
	}
}

var acceptRows = []acceptRow{
	{"no offers", func(w *world) *schedulerpb.Call_Accept { return launchOn(nil, plainTask("t")) }},
	{"an unknown offer", func(w *world) *schedulerpb.Call_Accept {
		return launchOn([]*cluster.Offer{{ID: "none"}}, plainTask("t"))
	}},
	{"an offer twice", func(w *world) *schedulerpb.Call_Accept {
		return launchOn(append(w.offers("A"), w.offers("A")...), plainTask("t"))
	}},
	{"offers of two agents", func(w *world) *schedulerpb.Call_Accept {
		return launchOn(append(w.offers("A"), w.offers("B")...), plainTask("t"))
	}},
	{"an offer of another framework", func(w *world) *schedulerpb.Call_Accept {
		w.step(cluster.SchedulerCall{Framework: "F", Stream: "s", Call: cluster.Decline{Offers: []ids.OfferID{w.offers("A")[0].ID}, Refuse: 1e15}})
		w.subscribe("g", &mesos.FrameworkInfo{Id: id[mesos.FrameworkID]("G"), Name: new("g"), User: new("u"),
			Capabilities: capabilities(mesos.FrameworkInfo_Capability_GPU_RESOURCES)})
		w.wait()
		view := w.c.View()
		for o := range view.Offers.All() {
			if o.Framework == "G" {
				return launchOn([]*cluster.Offer{o}, plainTask("t"))
			}
		}
		w.t.Fatal("G was offered nothing")
		return nil
	}},
	{"an id twice", func(w *world) *schedulerpb.Call_Accept {
		return launchOn(w.offers("A"), plainTask("t"), plainTask("t"))
	}},
	{"an executor id for two executors", func(w *world) *schedulerpb.Call_Accept {
		other := withExecutor("u", "e")
		other.Executor.Command.Value = new("other")
		return launchOn(w.offers("A"), withExecutor("t", "e"), other)
	}},
	{"no operation", func(w *world) *schedulerpb.Call_Accept {
		a := launchOn(w.offers("A"))
		a.Operations = nil
		return a
	}},
	{"no task", func(w *world) *schedulerpb.Call_Accept { return launchOn(w.offers("A")) }},
	{"an operation without a type", func(w *world) *schedulerpb.Call_Accept {
		a := launchOn(w.offers("A"), plainTask("t"))
		a.Operations[0].Type = nil
		return a
	}},
	{"a LAUNCH without launch", func(w *world) *schedulerpb.Call_Accept {
		a := launchOn(w.offers("A"))
		a.Operations[0].Launch = nil
		return a
	}},
	{"an operation that is not built", operation(mesos.Offer_Operation_RESERVE)},
	{"filters of -1 s", filtered(-1)},
	{"filters of NaN s", filtered(nan)},
	{"filters of 1e300 s", filtered(1e300)},
}

// frameworkRow is a mistake in a framework.
type frameworkRow struct {
	name       string
	change     func(*mesos.FrameworkInfo)
	suppressed []string
}

func (r frameworkRow) answer(t *testing.T) string {
	w := newWorld(t)
	m := &mesos.FrameworkInfo{Name: new("n"), User: new("u")}
	r.change(m)
	w.said = nil
	before := w.c.View()
	w.subscribe("n", m, r.suppressed...)
	if len(w.said) != 1 {
		t.Errorf("%s: %q, want one answer", r.name, w.said)
	}
	if after := w.c.View(); w.said[0] != "SUBSCRIBED" && count(&before) != count(&after) {
		t.Errorf("%s: %s are there, before there were %s", r.name, count(&after), count(&before))
	}
	return w.said[0]
}

var multiRole = capabilities(mesos.FrameworkInfo_Capability_MULTI_ROLE)

func inRoles(roles ...string) func(*mesos.FrameworkInfo) {
	return func(m *mesos.FrameworkInfo) { m.Roles, m.Capabilities = roles, multiRole }
}

var frameworkRows = []frameworkRow{
	{name: "nothing wrong", change: func(m *mesos.FrameworkInfo) {}},
	{name: "empty name and user", change: func(m *mesos.FrameworkInfo) { m.Name, m.User = new(""), new("") }},
	{name: "name of 1025 bytes", change: func(m *mesos.FrameworkInfo) { m.Name = new(long(1025)) }},
	{name: "user of 1025 bytes", change: func(m *mesos.FrameworkInfo) { m.User = new(long(1025)) }},
	{name: "id with a slash", change: func(m *mesos.FrameworkInfo) { m.Id = id[mesos.FrameworkID]("a/b") }},
	{name: "id of 256 bytes", change: func(m *mesos.FrameworkInfo) { m.Id = id[mesos.FrameworkID](long(256)) }},
	{name: "id of F with another principal", change: func(m *mesos.FrameworkInfo) { m.Id, m.Principal = id[mesos.FrameworkID]("F"), new("thief") }},
	{name: "id of F without its principal", change: func(m *mesos.FrameworkInfo) { m.Id = id[mesos.FrameworkID]("F") }},
	{name: "role and MULTI_ROLE", change: func(m *mesos.FrameworkInfo) { m.Role, m.Capabilities = new("a"), multiRole }},
	{name: "roles without MULTI_ROLE", change: func(m *mesos.FrameworkInfo) { m.Roles = []string{"a"} }},
	{name: "role and roles", change: func(m *mesos.FrameworkInfo) { m.Role, m.Roles = new("a"), []string{"a"} }},
	{name: "roles twice", change: inRoles("a", "b", "a")},
	{name: "role empty", change: func(m *mesos.FrameworkInfo) { m.Role = new("") }},
	{name: "role with a space", change: inRoles("a b")},
	{name: "role with a slash in front", change: inRoles("/a")},
	{name: "role with a slash behind", change: inRoles("a/")},
	{name: "role with two slashes", change: inRoles("a//b")},
	{name: "role with a dot", change: inRoles("a/./b")},
	{name: "role with two dots", change: inRoles("..")},
	{name: "role with a dash in front", change: inRoles("-a")},
	{name: "role below the star", change: inRoles("*/a")},
	{name: "role of 1025 bytes", change: inRoles(long(1025))},
	{name: "257 roles", change: func(m *mesos.FrameworkInfo) {
		m.Capabilities = multiRole
		for range 257 {
			m.Roles = append(m.Roles, "a")
		}
	}},
	{name: "suppressed role that is not its own", change: inRoles("a", "b"), suppressed: []string{"a", "c", "d"}},
	{name: "failover_timeout negative", change: func(m *mesos.FrameworkInfo) { m.FailoverTimeout = new(-1.0) }},
	{name: "failover_timeout of 1e10 s", change: func(m *mesos.FrameworkInfo) { m.FailoverTimeout = new(1e10) }},
	{name: "failover_timeout without end", change: func(m *mesos.FrameworkInfo) { m.FailoverTimeout = &infinite }},
	{name: "failover_timeout of NaN", change: func(m *mesos.FrameworkInfo) { m.FailoverTimeout = &nan }},
	{name: "offer filter of less than nothing", change: func(m *mesos.FrameworkInfo) {
		m.OfferFilters = map[string]*mesos.OfferFilters{"*": {MinAllocatableResources: &mesos.OfferFilters_MinAllocatableResources{
			Quantities: []*mesos.OfferFilters_ResourceQuantities{{Quantities: map[string]*mesos.Value_Scalar{"cpus": {Value: new(-1.0)}}}}}}}
	}},
	{name: "too long in all", change: func(m *mesos.FrameworkInfo) { m.WebuiUrl = new(long(65 << 10)) }},
}
