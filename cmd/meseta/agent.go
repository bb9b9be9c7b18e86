package main

import (
	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/agent"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/settings"
)

func newAgent() *cobra.Command {
	config := agent.Defaults()
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
	reach := settings.NewGroup(cmd.Flags(), "Where it is reached, and whom it reaches")
	config.Masters = []string{"127.0.0.1:5050"}
	reach.HostPorts(&config.Masters, "master", "a master, or several with commas between")
	reach.IP(&config.IP, "ip", "where to listen; 0.0.0.0 is all of this machine's addresses")
	reach.Port(&config.Port, "port", "where to listen; -1 picks a free one")
	addReached(reach, &config.Reached)

	offers := settings.NewGroup(cmd.Flags(), "What it offers")
	offers.Checked(&config.Resources, "resources", "LIST", "such as 'cpus:8;mem:8192;disk:10000', mem and disk in MiB (default: what is found)", checkResources)
	offers.Checked(&config.DefaultRole, "default-role", "ROLE", "for which resources are reserved that name no role", checkRole)
	offers.Checked(&config.Attributes, "attributes", "LIST", "such as 'rack:r1;zone:eu'", checkAttributes)

	data := settings.NewGroup(cmd.Flags(), "What it keeps")
	config.WorkDir = defaultWorkDir("agent")
	data.Directory(&config.WorkDir, "work-dir", "where sandboxes and the agent's journal are", documentedWorkDir("agent"))
	data.Count(&config.MaxCompletedTasks, "max-completed-tasks", "ended tasks that are remembered")
	strict := true
	data.Switch(&strict, "strict", "refuse to start on a damaged journal; otherwise start on what is sound of it")

	fetcher := settings.NewGroup(cmd.Flags(), "What it fetches for tasks")
	fetcher.Text(&config.Fetcher.CacheDir, "fetcher-cache-dir", "DIRECTORY", "where the cache is (default: in the work directory)")
	fetcher.Size(&config.Fetcher.CacheBytes, "fetcher-cache-size", "up to which the cache grows")
	fetcher.Duration(&config.Fetcher.StallTimeout, "fetcher-stall-timeout", "time without a byte that ends a download")

	containers := settings.NewGroup(cmd.Flags(), "What containers may use")
	containers.Checked(&config.Isolation, "isolation", "LIST", "what containers are held to, and how they are kept apart", agent.CheckIsolation)
	containers.Switch(&config.EnableCFS, "cgroups-enable-cfs", "never more of the processors than was asked for, even when they are idle")
	containers.Switch(&config.LimitSwap, "cgroups-limit-swap", "count what is swapped out as memory")
	containers.Count(&config.MaxPIDs, "max-pids", "processes and threads of a container, with cgroups/pids")

	sandboxes := settings.NewGroup(cmd.Flags(), "Sandboxes and their disk")
	sandboxes.Duration(&config.GCDelay, "gc-delay", "how long sandboxes of what ended stay at the most")
	sandboxes.Fraction(config.GCDiskHeadroom, "gc-disk-headroom", "part of the disk to keep free: sandboxes stay for gc-delay × (1 − headroom − used)")
	sandboxes.Duration(&config.DiskWatchInterval, "disk-watch-interval", "how often to look for sandboxes to remove")
	sandboxes.Duration(&config.ContainerDiskWatchInterval, "container-disk-watch-interval", "how often to measure sandboxes")
	sandboxes.Size(&config.MaxOutputBytes, "max-output-size", "size of a container's stdout, and of its stderr, from which the beginning goes")
	enforceDisk := true
	sandboxes.Switch(&enforceDisk, "enforce-container-disk-quota", "end containers that take more than the disk they asked for")

	ends := settings.NewGroup(cmd.Flags(), "What runs, and its end")
	ends.Duration(&config.ExecutorRegistrationTimeout, "executor-registration-timeout", "time for an executor to subscribe")
	ends.Duration(&config.ExecutorReregistrationTimeout, "executor-reregistration-timeout", "time for executors to come back after a restart of the agent")
	ends.Duration(&config.RecoveryTimeout, "recovery-timeout", "time for which executors wait for the agent to come back")
	ends.Duration(&config.ExecutorShutdownGracePeriod, "executor-shutdown-grace-period", "time for an executor to end in order")
	switchUser := true
	ends.Switch(&switchUser, "switch-user", "if the agent is root, run tasks as the users that they ask for, and not all of them as root")
	ends.Variables(&config.ExecutorEnvironment, "executor-environment-variables", "variables for executors and tasks, such as {\"LANG\":\"C.UTF-8\"}")
	ends.Switch(&config.AuthenticateExecutors, "authenticate-http-executors", "give each executor a token, and ask for it with every call")
	ends.Switch(&config.KillTasksOnStop, "end-tasks-on-stop", "end all tasks and the supervisor when the agent is stopped")

	bounds := settings.NewGroup(cmd.Flags(), "Bounds")
	bounds.Size(&config.MaxCallBytes, "max-call-size", "largest body of a call")

	level := takeSettings(cmd, settings.Agent)
	ready := addReadyFD(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config.Salvage, config.IgnoreDiskQuota, config.KeepUser = !strict, !enforceDisk, !switchUser
		config.Ready, config.Release = announce(*ready), release
		return agent.Run(cmd.Context(), config, newLogger(cmd, level))
	}
	return cmd
}

func checkResources(text string) error {
	_, err := resources.Parse(text)
	return err
}

func checkRole(text string) error {
	if text == "*" {
		return nil
	}
	return ids.Role(text).Validate()
}

func checkAttributes(text string) error {
	_, err := resources.ParseAttributes(text)
	return err
}
