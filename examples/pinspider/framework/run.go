package framework

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/meseta/meseta/scheduler"
)

// Run runs the framework until all its tasks have finished: it prints what the crawlers found to out and
// tells the log how it goes on. An error says why not all have finished; the end of ctx is such a
// reason. Whatever happens, nothing of the framework stays in the cluster.
func Run(ctx context.Context, cfg Config, out io.Writer, log *slog.Logger) error {
	cfg, err := cfg.complete()
	if err != nil {
		return fmt.Errorf("pinspider: %w", err)
	}
	server, err := listen(ctx, cfg.Listen, self, log)
	if err != nil {
		return fmt.Errorf("pinspider: %w", err)
	}
	var wg sync.WaitGroup
	wg.Go(server.run)
	defer wg.Wait()
	defer server.close()

	framework := newFramework(plan{
		urls:  cfg.URLs,
		tasks: cfg.Tasks,
		where: artifact{uri: server.uri, args: cfg.ExecutorArgs},
	}, out, log)
	driver, err := scheduler.NewDriver(framework, scheduler.Config{
		Masters:    cfg.Masters,
		Framework:  cfg.info(),
		Credential: cfg.Credential,
		Logger:     log.With("from", "driver"),
	})
	if err != nil {
		return fmt.Errorf("pinspider: %w", err)
	}
	status := drive(ctx, driver)
	if err := framework.outcome(status); err != nil {
		return fmt.Errorf("pinspider: %w", err)
	}
	return nil
}

// drive runs the driver to its end and then stops it, whatever the end was: only Stop(false) takes an
// aborted framework out of the cluster.
//
// Run is not told of ctx, whose end it would take for a failover and leave the tasks to a scheduler that comes after.
// None comes, so the framework is stopped instead. Join in place of Run would not do: it does not wait for the last
// callback, and that may be Error.
func drive(ctx context.Context, driver scheduler.Driver) scheduler.Status {
	unwatch := context.AfterFunc(ctx, func() {
		driver.Start() // or a Stop that comes before Run would do nothing
		driver.Stop(false)
	})
	defer unwatch()
	status := driver.Run(context.WithoutCancel(ctx))
	driver.Stop(false)
	return status
}
