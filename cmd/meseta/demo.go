package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/examples/pinspider/site"
	"github.com/meseta/meseta/internal/demo"
)

func newDemo() *cobra.Command {
	var options demo.Options
	cmd := &cobra.Command{
		Use:     "demo [URL…]",
		GroupID: "cluster",
		Short:   "Watch a whole cluster do its work",
		Long: "Start a master, an agent and a small web site, let the example framework crawl the site, print\n" +
			"what it found as JSON, and stop everything. Nothing is left behind.",
		Example: "  meseta demo\n  meseta demo | jq '.profiles[].name'\n  meseta demo http://127.0.0.1:8080/somebody",
	}
	cmd.Flags().IntVar(&options.Tasks, "tasks", 0, "tasks to launch (default: two for each URL)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		options.Self, options.URLs, options.Paths = self, args, site.Paths()
		return demo.Run(cmd.Context(), options, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}
