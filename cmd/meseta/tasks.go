package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/cli"
	"github.com/meseta/meseta/internal/settings"
)

func newTasks() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tasks",
		GroupID: "work",
		Short:   "List tasks, or show one",
		Example: "  meseta tasks\n  meseta tasks --watch\n  meseta tasks --all -o json",
		Args:    none,
	}
	c, o := addClient(cmd), addList(cmd)
	cmd.Flags().BoolVarP(&o.All, "all", "a", false, "also those that ended")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.new().Tasks(cmd.Context(), c.screen(), *o)
	}
	cmd.AddCommand(newTasksShow())
	return cmd
}

func newTasksShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show TASK",
		Short:   "Show all there is to say about a task",
		Long:    "Show all there is to say about a task. TASK is its id or name, or the beginning of its id.",
		Example: "  meseta tasks show run-3f2a\n  meseta tasks show run-3f2a -o json",
		Args:    one("task", "meseta tasks --all"),
	}
	c, format := addClient(cmd), addFormat(cmd)
	c.completed(cli.AllTasks, false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.new().ShowTask(cmd.Context(), c.screen(), *format, args[0])
	}
	return cmd
}

func newLogs() *cobra.Command {
	var options cli.LogOptions
	cmd := &cobra.Command{
		Use:     "logs TASK",
		GroupID: "work",
		Short:   "Print what a task wrote",
		Long: "Print what a task wrote. TASK is its id or name, or the beginning of its id.\n" +
			"On a terminal, what would steer it is written out; colours pass.",
		Example: "  meseta logs task-1\n  meseta logs -f task-1\n  meseta logs --stderr task-1",
		Args:    one("task", "meseta tasks --all"),
	}
	c := addClient(cmd)
	c.completed(cli.AllTasks, false)
	f := cmd.Flags()
	f.BoolVarP(&options.Follow, "follow", "f", false, "go on printing until the task ends")
	f.BoolVar(&options.Stderr, "stderr", false, "print stderr in place of stdout")
	f.BoolVar(&options.Raw, "raw", false, "print it as it was written, on a terminal too")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.new().Logs(cmd.Context(), c.screen(), args[0], options)
	}
	return cmd
}

func newKill() *cobra.Command {
	var options cli.KillOptions
	var grace time.Duration
	cmd := &cobra.Command{
		Use:     "kill TASK…",
		GroupID: "work",
		Short:   "Kill tasks, whoever's they are, and wait for their end",
		Long: "Kill tasks, whoever's they are, and wait for their end. TASK is a task's id or\n" +
			"name, or the beginning of its id. Their schedulers hear of it as of kills of\n" +
			"their own; the master's log tells who did it.",
		Example: "  meseta kill run-3f2a\n  meseta kill --no-wait task-1 task-2\n  meseta kill --grace 1m web",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("kill: no task named, expected at least one; list them with: meseta tasks")
			}
			return nil
		},
	}
	c := addClient(cmd)
	c.completed(cli.LiveTasks, true)
	f := cmd.Flags()
	f.BoolVar(&options.NoWait, "no-wait", false, "do not wait until the tasks have ended")
	settings.Duration(f, &grace, "grace", "how long they may take to end by themselves, in place of their own time")
	f.StringVar(&options.Framework, "framework", "", "whose tasks are meant: a framework's id or name, or the beginning of its id")
	c.completedFlag("framework", cli.LiveFrameworks)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.Changed("grace") {
			options.Grace = &grace
		}
		return c.new().Kill(cmd.Context(), c.screen(), args, options)
	}
	return cmd
}
