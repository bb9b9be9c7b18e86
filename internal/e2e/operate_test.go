package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/e2e/testcluster"
)

const (
	getTasks  = masterpb.Call_GET_TASKS
	getAgents = masterpb.Call_GET_AGENTS
)

// background is a command that goes on beside the test, and the lines that it prints.
type background struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
}

// start starts the binary; the end of the test ends it.
func start(t *testing.T, args ...string) *background {
	t.Helper()
	b := &background{t: t, cmd: exec.Command(testcluster.Binary(t), args...), lines: make(chan string, 1000)}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(b.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			b.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		b.cmd.Process.Signal(syscall.SIGTERM)
		for range b.lines {
		}
		b.cmd.Wait()
	})
	return b
}

// await waits for a line that has all of some words, and gives it.
func (b *background) await(words ...string) string {
	b.t.Helper()
	var seen []string
	timeout := time.After(30 * time.Second)
	for {
		select {
		case line, ok := <-b.lines:
			if !ok {
				b.t.Fatalf("meseta %v ended without a line with %q; it printed\n%s", b.cmd.Args[1:], words, strings.Join(seen, "\n"))
			}
			seen = append(seen, line)
			if containsAll(line, words) {
				return line
			}
		case <-timeout:
			b.t.Fatalf("meseta %v printed no line with %q, but\n%s", b.cmd.Args[1:], words, strings.Join(seen, "\n"))
		}
	}
}

func containsAll(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

// everyday is a cluster on which the commands of everyday are tried.
type everyday struct {
	*testing.T
	c *testcluster.Cluster
}

// does runs a command and holds what it printed against words that it has to print.
func (e *everyday) does(code int, args []string, words ...string) testcluster.Result {
	e.Helper()
	r := testcluster.Meseta(e.T, append(args, "--master", e.c.Master.Address)...)
	if r.Code != code || !containsAll(r.Stdout+r.Stderr, words) {
		e.Errorf("meseta %v: %+v\nwant code %d and %q", args, r, code, words)
	}
	return r
}

// sleeper starts a task that sleeps and returns its id.
func (e *everyday) sleeper(name string) (string, *background) {
	e.Helper()
	run := start(e.T, "run", "--master", e.c.Master.Address, "--name", name, "--", "sh", "-c", "echo hello; sleep 1000")
	run.await("hello")
	for _, t := range e.c.Ask(getTasks).GetGetTasks().GetTasks() {
		if t.GetName() == name {
			return t.GetTaskId().GetValue(), run
		}
	}
	e.Fatalf("task %s is not there", name)
	return "", nil
}

// TestEverydayCommands runs each command that works with a cluster against a real one.
func TestEverydayCommands(t *testing.T) {
	e := &everyday{t, testcluster.Start(t, testcluster.Options{Agents: 2, AgentFlags: []string{"--attributes=rack:r7"}})}
	events := start(t, "events", "--master", e.c.Master.Address, "-f", "task", "-f", "state=KILLED")
	raw := start(t, "events", "--master", e.c.Master.Address, "-o", "json")
	raw.await(`{"type":"SUBSCRIBED"`)
	watch := start(t, "tasks", "--master", e.c.Master.Address, "--watch=100ms")
	watch.await("TASK", "STATE", "FRAMEWORK")
	nightly, run := e.sleeper("nightly")
	watch.await(nightly, "nightly")

	e.does(0, []string{"tasks"}, nightly, "nightly", "RUNNING")
	e.does(0, []string{"tasks", "-o", "wide"}, nightly, "AGENT", "MESSAGE")
	e.does(0, []string{"tasks", "show", "nightly"}, nightly, "RUNNING", "meseta run", "Container", "STARTING", "cpus:0.1; mem:32")
	e.does(0, []string{"tasks", "show", nightly, "-o", "json"}, `"task_id": {`, `"state": "TASK_RUNNING"`)
	e.does(0, []string{"logs", nightly[:len(nightly)-1]}, "hello\n")
	e.does(0, []string{"frameworks"}, "meseta run", "connected")
	e.does(0, []string{"frameworks", "show", "meseta run"}, nightly, "Roles", "Failover")
	agent := e.c.Ask(getAgents).GetGetAgents().GetAgents()[0].GetAgentInfo().GetId().GetValue()
	e.does(0, []string{"agents"}, agent, "active")
	e.does(0, []string{"agents", "show", agent}, agent, "rack:r7", "Free", "cpus:4; mem:2048; disk:4096")
	e.does(0, []string{"agents", "show", agent[:8] + "…" + agent[len(agent)-2:], "-o", "json"}, `"pid": "slave(1)@`)
	e.does(1, []string{"agents", "show", agent[:4]}, "2 are called like this", agent)
	e.does(0, []string{"offers"}, "OFFER", "HELD BY")
	e.does(0, []string{"offers", "-o", "json"}, "[]")

	if r := testcluster.Meseta(t, "version"); r.Code != 0 || !strings.Contains(r.Stdout, "Mesos API 1.11.0") {
		t.Errorf("version: %+v", r)
	}
	traced := e.does(0, []string{"agents", "--trace"}, `> {"type":"GET_AGENTS"}`, "< HTTP/1.1 200 OK", `< {"type":"GET_AGENTS","get_agents"`)
	if strings.Contains(traced.Stdout, "GET_AGENTS") {
		t.Errorf("a trace belongs to stderr; stdout has\n%s", traced.Stdout)
	}
	if r := testcluster.Meseta(t, "run", "--trace", "--master", e.c.Master.Address, "--", "true"); r.Code != 0 || r.Stdout != "" ||
		!containsAll(r.Stderr, []string{`> {"type":"SUBSCRIBE"`, `< {"type":"OFFERS"`, `"type":"ACCEPT"`, `"state":"TASK_FINISHED"`}) {
		t.Errorf("run --trace: %+v", r)
	}
	completed := testcluster.Meseta(t, "__complete", "kill", "--master", e.c.Master.Address, "run")
	if !strings.HasPrefix(completed.Stdout, nightly+"\tnightly, RUNNING\n") {
		t.Errorf("kill run<TAB>: %+v, want %s", completed, nightly)
	}

	e.does(1, []string{"kill", "no-such-task"}, `task "no-such-task": not known; list them with: meseta tasks --all`)
	e.does(0, []string{"kill", "--grace=2s", "nightly"}, nightly+" KILLED\n")
	events.await("KILLED", nightly, "Command terminated with signal Terminated")
	raw.await(`{"type":"TASK_UPDATED"`, nightly, `"state":"TASK_KILLED"}}`)
	watch.await("TASK", "STATE") // a table without it
	if err := run.cmd.Wait(); run.cmd.ProcessState.ExitCode() != 128+15 {
		t.Errorf("meseta run of a task that was killed: %v, want exit code 143", err)
	}
	e.does(0, []string{"kill", nightly}, nightly+" had ended already: KILLED\n")
	e.does(0, []string{"tasks", "--all", "-o", "wide"}, nightly, "KILLED", "Command terminated with signal Terminated")

	doomed, _ := e.sleeper("doomed")
	e.does(1, []string{"frameworks", "teardown", "meseta run"}, `framework "meseta run"`, "with 1 task", "--yes")
	e.does(0, []string{"frameworks", "teardown", "--yes", "meseta run"}, "is torn down, with 1 task")
	events.await("KILLED", doomed)
	e.does(0, []string{"frameworks", "--all"}, "completed")
	e.does(1, []string{"frameworks", "teardown", "--yes", "meseta run"}, "not known; list them with: meseta frameworks")

	log, err := os.ReadFile(e.c.Dir() + "/master.log")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"audit=KILL_TASK task=" + nightly, "audit=TEARDOWN framework="} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the master's log does not have %s", want)
		}
	}
}

// TestEventsGoOnAfterTheMaster kills the master under one who watches.
func TestEventsGoOnAfterTheMaster(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{})
	_, port, _ := strings.Cut(c.Master.Address, ":")
	events := start(t, "events", "--master", c.Master.Address, "-o", "json")
	events.await(`{"type":"SUBSCRIBED"`)
	c.Master.Kill()
	start(t, "master", "--port", port, "--work-dir", c.Dir()+"/master")
	events.await(`{"type":"SUBSCRIBED"`)
	if r := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--", "true"); r.Code != 0 {
		t.Errorf("run: %+v", r)
	}
	events.await(`{"type":"TASK_UPDATED"`, `"state":"TASK_FINISHED"`)
}

// terminal is a pseudo terminal of a size: what a program draws on it can be read.
func terminal(t *testing.T, columns, rows uint16) (screen, tty *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	screen = os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return screen, tty
}

// seen runs a command on a terminal and gives what it drew.
func seen(t *testing.T, columns, rows uint16, keys string, env []string, args ...string) string {
	t.Helper()
	screen, tty := terminal(t, columns, rows)
	cmd := exec.Command(testcluster.Binary(t), args...)
	cmd.Env = append(append(os.Environ(), "TERM=xterm", "NO_COLOR=", "PAGER=sed 's/^/paged /'"), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	if _, err := screen.WriteString(keys); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	var out strings.Builder
	for b := make([]byte, 4096); ; {
		n, err := screen.Read(b)
		out.Write(b[:n])
		if err != nil { // EIO, once nobody has the terminal open
			break
		}
	}
	cmd.Wait()
	return strings.ReplaceAll(out.String(), "\r\n", "\n")
}

// TestOnATerminal looks at what people see and programs do not.
func TestOnATerminal(t *testing.T) {
	c := testcluster.Start(t, testcluster.Options{Agents: 3})
	agents := []string{"agents", "--master", c.Master.Address}
	if out := seen(t, 120, 40, "", nil, agents...); !strings.Contains(out, "\x1b[32mactive\x1b[0m") {
		t.Errorf("no colour:\n%q", out)
	}
	for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
		if out := seen(t, 120, 40, "", []string{env}, agents...); strings.Contains(out, "\x1b") || !strings.Contains(out, "active") {
			t.Errorf("%s:\n%q", env, out)
		}
	}
	if out := seen(t, 80, 40, "", nil, agents...); !strings.Contains(out, "…-S") {
		t.Errorf("ids are not short at 80 columns:\n%s", out)
	}
	if out := seen(t, 80, 3, "", nil, agents...); strings.Count(out, "paged ") != 4 {
		t.Errorf("what is longer than the screen was not paged:\n%s", out)
	}
	if out := seen(t, 80, 40, "", nil, "tasks", "--master", c.Master.Address); !strings.Contains(out, "no tasks") {
		t.Errorf("an empty list:\n%s", out)
	}

	e := &everyday{t, c}
	e.sleeper("kept")
	teardown := []string{"frameworks", "teardown", "meseta run", "--master", c.Master.Address}
	if out := seen(t, 80, 40, "n\n", nil, teardown...); !strings.Contains(out, "with 1 task? [y/N]") || strings.Contains(out, "torn down") {
		t.Errorf("who says no:\n%s", out)
	}
	if out := seen(t, 80, 40, "y\n", nil, teardown...); !strings.Contains(out, "is torn down, with 1 task") {
		t.Errorf("who says yes:\n%s", out)
	}
	written := testcluster.Meseta(t, "run", "--master", c.Master.Address, "--name", "rude", "--", "printf", `\033[2J\033[31mred\033[0m`)
	if written.Stdout != "\x1b[2J\x1b[31mred\x1b[0m" {
		t.Errorf("run: %+v", written)
	}
	if out := seen(t, 80, 40, "", nil, "logs", "rude", "--master", c.Master.Address); !strings.Contains(out, "\\x1b[2J\x1b[31mred\x1b[0m") {
		t.Errorf("logs on a terminal:\n%q", out)
	}
	if r := testcluster.Meseta(t, "logs", "rude", "--master", c.Master.Address); r.Stdout != "\x1b[2J\x1b[31mred\x1b[0m" {
		t.Errorf("logs in a pipe: %+v", r)
	}

	var rows []struct{ State string }
	list := testcluster.Meseta(t, "tasks", "--all", "-o", "json", "--master", c.Master.Address)
	if err := json.Unmarshal([]byte(list.Stdout), &rows); err != nil || len(rows) != 2 {
		t.Errorf("tasks: %v, %+v", err, list)
	}
}
