package main

import (
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/agent"
)

func newAgent() *cobra.Command {
	var config agent.Config
	cmd := &cobra.Command{
		Use:     "agent",
		GroupID: "cluster",
		Short:   "Run an agent",
		Long: "Run an agent: it gives this machine's resources to a cluster and runs the tasks it is sent.\n" +
			"Tasks outlive it: an agent that is started again takes them over.",
		Example: "  meseta agent --master 127.0.0.1:5050\n" +
			"  meseta agent --master m1:5050,m2:5050 --resources 'cpus:8;mem:8192;disk:10000' --attributes 'rack:r1'",
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	masters := f.String("master", "127.0.0.1:5050", "masters, HOST:PORT[,HOST:PORT…]")
	f.StringVar(&config.IP, "ip", "127.0.0.1", "address to listen on")
	f.IntVar(&config.Port, "port", 5051, "port to listen on; -1 picks a free one")
	f.StringVar(&config.Hostname, "hostname", "", "name that clients are told (default: the address)")
	f.StringVar(&config.WorkDir, "work-dir", defaultWorkDir("agent"), "directory for sandboxes and the agent's log")
	f.StringVar(&config.Resources, "resources", "", "resources to offer, such as 'cpus:8;mem:8192;disk:10000' (default: what is found)")
	f.StringVar(&config.Attributes, "attributes", "", "attributes, such as 'rack:r1;zone:eu'")
	addDuration(f, &config.ExecutorRegistrationTimeout, "executor-registration-timeout", "time for an executor to subscribe (default 1mins)")
	addDuration(f, &config.ExecutorReregistrationTimeout, "executor-reregistration-timeout", "time for executors to come back after a restart (default 15secs)")
	addDuration(f, &config.ExecutorShutdownGracePeriod, "executor-shutdown-grace-period", "time for an executor to end in order (default 5secs)")
	addDuration(f, &config.GCDelay, "gc-delay", "how long sandboxes of ended tasks stay at the most (default 1weeks)")
	config.GCDiskHeadroom = f.Float64("gc-disk-headroom", 0.1, "part of the disk to keep free: sandboxes stay the shorter the fuller it is")
	addDuration(f, &config.DiskWatchInterval, "disk-watch-interval", "how often to look for sandboxes to remove (default 1mins)")
	addDuration(f, &config.ContainerDiskWatchInterval, "container-disk-watch-interval", "how often to measure sandboxes (default 15secs)")
	enforceDisk := f.Bool("enforce-container-disk-quota", true, "end containers that take more than the disk they asked for")
	f.BoolVar(&config.KillTasksOnStop, "end-tasks-on-stop", false, "end all tasks and the supervisor when the agent is stopped")
	takeSettings(cmd, joined(ignoredByAll, ignoredByAgent))
	ready := addReadyFD(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config.Masters = strings.Split(*masters, ",")
		config.IgnoreDiskQuota = !*enforceDisk
		config.Ready, config.Release = announce(*ready), release
		return agent.Run(cmd.Context(), config, newLogger(cmd, slog.LevelInfo))
	}
	return cmd
}
