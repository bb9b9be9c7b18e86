package main

import (
	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/cli"
)

func newFrameworks() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "frameworks",
		GroupID: "work",
		Short:   "List frameworks, show one, or end one",
		Example: "  meseta frameworks\n  meseta frameworks --all -o json",
		Args:    none,
	}
	c, o := addClient(cmd), addList(cmd)
	cmd.Flags().BoolVarP(&o.All, "all", "a", false, "also those that ended")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.new().Frameworks(cmd.Context(), c.screen(), *o)
	}
	cmd.AddCommand(newFrameworksShow(), newFrameworksTeardown())
	return cmd
}

func newFrameworksShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show FRAMEWORK",
		Short: "Show all there is to say about a framework",
		Long: "Show all there is to say about a framework. FRAMEWORK is its id or name, or the\n" +
			"beginning of its id.",
		Example: "  meseta frameworks show marathon\n  meseta frameworks show 3d3a24a8…-0001 -o json",
		Args:    one("framework", "meseta frameworks --all"),
	}
	c, format := addClient(cmd), addFormat(cmd)
	c.completed(cli.AllFrameworks, false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.new().ShowFramework(cmd.Context(), c.screen(), *format, args[0])
	}
	return cmd
}

func newFrameworksTeardown() *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use:   "teardown FRAMEWORK",
		Short: "End a framework and all its tasks, for good",
		Long: "End a framework and all its tasks, for good: its id cannot be used again.\n" +
			"FRAMEWORK is its id or name, or the beginning of its id. On a terminal it asks\n" +
			"first.",
		Example: "  meseta frameworks teardown marathon\n  meseta frameworks teardown --yes 3d3a24a8…-0001",
		Args:    one("framework", "meseta frameworks"),
	}
	c := addClient(cmd)
	c.completed(cli.LiveFrameworks, false)
	cmd.Flags().BoolVarP(&sure, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.new().Teardown(cmd.Context(), c.screen(), args[0], sure)
	}
	return cmd
}
