package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/settings"
)

// newSettingsTables is what "make generate" makes docs/configuration.md with: it prints one of the tables
// that stand there.
func newSettingsTables() *cobra.Command {
	return &cobra.Command{
		Use:     "settings-tables master|agent [ignored|refused]",
		Short:   "Print a table of docs/configuration.md",
		Example: "  meseta settings-tables agent ignored",
		Hidden:  true,
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			daemon := map[string]func() *cobra.Command{"master": newMaster, "agent": newAgent}[args[0]]
			if daemon == nil {
				return fmt.Errorf("settings-tables: %q: expected master or agent", args[0])
			}
			out, flags := cmd.OutOrStdout(), daemon().Flags()
			switch strings.Join(args[1:], "") {
			case "":
				settings.WriteTables(out, flags)
			case "ignored", "refused":
				settings.WriteForeigns(out, flags, settings.Daemon(args[0]), args[1] == "refused")
			default:
				return fmt.Errorf("settings-tables: %q: expected ignored or refused", args[1])
			}
			return nil
		},
	}
}
