// Package demo shows a whole cluster at work: a master, an agent with its supervisor, a site to read
// and the framework that reads it, each a process of its own, in a temporary directory. When it
// returns, nothing of it is left.
package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options say how to run the demonstration.
type Options struct {
	Self  string   // path of the meseta binary
	URLs  []string // to crawl, in place of the sample site's
	Tasks int      // default: two for each URL
	Paths []string // of the sample site's users
}

// Result is what the framework brought home.
type Result struct {
	Profiles []json.RawMessage `json:"profiles"`
	Boards   []json.RawMessage `json:"boards"`
}

type demo struct {
	Options
	self string
	dir  string
	say  io.Writer // progress, for people
	out  io.Writer // the result
}

// Run runs the demonstration: progress goes to progress, the result as JSON to out. An error says why
// not all tasks finished.
func Run(ctx context.Context, o Options, out, progress io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "meseta-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demo{Options: o, self: o.Self, dir: dir, say: progress, out: out}
	if err := os.Chmod(dir, 0o755); err != nil { // tasks of other users look into it
		return fmt.Errorf("demo: %w", err)
	}
	return d.run(ctx)
}

func (d *demo) run(ctx context.Context) (err error) {
	began := time.Now()
	var parts []*process
	defer func() { // the last started is the first to stop
		for i := len(parts) - 1; i >= 0; i-- {
			if stopped := parts[i].stop(); stopped != nil && err == nil {
				err = fmt.Errorf("%s: %w\n%s", parts[i].name, stopped, parts[i].lastWords())
			}
		}
	}()
	part := func(name string, args ...string) (address string, err error) {
		p, address, err := d.start(ctx, name, args...)
		if err != nil {
			return "", err
		}
		parts = append(parts, p)
		d.progress("%-9s serves %s", name, address)
		return address, nil
	}
	master, err := part("master", "master", "--port=-1", "--work-dir="+d.dir+"/master")
	if err != nil {
		return err
	}
	if _, err = part("agent", "agent", "--master="+master, "--port=-1", "--work-dir="+d.dir+"/agent",
		"--resources=cpus:4;mem:1024;disk:1024;ports:[31000-32000]", "--end-tasks-on-stop"); err != nil {
		return err
	}
	urls := d.URLs
	if len(urls) == 0 {
		site, err := part("site", "pinspider-site")
		if err != nil {
			return err
		}
		for _, path := range d.Paths {
			urls = append(urls, "http://"+site+path)
		}
	}
	result, err := d.crawl(ctx, master, urls)
	if err != nil {
		return err
	}
	d.progress("%d profiles and %d boards in %s", len(result.Profiles), len(result.Boards), time.Since(began).Round(10*time.Millisecond))
	e := json.NewEncoder(d.out)
	e.SetIndent("", "  ")
	return e.Encode(result)
}

// crawl runs the framework and collects what it prints.
func (d *demo) crawl(ctx context.Context, master string, urls []string) (*Result, error) {
	tasks := d.Tasks
	if tasks == 0 {
		tasks = 2 * len(urls)
	}
	args := append([]string{"pinspider", "--master=" + master, "--tasks=" + strconv.Itoa(tasks)}, urls...)
	cmd := exec.CommandContext(ctx, d.self, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopPatience
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = d.say
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("pinspider: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("pinspider: %w", err)
	}
	result := &Result{Profiles: []json.RawMessage{}, Boards: []json.RawMessage{}}
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := lines.Text()
		if found, ok := strings.CutPrefix(line, "userprofile : "); ok {
			result.Profiles = append(result.Profiles, json.RawMessage(found))
			d.progress("profile   %.60s…", found)
		} else if found, ok := strings.CutPrefix(line, "userboard : "); ok {
			result.Boards = append(result.Boards, json.RawMessage(found))
			d.progress("boards    %.60s…", found)
		} else {
			fmt.Fprintln(d.say, line)
		}
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("pinspider: not all tasks finished: %w", err)
	}
	return result, nil
}

func (d *demo) progress(format string, args ...any) {
	fmt.Fprintf(d.say, format+"\n", args...)
}
