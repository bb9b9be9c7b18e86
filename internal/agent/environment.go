package agent

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/meseta/meseta/internal/duration"
	"github.com/meseta/meseta/internal/node"
)

// searchPath is the PATH of everything that runs, as Mesos gives it.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment gives the whole environment of a command or executor. What the command asks for itself wins.
func (a *agent) environment(spec node.StartContainer, sandbox string) []string {
	env := []string{
		"LIBPROCESS_IP=" + a.address.Addr().String(),
		"LIBPROCESS_PORT=0",
		"MESOS_AGENT_ENDPOINT=" + a.address.String(),
		"MESOS_CHECKPOINT=1",
		"MESOS_DIRECTORY=" + sandbox,
		"MESOS_EXECUTOR_ID=" + string(spec.Sandbox.Executor),
		"MESOS_FRAMEWORK_ID=" + string(spec.Sandbox.Framework),
		"MESOS_SANDBOX=" + sandbox,
		"MESOS_SLAVE_ID=" + string(spec.Sandbox.Agent),
		"MESOS_SLAVE_PID=slave(1)@" + a.address.String(),
		"PATH=" + cmp.Or(a.config.ExecutorEnvironment["PATH"], searchPath),
		"PWD=" + sandbox,
	}
	if spec.Task != "" {
		env = append(env, "MESOS_TASK_ID="+string(spec.Task))
	} else {
		env = append(env,
			"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD="+duration.Format(spec.Grace),
			"MESOS_HTTP_COMMAND_EXECUTOR=0",
			"MESOS_RECOVERY_TIMEOUT="+duration.Format(a.config.RecoveryTimeout),
			"MESOS_SUBSCRIPTION_BACKOFF_MAX=2secs")
	}
	if spec.Task == "" && a.tokens != nil {
		env = append(env, tokenVariable+"="+a.tokens.issue(spec.Sandbox))
	}
	for _, name := range slices.Sorted(maps.Keys(a.config.ExecutorEnvironment)) {
		if !slices.ContainsFunc(env, sets(name)) {
			env = append(env, name+"="+a.config.ExecutorEnvironment[name])
		}
	}
	for _, v := range spec.Command.Variables {
		env = append(slices.DeleteFunc(env, sets(v.Name)), v.Name+"="+v.Value)
	}
	return env
}

// sets tells of the entries of an environment that set a variable.
func sets(name string) func(entry string) bool {
	return func(entry string) bool { return strings.HasPrefix(entry, name+"=") }
}

// commandLine gives the program, where it is not the first argument, and the arguments.
func commandLine(c node.Command) (program string, argv []string) {
	switch {
	case c.Shell:
		return "", []string{"/bin/sh", "-c", c.Value}
	case len(c.Arguments) == 0:
		return "", []string{c.Value}
	case c.Value == "" || c.Value == c.Arguments[0]:
		return "", c.Arguments
	}
	return c.Value, c.Arguments
}
