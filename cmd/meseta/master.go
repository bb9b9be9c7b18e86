package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meseta/meseta/internal/endpoint"
	"github.com/meseta/meseta/internal/master"
	"github.com/meseta/meseta/internal/settings"
)

func newMaster() *cobra.Command {
	config := master.Defaults()
	cmd := &cobra.Command{
		Use:     "master",
		GroupID: "cluster",
		Short:   "Run a master",
		Long: "Run a master: it knows the agents of a cluster and offers their resources to frameworks.\n" +
			"It listens on loopback unless --ip says otherwise.",
		Example: "  meseta master --work-dir /var/lib/meseta/master\n  meseta master --ip 10.0.0.1 --port 5050 --work-dir /data/master",
		Args:    cobra.NoArgs,
	}
	reach := settings.NewGroup(cmd.Flags(), "Where it is reached")
	reach.IP(&config.IP, "ip", "where to listen; 0.0.0.0 is all of this machine's addresses")
	reach.Port(&config.Port, "port", "where to listen; -1 picks a free one")
	addReached(reach, &config.Reached)

	data := settings.NewGroup(cmd.Flags(), "What it keeps")
	config.WorkDir = defaultWorkDir("master")
	data.Directory(&config.WorkDir, "work-dir", "where the registry is", documentedWorkDir("master"))
	data.Count(&config.MaxCompletedFrames, "max-completed-frameworks", "ended frameworks that are remembered")
	data.Count(&config.MaxCompletedTasks, "max-completed-tasks-per-framework", "ended tasks that are remembered of each framework")

	agents := settings.NewGroup(cmd.Flags(), "When an agent is given up")
	agents.Duration(&config.AgentPingTimeout, "agent-ping-timeout", "silence that counts as a missed ping")
	agents.Count(&config.MaxAgentPingTimeouts, "max-agent-ping-timeouts", "missed pings after which an agent is lost")
	agents.Duration(&config.AgentReregister, "agent-reregister-timeout", "time for agents to come back after a failover of the master")
	agents.Rate(&config.AgentRemovalPause, "agent-removal-rate-limit", "how fast agents are given up")
	agents.Percent(&config.AgentRemovalLimit, "agent-removal-limit", "share of the agents that may be away; while there are more, none is given up (from eleven agents on)")

	bounds := settings.NewGroup(cmd.Flags(), "Bounds")
	bounds.Size(&config.MaxCallBytes, "max-call-size", "largest body of a call")

	config.Level = takeSettings(cmd, settings.Master)
	ready := addReadyFD(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config.Ready, config.Release = announce(*ready), release
		config.Flags = settingsByName(cmd)
		return master.Run(cmd.Context(), config, newLogger(cmd, config.Level))
	}
	return cmd
}

// settingsByName are the settings of a daemon as Mesos would name them.
func settingsByName(cmd *cobra.Command) map[string]string {
	all := make(map[string]string)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" && f.Name != "version" {
			all[strings.ReplaceAll(f.Name, "-", "_")] = f.Value.String()
		}
	})
	return all
}

// addReached adds what master and agent alike are told of where others reach them.
func addReached(g *settings.Group, s *endpoint.Settings) {
	g.Text(&s.Hostname, "hostname", "NAME", "what others are told (default: the address)")
	g.Switch(&s.Lookup, "hostname-lookup", "ask DNS for the name of the address, if no name is given")
	g.IP(&s.AdvertiseIP, "advertise-ip", "what others are told, behind NAT or in a container (default: --ip)")
	g.Port(&s.AdvertisePort, "advertise-port", "what others are told (default: --port)")
}
