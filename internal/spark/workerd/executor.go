package workerd

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/worker"
)

// runExecutor runs an executor until it ends or ctx does, and tells of it.
func (d *daemon) runExecutor(ctx context.Context, id worker.ExecutorID, launch deploy.LaunchExecutor) {
	tell := func(state deploy.ExecutorState, message *string, code *int) {
		d.in.put(worker.ExecutorChanged{ID: id, State: state, Message: message, ExitStatus: code})
	}
	argv, environ, dir, err := d.prepareExecutor(id, launch)
	if err != nil {
		tell(deploy.ExecutorFailed, new(err.Error()), nil)
		return
	}
	code, err := run(ctx, argv, environ, dir, "Spark Executor Command", terminateTimeout, func() {
		tell(deploy.ExecutorRunning, nil, nil)
	})
	switch {
	case err != nil:
		tell(deploy.ExecutorFailed, new("Error running executor: "+err.Error()), nil)
	case ctx.Err() != nil:
		tell(deploy.ExecutorKilled, new(fmt.Sprintf("Runner thread for executor %v interrupted", id)), &code)
	default:
		tell(deploy.ExecutorExited, new(fmt.Sprintf("Command exited with code %d", code)), &code)
	}
}

// prepareExecutor makes the directories of an executor and its command line.
func (d *daemon) prepareExecutor(id worker.ExecutorID, launch deploy.LaunchExecutor) (argv, environ []string, dir string, err error) {
	dir, err = d.inWorkDir(id.App, itoa(id.Exec))
	if err != nil {
		return nil, nil, "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, nil, "", err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, nil, "", fmt.Errorf("failed to create directory of executor %v: %w", id, err)
	}
	local, err := d.scratch.application(id.App)
	if err != nil {
		return nil, nil, "", err
	}
	cmd := launch.App.Command
	logs := fmt.Sprintf("%s/logPage/?appId=%s&executorId=%d&logType=", d.webUI, id.App, id.Exec)
	environ = d.cfg.environment(cmd, map[string]string{
		"SPARK_EXECUTOR_DIRS":     local,
		"SPARK_LAUNCH_WITH_SCALA": "0",
		"SPARK_LOG_URL_STDERR":    logs + "stderr",
		"SPARK_LOG_URL_STDOUT":    logs + "stdout",
	})
	placeholders := map[string]string{
		"{{WORKER_URL}}":          d.self.String(),
		"{{EXECUTOR_ID}}":         itoa(id.Exec),
		"{{HOSTNAME}}":            d.cfg.Host,
		"{{CORES}}":               itoa(launch.Cores),
		"{{APP_ID}}":              id.App,
		"{{RESOURCE_PROFILE_ID}}": itoa(launch.RPID),
	}
	inOpts := map[string]string{"{{APP_ID}}": id.App, "{{EXECUTOR_ID}}": itoa(id.Exec)}
	argv = slices.Concat(d.cfg.commandLine(cmd, launch.Memory), d.cfg.javaOpts(cmd, inOpts), []string{cmd.MainClass}, substitute(cmd.Arguments, placeholders))
	if len(launch.Resources) > 0 {
		file := filepath.Join(dir, "resource-executor.json")
		if err := writeResources(file, "spark.executor", launch.Resources); err != nil {
			return nil, nil, "", err
		}
		argv = append(argv, "--resourcesFile", file)
	}
	return argv, environ, dir, nil
}

// writeResources tells a process which custom resources it has.
func writeResources(path, component string, resources map[string]deploy.Resource) error {
	var all []allocation
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		a := allocation{Addresses: resources[name].Addresses}
		a.ID.Component, a.ID.Resource = component, name
		all = append(all, a)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}
