package demo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stopPatience is how long a process may take to end when asked to.
const stopPatience = 15 * time.Second

// process is a part of the demonstration that runs until it is stopped.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string // file with what it says
	done chan struct{}
	err  error // of Wait; valid once done is closed
}

// start runs a subcommand of this binary that serves an address, and waits until it tells which.
func (d *demo) start(ctx context.Context, name string, args ...string) (p *process, address string, err error) {
	told, tell, err := os.Pipe()
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	defer told.Close()
	p = &process{name: name, log: filepath.Join(d.dir, name+".log"), done: make(chan struct{})}
	output, err := os.Create(p.log)
	if err != nil {
		tell.Close()
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	p.cmd = exec.Command(d.self, append(args, "--ready-fd=3")...)
	p.cmd.Stdout, p.cmd.Stderr = output, output
	p.cmd.ExtraFiles = []*os.File{tell}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us: we stop our parts in order
	err = p.cmd.Start()
	tell.Close()
	output.Close()
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	guard := context.AfterFunc(ctx, func() { told.SetReadDeadline(time.Now()) })
	defer guard()
	line, err := bufio.NewReader(told).ReadString('\n')
	if err != nil {
		p.stop()
		if ctx.Err() != nil {
			return nil, "", context.Cause(ctx)
		}
		return nil, "", fmt.Errorf("%s did not start: %s", name, p.lastWords())
	}
	return p, strings.TrimSpace(line), nil
}

// stop asks a process to end, and insists.
func (p *process) stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-time.After(stopPatience):
		p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not stop within %s and was killed", p.name, stopPatience)
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
