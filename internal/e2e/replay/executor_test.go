package replay

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const executorPart = "Executor API (`POST /api/v1/executor` on the agent)"

// TestExecutor replays an executor's life as its agent and its scheduler saw it. The process only sleeps;
// the calls are made by hand.
func TestExecutor(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	const recorded = "a56efacd-7c3e-41bf-bf4c-aec416db7048"
	st := s.subscribe(t, recorded, 0, strings.Replace(demo, `"demo"`, `"demo-exec"`, 1))
	s.names.ours["180256f9-cdc1-40ac-a3aa-b729ce93c051"] = st.id
	if err := s.awaitOffers(st); err != nil {
		t.Fatal(err)
	}
	s.names.ours[recorded+"-S0"] = s.agent

	launch := s.section(t, executorPart, "")
	compared := s.play(t, launch, nil)
	t.Run("environment", func(t *testing.T) {
		ours := output(t, c, "exec-1", "env.txt")
		run := sandbox(t, c, "exec-1")
		s.names.ours["917ab5e8-76bd-4e47-aa12-262fc8f24095"] = filepath.Base(run)
		s.names.ours["<work_dir>"] = run[:strings.Index(run, "/slaves/")]
		s.names.ours[agentHost] = s.servers[agentHost]
		recorded := launch.items[len(launch.items)-1]
		want := variables(s.names.translate(recorded.plain))
		for _, d := range unintended(s.names.compare("environment", want, any(variables(ours)))) {
			t.Errorf("recorded in line %d: %s", recorded.line, d)
		}
	})

	compared += s.play(t, s.section(t, executorPart, "Errors before SUBSCRIBE"), nil)

	const running = "z1zEocikT/u+Cii0ZK4SHw=="
	s.byHand[running] = true // the executor's ACKNOWLEDGED does not wait for the scheduler's
	compared += s.play(t, s.section(t, executorPart, "SUBSCRIBE and events"), cues{
		"After the scheduler acknowledged": func(t *testing.T) {
			s.must(t, st, fmt.Sprintf(`{"type":"ACKNOWLEDGE","framework_id":{"value":%q},"acknowledge":{"agent_id":{"value":%q},`+
				`"task_id":{"value":"et-1"},"uuid":%q}}`, st.framework, s.agent, running))
		},
		"The scheduler sends MESSAGE": func(t *testing.T) {
			s.must(t, st, fmt.Sprintf(`{"type":"MESSAGE","framework_id":{"value":%q},"message":{"agent_id":{"value":%q},`+
				`"executor_id":{"value":"exec-1"},"data":"dG8gZXhlY3V0b3I="}}`, st.framework, s.agent))
		},
	})
	compared += s.play(t, s.section(t, executorPart, "Second SUBSCRIBE of the same executor"), cues{
		"The scheduler sends KILL": func(t *testing.T) { s.kill(t, st, "et-1") },
	})

	s.until(t, st, "et-1", "TASK_KILLED") // which the recording does not show

	shutdown := s.section(t, executorPart, "SHUTDOWN call by the scheduler")
	shutdown.says(t, "the scheduler stream carried the FAILURE event above 5.0 s later.")
	asked := time.Now()
	compared += s.play(t, shutdown, nil)
	if took := time.Since(asked); took < 4900*time.Millisecond {
		t.Errorf("FAILURE came after %s, recorded are 5 s", took)
	}

	s.accept(t, st, "et-2", `"executor":{"type":"CUSTOM","executor_id":{"value":"exec-2"},"command":{"value":"exit 4"}}`)
	compared += s.play(t, s.section(t, executorPart, "Executor that exits without subscribing"), nil)
	if compared < 30 {
		t.Errorf("only %d items were compared", compared)
	}
}

// variables reads an environment, one variable a line.
func variables(text string) map[string]any {
	all := make(map[string]any)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		all[name] = value
	}
	return all
}
