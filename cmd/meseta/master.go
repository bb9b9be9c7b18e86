package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/master"
)

func newMaster() *cobra.Command {
	var config master.Config
	cmd := &cobra.Command{
		Use:     "master",
		GroupID: "cluster",
		Short:   "Run a master",
		Long: "Run a master: it knows the agents of a cluster and offers their resources to frameworks.\n" +
			"It listens on loopback unless --ip says otherwise.",
		Example: "  meseta master --work-dir /var/lib/meseta/master\n  meseta master --ip 10.0.0.1 --port 5050 --work-dir /data/master",
		Args:    cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&config.IP, "ip", "127.0.0.1", "address to listen on")
	f.IntVar(&config.Port, "port", 5050, "port to listen on; -1 picks a free one")
	f.StringVar(&config.Hostname, "hostname", "", "name that clients are told (default: the address)")
	f.StringVar(&config.WorkDir, "work-dir", defaultWorkDir("master"), "directory for the registry")
	addDuration(f, &config.AgentPingTimeout, "agent-ping-timeout", "silence of an agent that counts as a missed ping (default 15secs)")
	f.IntVar(&config.MaxAgentPingTimeouts, "max-agent-ping-timeouts", 5, "missed pings after which an agent is lost")
	addDuration(f, &config.AgentReregister, "agent-reregister-timeout", "time for agents to come back after a failover of the master (default 10mins)")
	f.IntVar(&config.MaxCompletedTasks, "max-completed-tasks-per-framework", 1000, "ended tasks that are remembered of a framework")
	f.IntVar(&config.MaxCompletedFrames, "max-completed-frameworks", 50, "ended frameworks that are remembered")
	takeSettings(cmd, joined(ignoredByAll, ignoredByMaster))
	ready := addReadyFD(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config.Ready, config.Release = announce(*ready), release
		return master.Run(cmd.Context(), config, newLogger(cmd, slog.LevelInfo))
	}
	return cmd
}
