package main

import (
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/cli"
	"github.com/meseta/meseta/internal/settings"
)

// client is what the flags say of whom to ask, and how.
type client struct {
	cmd    *cobra.Command
	master *string
	trace  bool
}

// addClient adds the flags of every command that asks a master.
func addClient(cmd *cobra.Command) *client {
	c := &client{cmd: cmd, master: addMaster(cmd)}
	cmd.Flags().BoolVar(&c.trace, "trace", false, "show on stderr what is sent and received, without secrets")
	return c
}

func (c *client) new() *cli.Client {
	asks := cli.NewClient(*c.master)
	asks.UserAgent = userAgent()
	if c.trace {
		asks.Trace(cli.NewTracer(c.cmd.ErrOrStderr()))
	}
	return asks
}

// userAgent says who calls, as far as that can be believed.
func userAgent() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("meseta/%s (%s@%s)", release, name, host)
}

// screen is where the command prints.
func (c *client) screen() *cli.Screen {
	return cli.NewScreen(c.cmd.InOrStdin(), c.cmd.OutOrStdout(), c.cmd.ErrOrStderr(), os.Getenv)
}

// addList adds the flags of every command that lists.
func addList(cmd *cobra.Command) *cli.ListOptions {
	o := &cli.ListOptions{Format: cli.Table}
	f := cmd.Flags()
	f.VarP(&o.Format, "output", "o", "print a table, wide or json")
	settings.Duration(f, &o.Watch, "watch", "list again and again, this often")
	f.Lookup("watch").NoOptDefVal = "2s"
	registerFormats(cmd)
	return o
}

func registerFormats(cmd *cobra.Command) {
	formats := []cobra.Completion{"table", "wide", "json"}
	if err := cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
}

// completed lets the shell complete the command's arguments with what there is, most of them if several are
// taken.
func (c *client) completed(names cli.Names, several bool) {
	c.cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return c.completions(names, args, typed, several), cobra.ShellCompDirectiveNoFileComp
	}
}

func (c *client) completions(names cli.Names, args []string, typed string, several bool) (found []cobra.Completion) {
	if len(args) > 0 && !several {
		return nil
	}
	taken := make(map[string]bool)
	for _, a := range args {
		taken[a] = true
	}
	for _, n := range names(c.cmd.Context(), c.new()) {
		if strings.HasPrefix(n[0], typed) && !taken[n[0]] {
			found = append(found, cobra.CompletionWithDesc(n[0], n[1]))
		}
	}
	return found
}

// completedFlag lets the shell complete a flag's value with what there is.
func (c *client) completedFlag(flag string, names cli.Names) {
	err := c.cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return c.completions(names, nil, typed, false), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // there is no such flag
	}
}

// one demands one argument, and says how to find it.
func one(noun, list string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s: %d %ss named, expected one; list them with: %s", cmd.Name(), len(args), noun, list)
		}
		return nil
	}
}

// none demands that there are no arguments, and says what else might have been meant.
func none(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if sub := cmd.SuggestionsFor(args[0]); len(sub) > 0 {
		return fmt.Errorf("%s: there is no %q; did you mean: %s %s", cmd.CommandPath(), args[0], cmd.CommandPath(), sub[0])
	}
	return fmt.Errorf("%s: %q: expected no argument; see: %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
}
