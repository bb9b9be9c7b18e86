// Package testcluster runs real clusters for tests: the binary, its processes, real sockets. A cluster
// lives in a temporary directory and is gone when its test is; what its processes said is printed when
// the test failed.
package testcluster

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/cli"
)

// patience is how long anything in a test cluster may take that normally takes no time.
const patience = 30 * time.Second

// build makes the binary once for all tests of a process.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "meseta-test-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "meseta")
	out, err := exec.Command("go", "build", "-o", path, "github.com/meseta/meseta/cmd/meseta").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, os.Chmod(dir, 0o755)
})

// Binary is the path of the meseta binary, freshly built. Run removes it.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Run is for TestMain: it runs the tests and removes what Binary built.
func Run(m *testing.M) int {
	code := m.Run()
	if path, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	return code
}

// Options say what a cluster is made of.
type Options struct {
	Agents      int      // default 1
	MasterFlags []string // beside those that tell its directory and port
	AgentFlags  []string // likewise; resources are cpus:4;mem:2048;disk:4096 unless given here

	// Way, if set, gives the address at which an agent is to find the master of the one that is given.
	Way func(master string) string
}

// Cluster is a running cluster.
type Cluster struct {
	t      testing.TB
	dir    string
	Master *Process
	Agents []*Process
}

// Start starts a cluster and waits until its agents have registered.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c := &Cluster{t: t, dir: shortDir(t)}
	c.Master = c.start("master", append([]string{"master", "--port=-1", "--work-dir=" + c.dir + "/master"}, o.MasterFlags...))
	if !slices.ContainsFunc(o.AgentFlags, func(f string) bool { return strings.HasPrefix(f, "--resources=") }) {
		o.AgentFlags = append([]string{"--resources=cpus:4;mem:2048;disk:4096"}, o.AgentFlags...)
	}
	for n := range max(1, o.Agents) {
		name := fmt.Sprintf("agent-%d", n)
		master := c.Master.Address
		if o.Way != nil {
			master = o.Way(master)
		}
		flags := []string{"agent", "--master=" + master, "--port=-1", "--work-dir=" + c.dir + "/" + name,
			"--end-tasks-on-stop"}
		c.Agents = append(c.Agents, c.start(name, append(flags, o.AgentFlags...)))
	}
	Eventually(t, "agents register", func() bool {
		return len(c.Ask(masterpb.Call_GET_AGENTS).GetGetAgents().GetAgents()) == len(c.Agents)
	})
	return c
}

// shortDir is a temporary directory whose path is short enough for unix sockets and open to all users.
func shortDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "mst-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Dir is the cluster's temporary directory.
func (c *Cluster) Dir() string { return c.dir }

// Ask asks the master's operator API.
func (c *Cluster) Ask(call masterpb.Call_Type) *masterpb.Response {
	c.t.Helper()
	r, err := cli.NewClient(c.Master.Address).Call(c.t.Context(), call)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// Process is one process of the binary, and of those that take its place.
type Process struct {
	Name    string
	Address string // that it serves
	args    []string
	cmd     *exec.Cmd
	log     *os.File
	done    chan struct{}
}

func (c *Cluster) start(name string, args []string) *Process {
	c.t.Helper()
	log, err := os.OpenFile(c.LogOf(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	p := &Process{Name: name, args: args, log: log}
	c.t.Cleanup(func() {
		p.Stop()
		if c.t.Failed() {
			text, _ := os.ReadFile(log.Name())
			c.t.Logf("%s said:\n%s", name, bytes.TrimSpace(text))
		}
		log.Close()
	})
	c.run(p)
	return p
}

// tracking finds where supervisors keep their cgroups, in what agents say.
var tracking = regexp.MustCompile(`tracking="cgroup v[12] ([^"]+)"`)

// Cgroups are those in which the supervisors of an agent have tracked containers, one for each supervisor that it
// has started; none where there are no cgroups to be had.
func (c *Cluster) Cgroups(agent *Process) (dirs []string) {
	c.t.Helper()
	said, err := os.ReadFile(c.LogOf(agent.Name))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, found := range tracking.FindAllStringSubmatch(string(said), -1) {
		dirs = append(dirs, found[1])
	}
	return dirs
}

// LogOf is the file with what a process says.
func (c *Cluster) LogOf(name string) string { return filepath.Join(c.dir, name+".log") }

// run starts the process and waits until it serves.
func (c *Cluster) run(p *Process) {
	c.t.Helper()
	told, tell, err := os.Pipe()
	if err != nil {
		c.t.Fatal(err)
	}
	defer told.Close()
	cmd, done := exec.Command(Binary(c.t), append(p.args, "--ready-fd=3")...), make(chan struct{})
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = p.log, p.log, []*os.File{tell}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	tell.Close()
	go func() {
		defer close(done)
		cmd.Wait()
	}()
	p.cmd, p.done = cmd, done
	told.SetReadDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(told).ReadString('\n')
	if err != nil {
		c.t.Fatalf("%s did not tell its address: %v", p.Name, err)
	}
	p.Address = strings.TrimSpace(line)
}

// Restart starts a process again that has ended, with the same arguments and the same address.
func (c *Cluster) Restart(p *Process) {
	c.t.Helper()
	_, port, err := net.SplitHostPort(p.Address)
	if err != nil {
		c.t.Fatal(err)
	}
	for i, arg := range p.args {
		if arg == "--port=-1" {
			p.args[i] = "--port=" + port
		}
	}
	c.run(p)
}

// Again kills processes as kill -9 does, all before the first of them is started once more.
func (c *Cluster) Again(all ...*Process) {
	c.t.Helper()
	for _, p := range all {
		p.Kill()
	}
	for _, p := range all {
		c.Restart(p)
	}
}

// Stop ends a process in order and waits for it.
func (p *Process) Stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.Kill()
	}
}

// Kill ends a process as kill -9 does and waits for it.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Result is how a command ended.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Meseta runs the binary with arguments and waits for it.
func Meseta(t testing.TB, args ...string) Result {
	t.Helper()
	return Begin(t, args...).Wait()
}

// Command is a running command of the binary.
type Command struct {
	t              testing.TB
	cmd            *exec.Cmd
	cancel         context.CancelFunc
	stdout, stderr growing
}

// Begin runs the binary with arguments and does not wait for it.
func Begin(t testing.TB, args ...string) *Command {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	c := &Command{t: t, cmd: exec.CommandContext(ctx, Binary(t), args...), cancel: cancel}
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = patience
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// Interrupt does what Ctrl-C does.
func (c *Command) Interrupt() { c.cmd.Process.Signal(syscall.SIGINT) }

// Stdout is what it has written so far.
func (c *Command) Stdout() string { return c.stdout.String() }

// Wait waits for the end.
func (c *Command) Wait() Result {
	c.t.Helper()
	defer c.cancel()
	if err := c.cmd.Wait(); err != nil && c.cmd.ProcessState == nil {
		c.t.Fatal(err)
	}
	return Result{c.stdout.String(), c.stderr.String(), c.cmd.ProcessState.ExitCode()}
}

// growing is an output that can be looked at while it is written.
type growing struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (g *growing) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(b)
}

func (g *growing) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.String()
}

// Eventually waits until a condition holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %s in vain until: %s", patience, what)
		}
	}
}

// Get fetches a URL's body from a process.
func (p *Process) Get(path string) (*http.Response, error) {
	return http.Get("http://" + p.Address + path)
}
