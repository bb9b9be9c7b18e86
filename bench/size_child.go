package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
)

// This program is also its own floors: started with a word in its environment, it is the least that could be
// in the place of a daemon or an executor.
var children = map[string]func(){
	"wait":     func() { time.Sleep(time.Hour) },
	"nothing":  func() {},
	"hold":     func() { serve(hold) },
	"empty":    func() { serve(empty) },
	"executor": beExecutor,
}

// serve serves every path on a free port of loopback, and tells its address.
func serve(handle http.HandlerFunc) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	fmt.Println(l.Addr())
	fail(http.Serve(l, handle))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

// hold answers with one chunk and keeps the response open.
func hold(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Write([]byte(`{"framework_id":{"value":"none"}}`))
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// empty reads a call and takes it, whatever it is.
func empty(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusAccepted)
}

// beExecutor is an executor whose tasks end as soon as they have begun, and which ends with the first of them.
func beExecutor() {
	d, err := executor.NewDriver(atOnce{}, executor.Config{})
	if err != nil {
		fail(err)
	}
	d.Run(context.Background())
}

type atOnce struct{ executor.Base }

func (atOnce) LaunchTask(d executor.Driver, t *mesos.TaskInfo) {
	for _, state := range []mesos.TaskState{mesos.TaskState_TASK_RUNNING, mesos.TaskState_TASK_FINISHED} {
		d.SendStatusUpdate(&mesos.TaskStatus{TaskId: t.TaskId, State: &state})
	}
	go d.Stop()
}

// child is this program in one of its other parts.
type child struct {
	cmd     *exec.Cmd
	address string // of those that serve
}

func startChild(ctx context.Context, part string, environ ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.CommandContext(ctx, self)}
	c.cmd.Env = append(append(os.Environ(), childVariable+"="+part), environ...)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if part == "hold" || part == "empty" {
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			c.stop()
			return nil, fmt.Errorf("the child that is to serve: %w", err)
		}
		c.address = strings.TrimSpace(line)
	}
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) stop() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}
