package spark

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is something that runs until it is stopped, with its log in a file.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error // after done
}

// run starts a process, with variables over those of the test. It is gone when the test ends.
func run(t *testing.T, dir, name string, env []string, args ...string) *process {
	t.Helper()
	log, err := os.CreateTemp(dir, strings.ReplaceAll(name, " ", "-")+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p := &process{name: name, log: log.Name(), done: make(chan struct{}), cmd: exec.Command(args[0], args[1:]...)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			text := p.said()
			t.Logf("%s:\n%s", name, text[max(0, len(text)-6000):])
		}
	})
	return p
}

// said is what is in the log.
func (p *process) said() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends it without a word.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// stop ends it in order, or else by force.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.kill()
	}
}

// patience is how long anything may take, on a machine that has other things to do.
const patience = 4 * time.Minute

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("waited %v until %s", patience, what)
		}
	}
}

// wait waits for the end, and gives what was said.
func (p *process) wait(t *testing.T) (string, error) {
	t.Helper()
	return p.waitFor(t, patience)
}

func (p *process) waitFor(t *testing.T, limit time.Duration) (string, error) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		t.Fatalf("%s has not ended in %v", p.name, limit)
	}
	return p.said(), p.err
}

// do runs something to its end.
func do(t *testing.T, dir string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// costs is the memory that a process has and the CPU time that it has used, for the log.
func (p *process) costs(t *testing.T) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rss, _ := strings.Cut(string(status), "VmRSS:")
	rss, _, _ = strings.Cut(rss, "\n")
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ticks := atoi(t, fields[11]) + atoi(t, fields[12]) // of 10 ms
	return fmt.Sprintf("%s: %s, CPU %v", p.name, strings.TrimSpace(rss), time.Duration(ticks)*10*time.Millisecond)
}

// processesIn finds the processes that work in directories of a pattern.
func processesIn(t *testing.T, pattern string) (pids []int) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		dir, err := os.Readlink(link)
		if err != nil {
			continue // it has just ended
		}
		if ok, err := filepath.Match(pattern, dir); err != nil {
			t.Fatal(err)
		} else if ok {
			pids = append(pids, atoi(t, strings.Split(link, "/")[2]))
		}
	}
	return pids
}

// killIn kills what works in directories of a pattern, when there is something.
func killIn(t *testing.T, pattern string) {
	t.Helper()
	var pids []int
	until(t, "something runs in "+pattern, func() bool {
		pids = processesIn(t, pattern)
		return len(pids) > 0
	})
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
}
