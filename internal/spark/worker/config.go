package worker

import (
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Config is what a Worker is told once. Durations and counts have Spark's defaults if they are zero.
type Config struct {
	ID        string
	Self      endpoint.Ref // the Worker's endpoint
	Cores     int
	Memory    int // MiB
	WebUI     string
	Resources map[string]deploy.Resource
	Masters   []endpoint.Address

	// Fuzz is between 0.5 and 1.5, and keeps the Workers of a lost Master from coming back all at once.
	Fuzz float64

	Heartbeat       time.Duration // spark.worker.timeout / 4; 15 s
	InitialRetries  int           // spark.worker.initialRegistrationRetries; 6
	MaxRetries      int           // spark.worker.maxRegistrationRetries, initial ones included; 16
	NoCleanup       bool          // the opposite of spark.worker.cleanup.enabled
	CleanupInterval time.Duration // spark.worker.cleanup.interval; 30 min
	Retained        int           // spark.worker.ui.retainedExecutors and retainedDrivers; 1000
	SyncAttempts    int           // spark.worker.executorStateSync.maxAttempts; 5
	AskTimeout      time.Duration // spark.rpc.askTimeout; 120 s
	Decommission    bool          // spark.decommission.enabled

	// PreferConfigured is spark.worker.preferConfiguredMasterAddress: a lost Master is looked for where
	// it was configured, and not where it says that it is.
	PreferConfigured bool
}

// The times between attempts to register: the first few are quick.
const (
	initialRetryPeriod   = 10 * time.Second
	prolongedRetryPeriod = 60 * time.Second
)

func (c Config) orDefault() Config {
	setDuration := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	setInt := func(n *int, def int) {
		if *n <= 0 {
			*n = def
		}
	}
	if c.Fuzz <= 0 {
		c.Fuzz = 1
	}
	setDuration(&c.Heartbeat, 15*time.Second)
	setDuration(&c.CleanupInterval, 30*time.Minute)
	setDuration(&c.AskTimeout, 120*time.Second)
	setInt(&c.InitialRetries, 6)
	setInt(&c.MaxRetries, 16)
	setInt(&c.Retained, 1000)
	setInt(&c.SyncAttempts, 5)
	return c
}

// fuzzed is a period of this Worker, in whole seconds.
func (c Config) fuzzed(d time.Duration) time.Duration {
	return time.Duration(float64(d) * c.Fuzz).Round(time.Second)
}
