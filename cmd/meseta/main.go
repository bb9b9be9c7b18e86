// Command meseta is the whole of Meseta in one binary: master, agent, supervisor, and the command line
// to work with them. A file of this directory is a subcommand: it turns flags into a configuration and
// runs it; what happens then is elsewhere.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/meseta/meseta/internal/container/supervisor"
)

// asMesos are the names under which the binary stands in for daemons of Mesos, so that their unit files
// go on with links in place of programs.
var asMesos = map[string]string{"mesos-master": "master", "mesos-agent": "agent", "mesos-slave": "agent"}

// arguments are what the program was called with, without its name.
func arguments(args []string) []string {
	if command, ok := asMesos[filepath.Base(args[0])]; ok {
		return append([]string{command}, args[1:]...)
	}
	return args[1:]
}

func main() {
	if supervisor.Wanted(os.Args) { // before anything else is built: it has to stay small
		os.Exit(supervisor.Main(os.Args[2:], os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, arguments(os.Args), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
