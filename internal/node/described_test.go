package node

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meseta/meseta/api/mesos/v1"
)

// What lives is described to each new master in one message, so that it is bounded, and the past makes room for it.
func TestWhatLivesIsBoundedInBytes(t *testing.T) {
	s := newScript()
	s.config.MaxDescribed = 30_000
	play := func(line string) string { return strings.Join(s.do(t, strings.Fields(line)), "\n") }
	run := func(id string, size int) string {
		in := runOf([]string{"F", id, "exec=E"})
		in.Task.Info = make([]byte, size)
		return strings.Join(s.step(s.fromMaster(in)), "\n")
	}
	for _, line := range []string{"start", "link", "run F past", "persisted", "started c1.1 42", "exited c1.1 0", "persisted",
		"run F t1 exec=E", "persisted"} {
		play(line)
	}
	e := s.node.frameworks["F"].executors["E"]
	s.step(ContainerStarted{e.container, 43})
	play("subscribe F E")
	for past := s.node.frameworks["F"].tasks["past"]; len(past.owed) > 0; {
		play("ack F past " + nameUUID(past.owed[0].UUID))
		play("persisted")
	}
	if n := len(s.node.history.tasks); n != 1 {
		t.Fatalf("%d tasks are history, expected 1", n)
	}
	if out := run("fits", 10_000); !strings.Contains(out, "persist") {
		t.Errorf("a task that fits is answered\n%s", out)
	}
	want := fmt.Sprintf("are described in %d bytes, and this one in 20", s.node.described)
	if out := run("large", 20_000); !strings.Contains(out, want) || !strings.Contains(out, "at most 30000 are taken") {
		t.Errorf("a task that does not fit is answered\n%s\nexpected %q", out, want)
	}
	if n := len(s.node.history.tasks); n != 0 {
		t.Errorf("%d tasks are still history where there is no room", n)
	}
	update := func(n, size int) string {
		return strings.Join(s.step(ExecutorUpdates{Framework: "F", Executor: "E", Update: ExecutorUpdate{"t1", Status{
			UUID: parseUUID(fmt.Sprintf("x%d", n)), State: mesos.TaskState_TASK_RUNNING, Source: mesos.TaskStatus_SOURCE_EXECUTOR,
			Reason: NoReason, Message: strings.Repeat("x", size)}}}), "\n")
	}
	if out := update(1, 1000); !strings.Contains(out, "answer 202") {
		t.Errorf("a status that fits is answered\n%s", out)
	}
	if out := update(2, 30_000); !strings.Contains(out, "answer 503") || !strings.Contains(out, "at most 37500 are taken") {
		t.Errorf("a status that does not fit is answered\n%s", out)
	}
}
