package cli

import (
	"context"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/scheduler"
)

// RunOptions describe a command to run on the cluster.
type RunOptions struct {
	Client    *Client
	Name      string // default: the command's first word
	Command   []string
	CPUs      float64
	Mem       float64 // MiB
	Disk      float64 // MiB
	GPUs      float64
	Ports     int
	Env       []string      // NAME=VALUE
	URIs      []string      // as parseURI reads them
	Role      string        // default "*"
	User      string        // that runs it; default: who calls
	Instances int           // default 1
	Timeout   time.Duration // after which an instance is killed; 0 for never
	Notice    io.Writer     // hears of waits that take long; nil for silence
	Logger    *slog.Logger
}

// Run runs a command on the cluster, prints what it writes and returns its exit code: the command's own, 128
// and the signal's number if a signal ended it, or 124 if its time was up. Of several instances it is that of
// the first that failed. The end of ctx kills them all.
func Run(ctx context.Context, o RunOptions, stdout, stderr io.Writer) (int, error) {
	r, err := newRunner(o)
	if err != nil {
		return 0, err
	}
	client := o.Client
	if _, err := client.Call(ctx, masterpb.Call_GET_HEALTH); err != nil {
		return 0, err
	}
	config := scheduler.Config{Masters: []string{client.Master}, Framework: r.frameworkInfo(), Logger: o.Logger}
	if client.tracer != nil {
		config.Dial, config.Codec = client.tracer.Dial, scheduler.JSON
	}
	if r.driver, err = scheduler.NewDriver(r, config); err != nil {
		return 0, err
	}
	r.driver.Start()
	defer r.driver.Stop(false)

	outputs, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, outputs := errgroup.WithContext(outputs)
	out, errs := newPrefixer(stdout, len(r.instances)), newPrefixer(stderr, len(r.instances))
	for _, i := range r.instances {
		group.Go(func() error { return i.print(outputs, client, "stdout", out.of(i.number)) })
		group.Go(func() error { return i.print(outputs, client, "stderr", errs.of(i.number)) })
	}
	if o.Notice != nil {
		group.Go(func() error { r.sayWhatIsWaitedFor(outputs, client); return nil })
	}
	select {
	case <-r.ended:
	case <-outputs.Done(): // nobody reads what the tasks write
		r.kill()
	case <-ctx.Done():
		r.kill()
	}
	if !r.wait(killPatience) {
		stop()
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	r.sayWhoFailed()
	return r.exitCode()
}

// killPatience is how long the end of a killed task is waited for: longer than any usual grace period.
const killPatience = 15 * time.Second
