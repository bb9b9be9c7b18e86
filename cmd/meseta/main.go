// Command meseta is the whole of Meseta in one binary: master, agent, supervisor, and the command line
// to work with them. A file of this directory is a subcommand: it turns flags into a configuration and
// runs it; what happens then is elsewhere.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/meseta/meseta/internal/container/supervisor"
)

func main() {
	if supervisor.Wanted(os.Args) { // before anything else is built: it has to stay small
		os.Exit(supervisor.Main(os.Args[2:], os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
