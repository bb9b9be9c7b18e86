package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/meseta/meseta/internal/cli"
	"github.com/meseta/meseta/internal/duration"
)

func newRun() *cobra.Command {
	var options cli.RunOptions
	var detach bool
	cmd := &cobra.Command{
		Use:     "run [flags] -- COMMAND [ARGUMENT…]",
		GroupID: "work",
		Short:   "Run a command on the cluster",
		Long: "Run a command on some agent, print what it writes, and exit with its exit code.\n" +
			"Ctrl-C kills it. With --detach it goes on without you, even if the master or the agent\n" +
			"is restarted: its id is printed, for meseta tasks, meseta logs and meseta kill.",
		Example: "  meseta run -- echo hello\n" +
			"  meseta run --cpus 2 --mem 1024 -- make -j2\n" +
			"  meseta run --ports 1 -- sh -c 'python3 -m http.server $PORT'\n" +
			"  meseta run --uri https://example.org/tool.tar.gz,cache=true --env LEVEL=3 -- ./tool\n" +
			"  meseta run --instances 3 --timeout 10m -- ./work\n" +
			"  meseta logs -f $(meseta run --detach -- ./work)\n" +
			"  meseta run -- sh -c 'exit 3'; echo $?",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("run: no command, expected one behind --, as in: meseta run -- echo hello")
			}
			return nil
		},
	}
	c := addClient(cmd)
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.Float64Var(&options.CPUs, "cpus", 0.1, "cpus to ask for")
	f.Float64Var(&options.Mem, "mem", 32, "memory to ask for, in MiB")
	f.Float64Var(&options.Disk, "disk", 0, "disk to ask for, in MiB")
	f.Float64Var(&options.GPUs, "gpus", 0, "gpus to ask for")
	f.IntVar(&options.Ports, "ports", 0, "ports to ask for; the command finds them in PORT0, PORT1, …, PORTS and PORT")
	f.StringVar(&options.Name, "name", "", "name of the task (default: the command)")
	f.StringArrayVarP(&options.Env, "env", "e", nil, "NAME=VALUE for the command's environment (repeatable)")
	f.StringArrayVar(&options.URIs, "uri", nil, "what to fetch first: URI[,extract=BOOL][,executable=BOOL][,cache=BOOL][,output=NAME] (repeatable)")
	f.StringVar(&options.Role, "role", "", "role whose resources to use (default *)")
	f.StringVar(&options.User, "user", "", "user to run as (default: you)")
	f.BoolVarP(&detach, "detach", "d", false, "do not wait for it: print the id of the task and return")
	f.IntVar(&options.Instances, "instances", 1, "how many times to run it at once")
	f.Var((*durationFlag)(&options.Timeout), "timeout", "kill it after this long, as in 90s or 15mins, and exit with 124")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		options.Client, options.Command = c.new(), args
		if options.Instances < 1 {
			return fmt.Errorf("instances %d: expected at least 1", options.Instances)
		}
		if detach {
			return cli.Detach(cmd.Context(), options, cmd.OutOrStdout())
		}
		if term.IsTerminal(int(os.Stderr.Fd())) {
			options.Notice = cmd.ErrOrStderr()
		}
		code, err := cli.Run(cmd.Context(), options, cmd.OutOrStdout(), cmd.ErrOrStderr())
		if err != nil || code == 0 {
			return err
		}
		return exitCode(code)
	}
	return cmd
}

// durationFlag reads a duration in Go's syntax ("90s") or in Mesos' ("15mins").
type durationFlag time.Duration

func (d *durationFlag) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil {
		v, err = duration.Parse(s)
	}
	if err == nil && v <= 0 {
		err = fmt.Errorf("duration %q: expected a positive one", s)
	}
	*d = durationFlag(v)
	return err
}

func (d *durationFlag) String() string {
	if *d == 0 {
		return ""
	}
	return duration.Format(time.Duration(*d))
}

func (d *durationFlag) Type() string { return "duration" }
