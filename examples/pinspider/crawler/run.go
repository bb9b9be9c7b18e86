package crawler

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/meseta/meseta/executor"
)

// Run is the whole executor: it reads the environment that the agent gave it, and crawls until the
// agent, or ctx, ends it. Any other end is an error.
func Run(ctx context.Context, kind Kind, log *slog.Logger) error {
	crawler := New(kind, &http.Client{Timeout: PageTimeout}, log)
	driver, err := executor.NewDriver(crawler, executor.Config{Logger: log})
	if err != nil {
		return fmt.Errorf("%s executor: %w", kind, err)
	}
	status := driver.Run(ctx)
	crawler.stop()
	if status != executor.Stopped {
		return fmt.Errorf("%s executor: %v: %v", kind, status, driver.Err())
	}
	return nil
}
