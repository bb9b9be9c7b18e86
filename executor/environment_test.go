package executor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/executor"
)

func lookup(env map[string]string) func(string) (string, bool) {
	return func(key string) (string, bool) {
		value, ok := env[key]
		return value, ok
	}
}

func TestEnvironmentOfAnAgent(t *testing.T) {
	got, err := executor.ReadEnvironment(lookup(map[string]string{
		"MESOS_FRAMEWORK_ID":                   "F",
		"MESOS_EXECUTOR_ID":                    "E",
		"MESOS_AGENT_ENDPOINT":                 "127.0.0.1:5051",
		"MESOS_SLAVE_ID":                       "S",
		"MESOS_SLAVE_PID":                      "slave(1)@127.0.0.1:5051",
		"MESOS_DIRECTORY":                      "/sandbox",
		"MESOS_SANDBOX":                        "/mnt/sandbox",
		"MESOS_CHECKPOINT":                     "1",
		"MESOS_RECOVERY_TIMEOUT":               "1.5hrs",
		"MESOS_SUBSCRIPTION_BACKOFF_MAX":       "250ms",
		"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "1mins",
		"MESOS_EXECUTOR_AUTHENTICATION_TOKEN":  "abc",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := executor.Environment{
		FrameworkID:            "F",
		ExecutorID:             "E",
		AgentEndpoint:          "127.0.0.1:5051",
		AgentID:                "S",
		Sandbox:                "/mnt/sandbox",
		Checkpoint:             true,
		RecoveryTimeout:        90 * time.Minute,
		SubscriptionBackoffMax: 250 * time.Millisecond,
		ShutdownGracePeriod:    time.Minute,
		AuthenticationToken:    "abc",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEnvironmentHasDefaults(t *testing.T) {
	got, err := executor.ReadEnvironment(lookup(map[string]string{
		"MESOS_FRAMEWORK_ID": "F", "MESOS_EXECUTOR_ID": "E", "MESOS_AGENT_ENDPOINT": "a:1",
		"MESOS_DIRECTORY": "/sandbox", "MESOS_CHECKPOINT": "0",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := executor.Environment{
		FrameworkID: "F", ExecutorID: "E", AgentEndpoint: "a:1", Sandbox: "/sandbox",
		RecoveryTimeout: 15 * time.Minute, SubscriptionBackoffMax: 2 * time.Second, ShutdownGracePeriod: 5 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEnvironmentSaysEverythingThatIsWrong(t *testing.T) {
	_, err := executor.ReadEnvironment(lookup(map[string]string{
		"MESOS_EXECUTOR_ID": "E", "MESOS_RECOVERY_TIMEOUT": "15 minutes", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "-1secs",
	}))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"MESOS_FRAMEWORK_ID", "MESOS_AGENT_ENDPOINT", `"15 minutes"`, `"-1secs"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not mention %s", err, want)
		}
	}
}

func TestNewDriverReadsTheEnvironment(t *testing.T) {
	for key, value := range map[string]string{
		"MESOS_FRAMEWORK_ID": "F", "MESOS_EXECUTOR_ID": "E", "MESOS_AGENT_ENDPOINT": "localhost:5051",
	} {
		t.Setenv(key, value)
	}
	if _, err := executor.NewDriver(executor.Base{}, executor.Config{}); err != nil {
		t.Error(err)
	}
	t.Setenv("MESOS_EXECUTOR_ID", "")
	if _, err := executor.NewDriver(executor.Base{}, executor.Config{}); err == nil || !strings.Contains(err.Error(), "MESOS_EXECUTOR_ID") {
		t.Errorf("error %v", err)
	}
}

func TestNewDriverSaysEverythingThatIsWrong(t *testing.T) {
	_, err := executor.NewDriver(nil, executor.Config{Codec: 7, Environment: &executor.Environment{
		AgentEndpoint: "ftp://agent", RecoveryTimeout: -1, SubscriptionBackoffMax: -1, ShutdownGracePeriod: -1}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"without an Executor", "FrameworkID", "ExecutorID", "RecoveryTimeout",
		"SubscriptionBackoffMax", "ShutdownGracePeriod", "codec 7", "ftp"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not mention %q", err, want)
		}
	}
}
