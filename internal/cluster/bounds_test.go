package cluster

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
)

// answers applies inputs and gives what the last one led to, but for notices and records.
func answers(t *testing.T, s *script, in ...Input) string {
	t.Helper()
	var lines []string
	for _, one := range in {
		lines = s.step(one)
	}
	var kept []string
	for _, line := range lines {
		if !strings.HasPrefix(line, "notice:") && !strings.HasPrefix(line, "persist #") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "; ")
}

// many gives n roles.
func many(n int) []ids.Role {
	roles := make([]ids.Role, n)
	for i := range roles {
		roles[i] = ids.Role(fmt.Sprint("r", i))
	}
	return roles
}

func TestFrameworksBeyondBoundsAreRefusedWithASentence(t *testing.T) {
	multiRole := Capabilities(0).With(mesos.FrameworkInfo_Capability_MULTI_ROLE)
	for _, test := range []struct {
		name string
		in   Subscribe
		why  string
	}{
		{"many roles", Subscribe{Framework: FrameworkInfo{Capabilities: multiRole, Roles: many(257)}},
			"'FrameworkInfo.roles' has 257 items, at most 256 are taken"},
		{"many suppressed roles", Subscribe{Suppressed: many(257)},
			"SUBSCRIBE names 257 suppressed roles, at most 256 are taken in one call"},
		{"long name", Subscribe{Framework: FrameworkInfo{Name: strings.Repeat("x", 1025)}},
			"'FrameworkInfo.name' has 1025 bytes, at most 1024 are taken"},
		{"long user", Subscribe{Framework: FrameworkInfo{User: strings.Repeat("x", 1025)}},
			"'FrameworkInfo.user' has 1025 bytes, at most 1024 are taken"},
		{"principal of bytes", Subscribe{Framework: FrameworkInfo{Principal: "\xff"}},
			"'FrameworkInfo.principal' is not UTF-8"},
		{"long description", Subscribe{Framework: FrameworkInfo{Raw: make([]byte, 65537)}},
			"'FrameworkInfo' has 65537 bytes, at most 65536 are taken"},
		{"id of bytes", Subscribe{Framework: FrameworkInfo{ID: "a\xffb"}},
			"'a\uFFFDb' is not UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScript()
			test.in.Stream = "s1"
			if got, want := answers(t, s, test.in), "s1: ERROR "+test.why+"; s1: closed"; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if n := s.c.frameworks.Len(); n != 0 {
				t.Errorf("%d frameworks in the books, want none", n)
			}
		})
	}
}

func TestFrameworksAtTheBoundsAreTaken(t *testing.T) {
	s := newScript()
	in := Subscribe{Stream: "s1", Framework: FrameworkInfo{
		Capabilities: Capabilities(0).With(mesos.FrameworkInfo_Capability_MULTI_ROLE),
		ID:           ids.FrameworkID(strings.Repeat("i", 255)), Name: strings.Repeat("x", 1024), User: strings.Repeat("x", 1024),
		Roles: many(256), Raw: make([]byte, 65536)}, Suppressed: many(256)}
	if got := answers(t, s, in); !strings.Contains(got, "SUBSCRIBED") {
		t.Error(got)
	}
}

func TestThereIsRoomForSoManyFrameworks(t *testing.T) {
	s := newScript()
	for n := range maxFrameworks {
		s.step(Subscribe{Stream: StreamID(fmt.Sprint("s", n))})
	}
	want := "one-more: ERROR The cluster has 10000 frameworks, which is as many as it takes; one-more: closed"
	if got := answers(t, s, Subscribe{Stream: "one-more"}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := answers(t, s, Subscribe{Stream: "again", Framework: FrameworkInfo{ID: "M-0007"}}); !strings.Contains(got, "again: SUBSCRIBED M-0007") {
		t.Errorf("one that is in already comes back: %s", got)
	}
	s.step(StreamClosed{Stream: "s8"})
	if got := answers(t, s, Subscribe{Stream: "then"}); !strings.Contains(got, "then: SUBSCRIBED") {
		t.Errorf("after one has left: %s", got)
	}
}

func TestCallsBeyondBoundsAreRefusedWithASentence(t *testing.T) {
	for _, test := range []struct {
		call Call
		why  string
	}{
		{Accept{Tasks: make([]TaskInfo, 10_001)}, "ACCEPT names 10001 tasks, at most 10000 are taken in one call"},
		{Accept{Offers: make([]ids.OfferID, 100_001)}, "ACCEPT names 100001 offers, at most 100000 are taken in one call"},
		{Decline{Offers: make([]ids.OfferID, 100_001)}, "DECLINE names 100001 offers, at most 100000 are taken in one call"},
		{Reconcile{Tasks: make([]ReconcileTask, 100_001)}, "RECONCILE names 100001 tasks, at most 100000 are taken in one call"},
		{Revive{Roles: many(257)}, "REVIVE names 257 roles, at most 256 are taken in one call"},
		{Suppress{Roles: many(257)}, "SUPPRESS names 257 roles, at most 256 are taken in one call"},
		{Kill{Task: "\xff"}, "'task_id' is not UTF-8"},
		{Kill{Task: "t", Policy: make([]byte, 1025)}, "'kill_policy' has 1025 bytes, at most 1024 are taken"},
		{Shutdown{Agent: "A", Executor: "\xff"}, "'executor_id' is not UTF-8"},
		{Message{Agent: "A", Executor: "\xff"}, "'executor_id' is not UTF-8"},
		{Message{Agent: "A", Executor: "e", Data: make([]byte, 8<<20+1)}, "'message.data' has 8388609 bytes, at most 8388608 are taken"},
		{Acknowledge{Agent: "A", Task: "\xff"}, "'task_id' is not UTF-8"},
	} {
		s := newScript()
		s.step(Subscribe{Stream: "s", Framework: FrameworkInfo{ID: "F"}})
		s.step(AgentSubscribe{Link: 1, ID: "A"})
		got := answers(t, s, SchedulerCall{Framework: "F", Stream: "s", Call: test.call})
		if want := "400 " + test.why; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestTasksBeyondBoundsAreErrors(t *testing.T) {
	for _, test := range []struct {
		change func(*TaskInfo)
		why    string
	}{
		{func(t *TaskInfo) { t.Name = strings.Repeat("x", 1025) }, "'TaskInfo.name' has 1025 bytes, at most 1024 are taken"},
		{func(t *TaskInfo) { t.Raw = make([]byte, 8<<20+1) }, "Task and executor are described in 8388609 bytes, at most 8388608 are taken"},
		{func(t *TaskInfo) { t.ID = "\xff" }, "'\uFFFD' is not UTF-8"},
		{func(t *TaskInfo) {
			t.HasCommand, t.Executor = false, &ExecutorInfo{ID: "e", Name: strings.Repeat("x", 1025)}
		}, "'ExecutorInfo.name' has 1025 bytes, at most 1024 are taken"},
	} {
		s := newScript()
		s.step(Subscribe{Stream: "s", Framework: FrameworkInfo{ID: "F"}})
		s.step(AgentSubscribe{Link: 1, ID: "A", Info: AgentInfo{Resources: list(t, "cpus:4")}})
		s.wait(1)
		s.wait(1e9)
		task := s.task(t, "t@A")
		test.change(&task)
		got := answers(t, s, SchedulerCall{Framework: "F", Stream: "s", Call: Accept{Offers: []ids.OfferID{"M-O0"}, Tasks: []TaskInfo{task}}})
		if want := fmt.Sprintf("TASK_ERROR REASON_TASK_INVALID %q", test.why); !strings.Contains(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestAgentsThatCannotBeKeptAreTurnedAway(t *testing.T) {
	for _, test := range []struct {
		in  AgentSubscribe
		why string
	}{
		{AgentSubscribe{ID: "a/b"}, "agent id: 'a/b' contains invalid characters"},
		{AgentSubscribe{ID: ids.AgentID(strings.Repeat("x", 256))}, "agent id: ID must not be greater than 255 characters"},
		{AgentSubscribe{Info: AgentInfo{Hostname: "\xff"}}, "'AgentInfo.hostname' is not UTF-8"},
		{AgentSubscribe{Info: AgentInfo{Raw: make([]byte, 256<<10+1)}}, "'AgentInfo' has 262145 bytes, at most 262144 are taken"},
		{AgentSubscribe{Frameworks: []FrameworkInfo{{}}}, `framework "": ID must not be empty`},
		{AgentSubscribe{Frameworks: []FrameworkInfo{{ID: "f", RoleSet: true, Role: "a//b"}}},
			`framework "f": 'FrameworkInfo.role' is not a valid role: Role 'a//b' cannot have an empty component`},
		{AgentSubscribe{Executors: []AgentExecutor{{Info: ExecutorInfo{ID: ".."}}}}, `executor "..": '..' is disallowed`},
		{AgentSubscribe{Tasks: []AgentTask{{Info: TaskInfo{ID: "\x00"}}}}, `task "\x00": '` + "\x00" + `' contains invalid characters`},
	} {
		s := newScript()
		test.in.Link = 1
		if got, want := answers(t, s, test.in), "link 1: refused for good: "+test.why+"; link 1: closed"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestIdsThatSomebodyBroughtAreNotGivenOutAgain(t *testing.T) {
	s := newScript()
	s.step(Subscribe{Stream: "s1", Framework: FrameworkInfo{ID: "M-0000"}})
	if got := answers(t, s, Subscribe{Stream: "s2"}); got != "s2: SUBSCRIBED M-0001" {
		t.Errorf("a new framework: %s", got)
	}
	s.step(AgentSubscribe{Link: 1, ID: "M-S0"})
	if got := answers(t, s, AgentSubscribe{Link: 2}); !strings.Contains(got, "link 2: welcome M-S1") {
		t.Errorf("a new agent: %s", got)
	}
}

func TestThereIsRoomForSoManyAgents(t *testing.T) {
	s := newScript()
	s.hold = true
	for n := range maxAgents {
		s.c.Step(s.now, AgentSubscribe{Link: LinkID(n + 1)})
	}
	want := "link 100001: refused for good: the cluster has 100000 agents, which is as many as it takes; link 100001: closed"
	if got := answers(t, s, AgentSubscribe{Link: maxAgents + 1}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if n := len(s.c.byAgent); n != maxAgents {
		t.Errorf("%d agents in the books", n)
	}
	if got := answers(t, s, AgentSubscribe{Link: maxAgents + 2, ID: "M-S7"}); got != "link 8: closed" {
		t.Errorf("one that is in already comes back: %s", got)
	}
}
