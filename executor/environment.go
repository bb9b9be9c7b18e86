package executor

import (
	"errors"
	"fmt"
	"time"

	"github.com/meseta/meseta/internal/duration"
)

// Environment is what an agent tells an executor through the MESOS_* variables.
type Environment struct {
	FrameworkID   string // MESOS_FRAMEWORK_ID
	ExecutorID    string // MESOS_EXECUTOR_ID
	AgentEndpoint string // MESOS_AGENT_ENDPOINT, as host:port or URL
	AgentID       string // MESOS_SLAVE_ID, the old name that the variable keeps
	Sandbox       string // MESOS_SANDBOX, or else MESOS_DIRECTORY

	// Checkpoint says whether the executor survives a restart of its agent (MESOS_CHECKPOINT=1). Without
	// it the loss of the agent means Shutdown at once.
	Checkpoint bool

	// RecoveryTimeout is how long to wait for a lost agent before shutting down
	// (MESOS_RECOVERY_TIMEOUT, 15 minutes if unset).
	RecoveryTimeout time.Duration

	// SubscriptionBackoffMax bounds the random wait before each attempt to subscribe again
	// (MESOS_SUBSCRIPTION_BACKOFF_MAX, 2 seconds if unset).
	SubscriptionBackoffMax time.Duration

	// ShutdownGracePeriod is how long the agent waits for an executor to shut down
	// (MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD, 5 seconds if unset).
	ShutdownGracePeriod time.Duration

	// AuthenticationToken is presented to the agent as a bearer token, if there is one
	// (MESOS_EXECUTOR_AUTHENTICATION_TOKEN).
	AuthenticationToken string
}

// ReadEnvironment reads an Environment through lookup, which is usually os.LookupEnv. The error names
// every variable that is missing or malformed.
func ReadEnvironment(lookup func(key string) (string, bool)) (Environment, error) {
	r := reader{lookup: lookup}
	env := Environment{
		FrameworkID:            r.needed("MESOS_FRAMEWORK_ID"),
		ExecutorID:             r.needed("MESOS_EXECUTOR_ID"),
		AgentEndpoint:          r.needed("MESOS_AGENT_ENDPOINT"),
		AgentID:                r.text("MESOS_SLAVE_ID"),
		Sandbox:                r.text("MESOS_SANDBOX"),
		Checkpoint:             r.text("MESOS_CHECKPOINT") == "1",
		RecoveryTimeout:        r.duration("MESOS_RECOVERY_TIMEOUT", 15*time.Minute),
		SubscriptionBackoffMax: r.duration("MESOS_SUBSCRIPTION_BACKOFF_MAX", 2*time.Second),
		ShutdownGracePeriod:    r.duration("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", 5*time.Second),
		AuthenticationToken:    r.text("MESOS_EXECUTOR_AUTHENTICATION_TOKEN"),
	}
	if env.Sandbox == "" {
		env.Sandbox = r.text("MESOS_DIRECTORY")
	}
	return env, errors.Join(r.errs...)
}

// validate checks an Environment that somebody wrote by hand.
func (e *Environment) validate() error {
	var errs []error
	needed := func(name, value string) {
		if value == "" {
			errs = append(errs, fmt.Errorf("executor environment without %s", name))
		}
	}
	needed("FrameworkID", e.FrameworkID)
	needed("ExecutorID", e.ExecutorID)
	needed("AgentEndpoint", e.AgentEndpoint)

	positive := func(name string, value time.Duration) {
		if value < 0 {
			errs = append(errs, fmt.Errorf("executor environment with %s %v: expected no negative duration", name, value))
		}
	}
	positive("RecoveryTimeout", e.RecoveryTimeout)
	positive("SubscriptionBackoffMax", e.SubscriptionBackoffMax)
	positive("ShutdownGracePeriod", e.ShutdownGracePeriod)
	return errors.Join(errs...)
}

// reader reads variables and collects what is wrong with them.
type reader struct {
	lookup func(string) (string, bool)
	errs   []error
}

func (r *reader) text(key string) string {
	value, _ := r.lookup(key)
	return value
}

func (r *reader) needed(key string) string {
	value := r.text(key)
	if value == "" {
		r.errs = append(r.errs, fmt.Errorf("%s is not set: an executor is started by an agent, which sets it", key))
	}
	return value
}

func (r *reader) duration(key string, fallback time.Duration) time.Duration {
	text := r.text(key)
	if text == "" {
		return fallback
	}
	d, err := duration.Parse(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("duration %q: expected no negative duration", text)
	}
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("%s: %w", key, err))
	}
	return d
}
