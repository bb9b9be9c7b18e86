package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/meseta/meseta/internal/cli"
)

func newRun() *cobra.Command {
	var options cli.RunOptions
	cmd := &cobra.Command{
		Use:     "run [flags] -- COMMAND [ARGUMENT…]",
		GroupID: "work",
		Short:   "Run a command on the cluster",
		Long: "Run a command on some agent, print what it writes, and exit with its exit code.\n" +
			"Ctrl-C kills it.",
		Example: "  meseta run -- echo hello\n  meseta run --cpus 2 --mem 1024 -- make -j2\n  meseta run -- sh -c 'exit 3'; echo $?",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("run: no command, expected one behind --, as in: meseta run -- echo hello")
			}
			return nil
		},
	}
	master := addMaster(cmd)
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.Float64Var(&options.CPUs, "cpus", 0.1, "cpus to ask for")
	f.Float64Var(&options.Mem, "mem", 32, "memory to ask for, in MiB")
	f.Float64Var(&options.Disk, "disk", 0, "disk to ask for, in MiB")
	f.StringVar(&options.Name, "name", "", "name of the task (default: the command)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		options.Master, options.Command = *master, args
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
