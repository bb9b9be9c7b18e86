package storm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

// storm is a cluster, a framework on it, and what happens to them.
type storm struct {
	t         *testing.T
	dir       string
	cluster   *testcluster.Cluster
	cables    []*cable // from the agents to the master
	framework *exec.Cmd
	said      *os.File // of the framework
	gone      chan struct{}
}

func TestNothingIsLostWhateverIsKilled(t *testing.T) {
	s := start(t)
	blows := map[string]func(){
		"kill master":       func() { s.strike(s.cluster.Master) },
		"kill agent":        func() { s.strike(s.anyAgent()) },
		"kill framework":    s.killFramework,
		"kill supervisor":   func() { s.killOne("supervisor") },
		"kill executor":     func() { s.killOne("executor") },
		"freeze master":     func() { s.freeze(s.cluster.Master.PID()) },
		"freeze agent":      func() { s.freeze(s.anyAgent().PID()) },
		"freeze framework":  func() { s.freeze(s.framework.Process.Pid) },
		"freeze supervisor": func() { s.freezeOne("supervisor") },
		"pull cable":        func() { s.cables[rand.IntN(len(s.cables))].pull(rand.N(6 * time.Second)) },
		"freeze executor":   func() { s.freezeOne("executor") },
	}
	var order []string
	for name := range blows {
		order = append(order, slices.Repeat([]string{name}, *each)...)
	}
	rand.Shuffle(len(order), func(i, k int) { order[i], order[k] = order[k], order[i] })
	for _, name := range order {
		time.Sleep(rand.N(800 * time.Millisecond)) // the moments are to be any
		t.Log(time.Now().Format("15:04:05.000"), name)
		blows[name]()
		if t.Failed() {
			return
		}
	}
	s.calm()
	tasks, ends := judge(t, s.dir)
	t.Logf("%d blows, %d tasks: %v", len(order), tasks, ends)
	if tasks < tasksAtOnce || ends["TASK_FINISHED "] == 0 || ends["TASK_FAILED "] == 0 {
		t.Errorf("%d tasks ran, of which some have to finish and some to fail by themselves", tasks)
	}
	s.leavesNothing()
}

func start(t *testing.T) *storm {
	s := &storm{t: t}
	// The processes of the cluster can be told by the directory in their environment.
	mark, err := os.MkdirTemp("", "storm-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(mark) })
	if err := os.MkdirAll(filepath.Join(mark, "traces"), 0o777); err != nil {
		t.Fatal(err)
	}
	s.dir = mark
	t.Setenv(dirVariable, mark)
	s.cluster = testcluster.Start(t, testcluster.Options{
		Agents:      2,
		AgentFlags:  []string{"--resources=cpus:64;mem:8192;disk:4096"},
		MasterFlags: []string{"--agent-ping-timeout=1secs", "--max-agent-ping-timeouts=3"},
		Way: func(master string) string {
			s.cables = append(s.cables, newCable(t, master))
			return s.cables[len(s.cables)-1].address()
		},
	})
	s.said, err = os.Create(filepath.Join(mark, "framework.log"))
	if err != nil {
		t.Fatal(err)
	}
	s.startFramework()
	t.Cleanup(func() {
		s.framework.Process.Kill()
		<-s.gone
		s.said.Close()
		if t.Failed() {
			text, _ := os.ReadFile(s.said.Name())
			t.Logf("the framework said:\n%s", bytes.TrimSpace(text))
		}
	})
	testcluster.Eventually(t, "many tasks run", func() bool { return s.running() > tasksAtOnce/2 })
	return s
}

func (s *storm) startFramework() {
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd, gone := exec.Command(self), make(chan struct{})
	cmd.Env = append(os.Environ(), roleVariable+"=framework", masterVariable+"="+s.cluster.Master.Address)
	cmd.Stdout, cmd.Stderr = s.said, s.said
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(gone)
		cmd.Wait()
	}()
	s.framework, s.gone = cmd, gone
}

// running is how many tasks have begun and not come to their end.
func (s *storm) running() (n int) {
	files, err := filepath.Glob(filepath.Join(s.dir, "traces", "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && !bytes.Contains(text, []byte("end")) {
			n++
		}
	}
	return n
}

func (s *storm) anyAgent() *testcluster.Process {
	return s.cluster.Agents[rand.IntN(len(s.cluster.Agents))]
}

// strike kills a process of the cluster, which comes back a while later.
func (s *storm) strike(p *testcluster.Process) {
	p.Kill()
	time.Sleep(rand.N(time.Second))
	s.cluster.Restart(p)
}

func (s *storm) killFramework() {
	s.framework.Process.Kill()
	<-s.gone
	time.Sleep(rand.N(time.Second))
	s.startFramework()
}

func (s *storm) freeze(pid int) {
	syscall.Kill(pid, syscall.SIGSTOP)
	time.Sleep(rand.N(2 * time.Second))
	syscall.Kill(pid, syscall.SIGCONT)
}

func (s *storm) killOne(kind string) {
	if pid := s.anyOf(kind); pid != 0 {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

func (s *storm) freezeOne(kind string) {
	if pid := s.anyOf(kind); pid != 0 {
		s.freeze(pid)
	}
}

// anyOf finds a supervisor or an executor of this test, 0 if there is none right now.
func (s *storm) anyOf(kind string) int {
	var found []int
	all := s.processes()
	for pid, p := range all {
		// A child of a supervisor looks like one until it has become a task's program.
		supervisor := p.isSupervisor() && !all[p.parent].isSupervisor()
		if kind == "executor" && p.isExecutor() || kind == "supervisor" && supervisor {
			found = append(found, pid)
		}
	}
	if len(found) == 0 {
		return 0
	}
	return found[rand.IntN(len(found))]
}

// process is what /proc says of one.
type process struct {
	parent        int
	args, environ []string
}

func (p process) isExecutor() bool { return slices.Contains(p.environ, roleVariable+"=executor") }

func (p process) isSupervisor() bool { return len(p.args) > 1 && p.args[1] == "supervisor" }

// processes are those of this test: its directory is in their environment.
func (s *storm) processes() map[int]process {
	all := make(map[int]process)
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		environ, err := os.ReadFile(dir + "/environ")
		if err != nil || pid == os.Getpid() || !strings.Contains(string(environ), dirVariable+"="+s.dir) {
			continue
		}
		args, _ := os.ReadFile(dir + "/cmdline")
		stat, _ := os.ReadFile(dir + "/stat")
		var parent int
		if _, rest, ok := strings.Cut(string(stat), ") "); ok {
			fmt.Sscanf(rest, "%s %d", new(string), &parent)
		}
		all[pid] = process{parent: parent, args: strings.Split(string(args), "\x00"), environ: strings.Split(string(environ), "\x00")}
	}
	return all
}

// calm ends the storm: no more tasks, and the framework ends when all have ended.
func (s *storm) calm() {
	if err := os.WriteFile(filepath.Join(s.dir, "enough"), nil, 0o644); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.gone:
	case <-time.After(2 * time.Minute):
		s.t.Fatal("two minutes later the framework still waits for tasks")
	}
	if !s.framework.ProcessState.Success() {
		s.t.Fatalf("the framework: %v", s.framework.ProcessState)
	}
}

// leavesNothing ends the cluster and looks for what is left of it.
func (s *storm) leavesNothing() {
	for _, p := range append(s.cluster.Agents, s.cluster.Master) {
		if files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID())); err != nil || len(files) > 64 {
			s.t.Errorf("%s holds %d files at the end (%v)", p.Name, len(files), err)
		}
	}
	for _, p := range append(s.cluster.Agents, s.cluster.Master) {
		p.Stop()
	}
	testcluster.Eventually(s.t, "all processes are gone", func() bool { return len(s.processes()) == 0 })
	for _, agent := range s.cluster.Agents {
		for _, dir := range s.cluster.Cgroups(agent) {
			if _, err := os.Stat(dir); !os.IsNotExist(err) {
				s.t.Errorf("the cgroup %s is left: %v", dir, err)
			}
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		s.t.Fatal(err)
	}
	if strings.Contains(string(mounts), s.cluster.Dir()) {
		s.t.Errorf("mounts are left below %s", s.cluster.Dir())
	}
}
