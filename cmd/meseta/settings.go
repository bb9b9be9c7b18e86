package main

import (
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meseta/meseta/internal/settings"
)

// takeSettings lets a daemon's flags, all of which are defined, be set in its environment and in a file
// too, and accepts what of Mesos means nothing here. It gives the level of the daemon's log.
func takeSettings(cmd *cobra.Command, daemon settings.Daemon) *slog.LevelVar {
	var file string
	level := new(slog.LevelVar)
	settings.NewGroup(cmd.Flags(), "What it says").Level(level, "logging-level", "least of what is logged: DEBUG, INFO, WARNING or ERROR")
	places := settings.NewGroup(cmd.Flags(), "Settings from elsewhere")
	places.Text(&file, "config", "PATH", "file of lines 'name = value', or directory with a file for each setting")
	settings.Take(cmd.Flags(), daemon)
	cmd.Flags().Bool("version", false, "print the version")
	cmd.Version = release
	cmd.SetVersionTemplate("meseta {{.Version}}\n")
	cmd.SetUsageFunc(usage)
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		report, err := settings.Resolve(cmd.Flags(), settings.Sources{
			Command: cmd.CommandPath(), Environ: os.Environ(), Elsewhere: meansSomething, File: &file})
		log := newLogger(cmd, level)
		for _, w := range report.Warnings {
			log.Warn(w)
		}
		if err != nil {
			return err
		}
		var given []any
		for _, g := range report.Given {
			given = append(given, slog.String(g.Name, g.Value+" ("+g.Place+")"))
		}
		if len(given) > 0 {
			log.Info("settings that differ from the defaults", given...)
		}
		return nil
	}
	return level
}

// usage is what help says of a daemon after its description: its flags are many, so they are in groups.
func usage(cmd *cobra.Command) error {
	cmd.Printf("Usage:\n  %s\n\nExamples:\n%s\n\n%s\n", cmd.UseLine(), cmd.Example, settings.Help(cmd.Flags()))
	cmd.Printf("Every setting can also be a variable, such as MESETA_WORK_DIR or MESOS_WORK_DIR, or stand in\n" +
		"the file that --config names. Names of Mesos' settings are understood.\n")
	return nil
}

// meansSomething tells of variables MESETA_NAME that are no mistake, whatever daemon finds them: settings
// of others, and what the command line and containers have.
func meansSomething(name string) bool {
	known := []string{"CONTAINER", "SUPERVISOR"}
	for _, daemon := range []*cobra.Command{newMaster(), newAgent()} {
		daemon.Flags().VisitAll(func(f *pflag.Flag) {
			known = append(known, strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")))
		})
	}
	return slices.Contains(known, name)
}
