package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/cli"
)

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
	registerFormats(cmd)
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
