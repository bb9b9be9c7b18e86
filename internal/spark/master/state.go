package master

// State is how far a Master has come, by Spark's names.
type State int

// The states of a Master.
const (
	Standby            State = iota // another leads, or none does
	Recovering                      // asks the Workers and applications of the last one
	CompletingRecovery              // gives up those that did not answer; nobody sees it from outside
	Alive
)

// String is the state's name in Spark.
func (s State) String() string {
	return [...]string{"STANDBY", "RECOVERING", "COMPLETING_RECOVERY", "ALIVE"}[s]
}

// WorkerState is how a Worker is.
type WorkerState int

// The states of a Worker.
const (
	WorkerAlive WorkerState = iota
	WorkerDead
	WorkerDecommissioned
	WorkerUnknown // known to the last Master, and not heard of since
)

// String is the state's name in Spark.
func (s WorkerState) String() string {
	return [...]string{"ALIVE", "DEAD", "DECOMMISSIONED", "UNKNOWN"}[s]
}

// AppState is how an application is.
type AppState int

// The states of an application.
const (
	AppWaiting AppState = iota
	AppRunning
	AppFinished
	AppFailed
	AppKilled
	AppUnknown // known to the last Master, and not heard of since
)

// String is the state's name in Spark.
func (s AppState) String() string {
	return [...]string{"WAITING", "RUNNING", "FINISHED", "FAILED", "KILLED", "UNKNOWN"}[s]
}
