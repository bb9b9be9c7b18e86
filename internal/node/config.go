package node

import (
	"cmp"
	"time"
)

// Config is what a core is told once. Zero durations and bounds mean their defaults.
type Config struct {
	// Seed is random and fresh for each start of the agent: the ids that the core gives (container ids,
	// uuids of its own statuses) grow from it, so that they never repeat those of an earlier run.
	Seed UUID

	// Boot identifies the machine's current boot. Containers recorded under another one are gone.
	Boot string

	// WorkDir is the agent's directory, as texts for people show it; the core opens nothing.
	WorkDir string

	Isolation Isolation

	ExecutorRegistrationTimeout   time.Duration // from an executor's start to its first subscription; 1 minute
	ExecutorReregistrationTimeout time.Duration // from the API accepting after a restart; 15 seconds
	ExecutorShutdownGrace         time.Duration // of executors that name none; 5 seconds
	KillGrace                     time.Duration // of command tasks that name none; 3 seconds

	RetryMin time.Duration // of an update that nobody acknowledges; 10 seconds, doubling
	RetryMax time.Duration // up to 10 minutes

	// AcknowledgementDelay bounds how long a record that nobody waits for stays in memory; 1 second.
	AcknowledgementDelay time.Duration

	// MaxInfo bounds the bytes of a task with its executor and framework, and of a status: one record must
	// not stop the log. 8 MiB.
	MaxInfo int

	MaxCompletedTasks int // tasks remembered after their last acknowledgement; 1,000
	MaxCompletedBytes int // of their descriptions; 16 MiB
	MaxUnacknowledged int // statuses of one framework; beyond it launches are refused, beyond twice as many updates; 100,000

	// MaxUnacknowledgedBytes bounds what these statuses carry in the same way; 128 MiB.
	MaxUnacknowledgedBytes int

	// MaxDescribed bounds what lives here by the bytes that describe it to a master; 96 MiB.
	MaxDescribed int
}

// The bounds unless the configuration has others.
const (
	maxInfo                = 8 << 20
	maxCompletedTasks      = 1000
	maxCompletedBytes      = 16 << 20
	maxUnacknowledged      = 100_000
	maxUnacknowledgedBytes = 128 << 20
	maxDescribed           = 96 << 20
)

func (c Config) withDefaults() Config {
	c.ExecutorRegistrationTimeout = cmp.Or(c.ExecutorRegistrationTimeout, time.Minute)
	c.ExecutorReregistrationTimeout = cmp.Or(c.ExecutorReregistrationTimeout, 15*time.Second)
	c.ExecutorShutdownGrace = cmp.Or(c.ExecutorShutdownGrace, 5*time.Second)
	c.KillGrace = cmp.Or(c.KillGrace, 3*time.Second)
	c.RetryMin = cmp.Or(c.RetryMin, 10*time.Second)
	c.RetryMax = cmp.Or(c.RetryMax, 10*time.Minute)
	c.AcknowledgementDelay = cmp.Or(c.AcknowledgementDelay, time.Second)
	c.MaxInfo = cmp.Or(c.MaxInfo, maxInfo)
	c.MaxCompletedTasks = cmp.Or(c.MaxCompletedTasks, maxCompletedTasks)
	c.MaxCompletedBytes = cmp.Or(c.MaxCompletedBytes, maxCompletedBytes)
	c.MaxUnacknowledged = cmp.Or(c.MaxUnacknowledged, maxUnacknowledged)
	c.MaxUnacknowledgedBytes = cmp.Or(c.MaxUnacknowledgedBytes, maxUnacknowledgedBytes)
	c.MaxDescribed = cmp.Or(c.MaxDescribed, maxDescribed)
	return c
}
