package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meseta/meseta/internal/settings"
)

// run is the program: it runs one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(stderr, "meseta: %v\n", err)
	return 1
}

// exitCode ends the program with a code and without a further word.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "meseta",
		Short: "A cluster manager: resource offers, Mesos' APIs, one binary",
		Long: "Meseta shares the machines of a cluster between frameworks by resource offers.\n" +
			"It speaks the v1 HTTP APIs of Apache Mesos.",
		Example:       "  meseta dev                       # a whole cluster on this machine\n  meseta run -- echo hello         # run a command on it",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddGroup(
		&cobra.Group{ID: "cluster", Title: "Run a cluster:"},
		&cobra.Group{ID: "work", Title: "Work with it:"},
	)
	root.AddCommand(
		newMaster(), newAgent(), newDev(), newDemo(), newSpark(),
		newRun(), newTasks(), newLogs(), newKill(), newAgents(), newFrameworks(), newOffers(), newEvents(),
		newPinspider(), newPinspiderExecutor(), newPinspiderSite(), newVersion(), newSettingsTables(),
	)
	explainBuiltins(root)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages |", "Flags.FlagUsagesWrapped 80 |"))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return settings.Refusal(cmd.CommandPath(), cmd.Flags(), err)
	})
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	return root
}

// explainBuiltins adds examples to the commands that every command line of this kind has.
func explainBuiltins(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	examples := map[string]string{
		"help":       "  meseta help\n  meseta help run",
		"completion": "  meseta completion bash >/etc/bash_completion.d/meseta",
		"bash":       "  source <(meseta completion bash)",
		"zsh":        "  meseta completion zsh >\"${fpath[1]}/_meseta\"",
		"fish":       "  meseta completion fish >~/.config/fish/completions/meseta.fish",
		"powershell": "  meseta completion powershell | Out-String | Invoke-Expression",
	}
	for _, cmd := range root.Commands() {
		for _, one := range append(cmd.Commands(), cmd) {
			if one.Example == "" {
				one.Example = examples[one.Name()]
			}
		}
	}
}

// newLogger logs for people to stderr.
func newLogger(cmd *cobra.Command, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
}

// documentedWorkDir is what documentation says of defaultWorkDir.
func documentedWorkDir(name string) string {
	return fmt.Sprintf("`/var/lib/meseta/%s`, or `~/.local/share/meseta/%[1]s` if not root", name)
}

// defaultWorkDir is where a daemon keeps its data unless told otherwise: a directory of the user.
func defaultWorkDir(name string) string {
	if os.Geteuid() == 0 {
		return "/var/lib/meseta/" + name
	}
	if dir, err := os.UserHomeDir(); err == nil {
		return dir + "/.local/share/meseta/" + name
	}
	return "meseta-" + name
}
