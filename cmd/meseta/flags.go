package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meseta/meseta/internal/cli"
	"github.com/meseta/meseta/internal/duration"
)

// durationFlag reads a duration in Mesos' syntax ("15secs") or in Go's.
type durationFlag time.Duration

func (d *durationFlag) Set(s string) error {
	v, err := duration.Parse(s)
	if goes, otherErr := time.ParseDuration(s); err != nil && otherErr == nil {
		v, err = goes, nil
	}
	if err == nil && v < 0 {
		err = fmt.Errorf("duration %q: expected no negative one", s)
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

// addDuration adds a flag for a duration; zero stands for the default that the help names.
func addDuration(f *pflag.FlagSet, d *time.Duration, name, usage string) {
	f.Var((*durationFlag)(d), name, usage)
}

// addMaster adds the flag that says which master to ask.
func addMaster(cmd *cobra.Command) *string {
	address := os.Getenv("MESETA_MASTER")
	if address == "" {
		address = "127.0.0.1:5050"
	}
	return cmd.Flags().String("master", address, "master to ask, HOST:PORT (or MESETA_MASTER)")
}

// addFormat adds the flag that says how to print.
func addFormat(cmd *cobra.Command) *cli.Format {
	format := new(cli.Format)
	*format = cli.Table
	cmd.Flags().VarP(format, "output", "o", "print a table, wide or json")
	return format
}

// addReadyFD adds the hidden flag by which a parent process learns the address that is served.
func addReadyFD(cmd *cobra.Command) *int {
	fd := cmd.Flags().Int("ready-fd", 0, "write the address that is served to this file descriptor")
	if err := cmd.Flags().MarkHidden("ready-fd"); err != nil {
		panic(err)
	}
	return fd
}

// announce returns a function that tells an address to the parent process; nil if there is none.
func announce(fd int) func(string) {
	if fd <= 0 {
		return nil
	}
	return func(address string) {
		f := os.NewFile(uintptr(fd), "ready-fd")
		fmt.Fprintln(f, address)
		f.Close()
	}
}
