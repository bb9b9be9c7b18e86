package executor

import (
	"crypto/tls"
	"log/slog"
	"time"
)

// Config is what an executor's driver can be told. Its zero value is right for an executor that an agent
// has started: everything is read from the environment.
type Config struct {
	// Environment says who the executor is and where its agent lives. Nil means what
	// ReadEnvironment(os.LookupEnv) returns.
	Environment *Environment

	// Codec is the encoding to speak with the agent.
	Codec Codec

	// TLS is used if the agent's endpoint is an https URL. Nil means the system's certificates.
	TLS *tls.Config

	// Logger hears of what the callbacks do not: attempts to subscribe, refused calls. Nil means silence.
	Logger *slog.Logger
}

// Codec is an encoding of the v1 API.
type Codec int

// The encodings that an agent understands.
const (
	Protobuf Codec = iota // application/x-protobuf, the cheaper one
	JSON                  // application/json, readable on the wire
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
	panic("not written yet")
}

// NewDriver makes a driver for x that has not been started. The error says what is wrong with the
// configuration.
func NewDriver(x Executor, cfg Config) (Driver, error) {
	panic("not written yet")
}
