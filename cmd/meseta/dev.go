package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/meseta/meseta/internal/agent"
	"github.com/meseta/meseta/internal/master"
)

func newDev() *cobra.Command {
	var port, agentPort int
	var workDir, resources string
	cmd := &cobra.Command{
		Use:     "dev",
		GroupID: "cluster",
		Short:   "Run a whole cluster on this machine",
		Long: "Run a master and an agent, on loopback. Ctrl-C ends them and their tasks.\n" +
			"The cluster's data stays in the work directory.",
		Example: "  meseta dev\n  meseta dev --resources 'cpus:4;mem:4096;disk:10000'",
		Args:    cobra.NoArgs,
	}
	f := cmd.Flags()
	f.IntVar(&port, "port", 5050, "the master's port; -1 picks a free one")
	f.IntVar(&agentPort, "agent-port", 5051, "the agent's port; -1 picks a free one")
	f.StringVar(&workDir, "work-dir", defaultWorkDir("dev"), "directory for the cluster's data")
	f.StringVar(&resources, "resources", "", "the agent's resources (default: what is found)")
	verbose := f.BoolP("verbose", "v", false, "log what the daemons do")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		level := slog.LevelWarn
		if *verbose {
			level = slog.LevelInfo
		}
		log := newLogger(cmd, level)
		masters, mastersEnd := context.WithCancel(context.WithoutCancel(cmd.Context()))
		defer mastersEnd()
		group, ctx := errgroup.WithContext(cmd.Context())
		address := make(chan string, 1)
		group.Go(func() error {
			return master.Run(masters, master.Config{Port: port, WorkDir: filepath.Join(workDir, "master"), Release: release,
				Ready: func(a string) { address <- a }}, log)
		})
		group.Go(func() error {
			defer mastersEnd() // the master stays until the agent has ended its tasks
			select {
			case a := <-address:
				return agent.Run(ctx, agent.Config{Masters: []string{a}, Port: agentPort, Resources: resources,
					WorkDir: filepath.Join(workDir, "agent"), Release: release, KillTasksOnStop: true,
					Ready: func(agent string) { greet(cmd, a, agent) }}, log)
			case <-ctx.Done():
				return nil
			}
		})
		return group.Wait()
	}
	return cmd
}

func greet(cmd *cobra.Command, master, agent string) {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "master  http://%s\nagent   http://%s\n\n", master, agent)
	flag := ""
	if master != "127.0.0.1:5050" {
		flag = " --master " + master
	}
	fmt.Fprintf(out, "Try, in another terminal:\n\n  meseta run%s -- echo hello\n  meseta agents%s\n\nCtrl-C ends the cluster.\n", flag, flag)
}
