package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/cli"
)

func newTasks() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tasks",
		GroupID: "work",
		Short:   "List tasks",
		Example: "  meseta tasks\n  meseta tasks --all -o json",
		Args:    cobra.NoArgs,
	}
	master, format := addMaster(cmd), addFormat(cmd)
	all := cmd.Flags().BoolP("all", "a", false, "also those that ended")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return cli.NewClient(*master).Tasks(cmd.Context(), cmd.OutOrStdout(), *format, *all)
	}
	return cmd
}

func newAgents() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "agents",
		GroupID: "work",
		Short:   "List agents",
		Example: "  meseta agents\n  meseta agents -o wide",
		Args:    cobra.NoArgs,
	}
	master, format := addMaster(cmd), addFormat(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return cli.NewClient(*master).Agents(cmd.Context(), cmd.OutOrStdout(), *format)
	}
	return cmd
}

func newFrameworks() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "frameworks",
		GroupID: "work",
		Short:   "List frameworks",
		Example: "  meseta frameworks\n  meseta frameworks --all -o json",
		Args:    cobra.NoArgs,
	}
	master, format := addMaster(cmd), addFormat(cmd)
	all := cmd.Flags().BoolP("all", "a", false, "also those that ended")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return cli.NewClient(*master).Frameworks(cmd.Context(), cmd.OutOrStdout(), *format, *all)
	}
	return cmd
}

func newLogs() *cobra.Command {
	var options cli.LogOptions
	cmd := &cobra.Command{
		Use:     "logs TASK",
		GroupID: "work",
		Short:   "Print what a task wrote",
		Long:    "Print what a task wrote. TASK is the task's id or the beginning of it, as far as it names one.",
		Example: "  meseta logs task-1\n  meseta logs -f task-1\n  meseta logs --stderr task-1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("logs: %d tasks named, expected one; list them with: meseta tasks --all", len(args))
			}
			return nil
		},
	}
	master := addMaster(cmd)
	cmd.Flags().BoolVarP(&options.Follow, "follow", "f", false, "go on printing until the task ends")
	cmd.Flags().BoolVar(&options.Stderr, "stderr", false, "print stderr in place of stdout")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		options.Note = cmd.ErrOrStderr()
		return cli.NewClient(*master).Logs(cmd.Context(), cmd.OutOrStdout(), args[0], options)
	}
	return cmd
}
