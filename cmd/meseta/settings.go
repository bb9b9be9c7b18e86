package main

import (
	"fmt"
	"log/slog"
	"maps"
	"os"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/settings"
)

// takeSettings lets a daemon's flags be set in its environment and in a file too, and accepts what of
// Mesos means nothing here.
func takeSettings(cmd *cobra.Command, ignored map[string]string) {
	file := cmd.Flags().String("config", "", "file with settings, a line \"name = value\" each")
	settings.Ignore(cmd.Flags(), ignored, switches...)
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		sources := settings.Sources{Lookup: os.LookupEnv}
		if *file != "" {
			f, err := os.Open(*file)
			if err != nil {
				return fmt.Errorf("--config: %w", err)
			}
			defer f.Close()
			sources.File, sources.FileName = f, *file
		}
		warnings, err := settings.Resolve(cmd.Flags(), sources)
		log := newLogger(cmd, slog.LevelInfo)
		for _, w := range warnings {
			log.Warn(w)
		}
		return err
	}
}

const (
	logsToStderr = "logs go to stderr"
	noZooKeeper  = "there is no ZooKeeper: masters remember and elect by themselves"
	notBuilt     = "authentication is not built yet"
	oneContainer = "there is one containerizer"
)

// ignoredByAll are settings of Mesos' master and agent alike.
var ignoredByAll = map[string]string{
	"log_dir": logsToStderr, "logging_level": logsToStderr, "quiet": logsToStderr, "logbufsecs": logsToStderr,
	"initialize_driver_logging": logsToStderr, "external_log_file": logsToStderr,
	"zk_session_timeout": noZooKeeper, "authentication_v0_timeout": notBuilt,
	"hooks": "there are no modules", "modules": "there are no modules", "modules_dir": "there are no modules",
	"version": "ask with: meseta version",
}

// switches are those of them that need no value.
var switches = []string{"quiet", "initialize_driver_logging", "version", "log_auto_initialize", "authenticate",
	"authenticate_agents", "authenticate_frameworks", "authenticate_http_frameworks", "authenticate_http_executors",
	"root_submissions", "strict", "switch_user", "http_command_executor"}

// ignoredByMaster are settings of Mesos' master.
var ignoredByMaster = map[string]string{
	"zk": noZooKeeper, "quorum": noZooKeeper, "registry": "the registry is always durable",
	"registry_fetch_timeout": noZooKeeper, "registry_store_timeout": noZooKeeper, "log_auto_initialize": noZooKeeper,
	"allocation_interval": "offers are made when something changes, not at intervals",
	"allocator":           "there is one allocator", "webui_dir": "there is no web interface yet",
	"authenticate": notBuilt, "authenticate_agents": notBuilt, "authenticate_frameworks": notBuilt,
	"authenticate_http_frameworks": notBuilt, "http_framework_authenticators": notBuilt, "credentials": notBuilt,
	"acls": notBuilt, "root_submissions": "frameworks may run tasks as root", "offer_timeout": "offers do not time out yet",
}

// ignoredByAgent are settings of Mesos' agent.
var ignoredByAgent = map[string]string{
	"containerizers": oneContainer, "launcher": oneContainer, "launcher_dir": oneContainer, "docker": oneContainer,
	"docker_socket": oneContainer, "executor_environment_variables": "not built yet", "recover": "an agent always recovers",
	"strict": "an agent always recovers what is sound", "switch_user": "tasks run as their framework's user when the agent is root",
	"authenticatee": notBuilt, "credential": notBuilt, "authenticate_http_executors": notBuilt,
	"perf_events": "not built yet", "hadoop_home": "HDFS is not fetched from", "frameworks_home": "relative URIs are refused",
	"http_command_executor": "commands need no executor",
}

func joined(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
