package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a process may take to start or stop.
const patience = 20 * time.Second

// slots is how many tasks the agent's resources hold. Each takes one cpu, which costs nothing.
const slots = 1024

// cluster is a master and an agent with its supervisor, as processes of their own.
type cluster struct {
	master, agent *process
	supervisor    int // pid
}

// startCluster starts them; the agent may register a moment later.
func startCluster(ctx context.Context, p plan) (c *cluster, err error) {
	dir, err := os.MkdirTemp(p.dir, "cluster-")
	if err != nil {
		return nil, err
	}
	c = new(cluster)
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	if c.master, err = start(ctx, p.binary, dir, "master"); err != nil {
		return nil, err
	}
	c.agent, err = start(ctx, p.binary, dir, "agent", "--master="+c.master.address, "--end-tasks-on-stop", "--isolation="+p.isolation,
		fmt.Sprintf("--resources=cpus:%d;mem:%d;disk:%d", slots, slots*32, slots))
	if err != nil {
		return nil, err
	}
	c.supervisor, err = childOf(c.agent.cmd.Process.Pid)
	return c, err
}

func (c *cluster) stop() {
	for _, p := range []*process{c.agent, c.master} {
		if p != nil {
			p.stop()
		}
	}
}

// pids are those of master, agent and supervisor.
func (c *cluster) pids() [3]int {
	return [3]int{c.master.cmd.Process.Pid, c.agent.cmd.Process.Pid, c.supervisor}
}

// process is a subcommand of meseta that serves an address.
type process struct {
	name    string
	address string
	log     string
	cmd     *exec.Cmd
	done    chan struct{}
}

func start(ctx context.Context, binary, dir, name string, flags ...string) (*process, error) {
	told, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer told.Close()
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	output, err := os.Create(p.log)
	if err != nil {
		tell.Close()
		return nil, err
	}
	p.cmd = exec.Command(binary, append([]string{name, "--port=-1", "--work-dir=" + filepath.Join(dir, name), "--ready-fd=3"}, flags...)...)
	p.cmd.Stdout, p.cmd.Stderr = output, output
	p.cmd.ExtraFiles = []*os.File{tell}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us: we stop our parts in order
	err = p.cmd.Start()
	tell.Close()
	output.Close()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		p.cmd.Wait()
	}()
	guard := context.AfterFunc(ctx, func() { told.SetReadDeadline(time.Now()) })
	defer guard()
	told.SetReadDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(told).ReadString('\n')
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s did not start: %w: %s", name, err, p.lastWords())
	}
	p.address = strings.TrimSpace(line)
	return p, nil
}

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.done
	}
}

// lastWords is the end of what a process said.
func (p *process) lastWords() string {
	f, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		f.Seek(max(0, end-2000), io.SeekStart)
	}
	b, _ := io.ReadAll(f)
	return strings.TrimSpace(string(b))
}

// build makes the binary as `make build` does.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "meseta")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "github.com/meseta/meseta/cmd/meseta")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// workDir makes a directory for everything, on a disk that makes durable what it is told to.
func workDir(parent string) (dir string, cleanUp func(), err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(parent, &fs); err != nil {
		return "", nil, fmt.Errorf("%s: %w", parent, err)
	}
	if fs.Type == unix.TMPFS_MAGIC || fs.Type == unix.RAMFS_MAGIC {
		return "", nil, fmt.Errorf("%s is in memory, where fsync costs nothing: choose a directory on a disk with -dir", parent)
	}
	if parent, err = filepath.Abs(parent); err != nil {
		return "", nil, err
	}
	if dir, err = os.MkdirTemp(parent, ".bench-"); err != nil {
		return "", nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	spread(dir)
	return dir, func() { os.RemoveAll(dir) }, nil
}

// spread asks ext4 to put the directories below dir far apart. Without it every cluster would find the inodes
// that an earlier run has deleted, which ext4 does not use again for five minutes, but looks at one by one.
func spread(dir string) {
	const topDir = 0x20000 // FS_TOPDIR_FL
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	defer f.Close()
	if flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS); err == nil {
		unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags|topDir)
	}
}
