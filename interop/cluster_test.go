package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that normally takes no time.
const patience = 30 * time.Second

// bin holds the binaries: meseta and the strangers.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "meseta-interop-"); err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(bin)
	if err := os.Chmod(bin, 0o755); err != nil { // tasks may run as anybody
		log.Fatal(err)
	}
	for _, args := range [][]string{
		{"build", "-C", "..", "-o", bin + "/", "./cmd/meseta"},
		{"build", "-o", bin + "/", "tool"},
	} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			log.Printf("go %s: %v\n%s", strings.Join(args, " "), err, out)
			return 1
		}
	}
	return m.Run()
}

// cluster is a master and agents of 4 CPUs, as real processes.
type cluster struct {
	master string // HOST:PORT
	dir    string
}

// start starts a cluster and waits until its agents have registered. It ends with the test.
func start(t *testing.T, agents int) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "msi-") // short, for unix sockets
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := &cluster{dir: dir}
	t.Cleanup(func() {
		for _, left := range c.running(t) {
			t.Errorf("still running: %s", left)
		}
		os.RemoveAll(dir)
	})
	c.master = c.process(t, "master")
	for n := range agents {
		c.process(t, "agent", fmt.Sprintf("agent-%d", n), "--master="+c.master, "--resources=cpus:4;mem:2048;disk:4096", "--end-tasks-on-stop")
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		var got struct {
			GetAgents struct{ Agents []any } `json:"get_agents"`
		}
		c.ask(t, "GET_AGENTS", &got)
		if len(got.GetAgents.Agents) == agents {
			return c
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d agents have registered in %s", len(got.GetAgents.Agents), agents, patience)
		}
	}
}

// process starts a daemon and gives the address that it serves.
func (c *cluster) process(t *testing.T, daemon string, flags ...string) string {
	t.Helper()
	name := daemon
	if len(flags) > 0 {
		name, flags = flags[0], flags[1:]
	}
	told, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	var said bytes.Buffer
	cmd := exec.Command(bin+"/meseta", append([]string{daemon, "--port=-1", "--ready-fd=3", "--work-dir=" + filepath.Join(c.dir, name)}, flags...)...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &said, &said, []*os.File{tell}
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tell.Close()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		overdue := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		defer overdue.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s ended with: %v", name, err)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, said.Bytes())
		}
	})
	told.SetReadDeadline(time.Now().Add(patience))
	address, err := bufio.NewReader(told).ReadString('\n')
	if err != nil {
		t.Fatalf("%s did not tell its address: %v", name, err)
	}
	return strings.TrimSpace(address)
}

// ask sends a call without arguments to the master's operator API.
func (c *cluster) ask(t *testing.T, call string, response any) {
	t.Helper()
	answer, err := http.Post("http://"+c.master+"/api/v1", "application/json", strings.NewReader(`{"type":"`+call+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", call, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(response); err != nil {
		t.Fatalf("%s: %v", call, err)
	}
}

// running finds the processes that work in the cluster's directory.
func (c *cluster) running(t *testing.T) (commands []string) {
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, c.dir+"/") {
			command, _ := os.ReadFile(filepath.Dir(link) + "/cmdline")
			commands = append(commands, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return commands
}
