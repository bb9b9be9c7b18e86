package master

import (
	"time"

	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Config is what a Master is told once. Durations and counts have Spark's defaults if they are zero.
type Config struct {
	Self  endpoint.Ref // the Master's endpoint
	WebUI string

	WorkerTimeout   time.Duration // spark.worker.timeout; 60 s
	RecoveryTimeout time.Duration // spark.deploy.recoveryTimeout; the Workers' timeout
	DeadIterations  int           // spark.dead.worker.persistence: timeouts for which a dead Worker is still listed; 15
	RetainedApps    int           // spark.deploy.retainedApplications; 200
	RetainedDrivers int           // spark.deploy.retainedDrivers; 200
	MaxExecRetries  int           // spark.deploy.maxExecutorRetries; 10, and a negative one means no limit
	DefaultCores    int           // spark.deploy.defaultCores: of an application that does not say; no limit
	MaxDrivers      int           // spark.deploy.maxDrivers: that run at a time; no limit

	// MaxListed is how many Workers, applications and drivers there may be, of each; 10,000. What comes by
	// the network must not make a Master grow without end.
	MaxListed int

	Consolidate        bool      // the opposite of spark.deploy.spreadOutApps
	ConsolidateDrivers bool      // the opposite of spark.deploy.spreadOutDrivers
	Selection          Selection // spark.deploy.workerSelectionPolicy

	AppIDPattern    string // spark.deploy.appIdPattern: of a time and a number; app-%s-%04d
	DriverIDPattern string // spark.deploy.driverIdPattern; driver-%s-%04d
	AppNumberModulo int    // spark.deploy.appNumberModulo; none
}

// Selection is the order in which Workers are considered for executors.
type Selection int

// The selections; the first is Spark's default.
const (
	CoresFreeDesc Selection = iota
	CoresFreeAsc
	MemoryFreeDesc
	MemoryFreeAsc
	ByWorkerID
)

// Selections are their names in Spark's configuration.
var Selections = map[string]Selection{
	"CORES_FREE_DESC": CoresFreeDesc, "CORES_FREE_ASC": CoresFreeAsc,
	"MEMORY_FREE_DESC": MemoryFreeDesc, "MEMORY_FREE_ASC": MemoryFreeAsc, "WORKER_ID": ByWorkerID,
}

// unlimited stands for a number that nobody has set; it is Java's largest int.
const unlimited = 1<<31 - 1

func (c Config) orDefault() Config {
	setDuration := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	setInt := func(n *int, def int) {
		if *n == 0 {
			*n = def
		}
	}
	setString := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	setDuration(&c.WorkerTimeout, time.Minute)
	setDuration(&c.RecoveryTimeout, c.WorkerTimeout)
	setInt(&c.DeadIterations, 15)
	setInt(&c.RetainedApps, 200)
	setInt(&c.RetainedDrivers, 200)
	setInt(&c.MaxExecRetries, 10)
	setInt(&c.DefaultCores, unlimited)
	setInt(&c.MaxDrivers, unlimited)
	setInt(&c.MaxListed, 10_000)
	setString(&c.AppIDPattern, "app-%s-%04d")
	setString(&c.DriverIDPattern, "driver-%s-%04d")
	return c
}
