// Command pinspider is the example framework as a program of its own: the scheduler, both executors and
// the site to try it on.
//
//	pinspider --master HOST:PORT [--tasks 5] URL…
//	pinspider site [ADDRESS]
//
// The executors are this binary too: the scheduler serves itself to the agents, which call it as
// "pinspider-executor executor profile" and "… board".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/meseta/meseta/examples/pinspider/crawler"
	"github.com/meseta/meseta/examples/pinspider/framework"
	"github.com/meseta/meseta/examples/pinspider/site"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	switch {
	case len(args) == 2 && args[0] == "executor":
		kind, err := crawler.ParseKind(args[1])
		if err != nil {
			return err
		}
		return crawler.Run(ctx, kind, log)
	case len(args) > 0 && args[0] == "site":
		address := append(args[1:], "127.0.0.1:8000")[0]
		return site.Run(ctx, address, func(at net.Addr) {
			for _, path := range site.Paths() {
				fmt.Fprintf(stdout, "http://%s%s\n", at, path)
			}
		})
	}
	cfg, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	return framework.Run(ctx, cfg, stdout, log)
}

// parse reads flags and environment.
func parse(args []string, stderr io.Writer) (framework.Config, error) {
	cfg := framework.Config{ExecutorArgs: []string{"executor"}}
	flags := flag.NewFlagSet("pinspider", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: pinspider --master HOST:PORT [--tasks 5] URL…\n       pinspider site [ADDRESS]")
		flags.PrintDefaults()
	}
	master := flags.String("master", "", "address of the master as HOST:PORT, or of several with commas")
	flags.IntVar(&cfg.Tasks, "tasks", 5, "how many tasks to run; two read one URL")
	flags.StringVar(&cfg.Listen, "listen", "127.0.0.1:0", "address at which agents get the executors")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if *master != "" {
		cfg.Masters = strings.Split(*master, ",")
	}
	cfg.URLs = flags.Args()
	return cfg, cfg.ReadEnvironment(os.LookupEnv)
}
