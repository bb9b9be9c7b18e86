package deploy

import "fmt"

// ExecutorState is how an executor is. The numbers are on the wire: never renumber.
type ExecutorState int

// The states of executors.
const (
	ExecutorLaunching ExecutorState = iota
	ExecutorRunning
	ExecutorKilled
	ExecutorFailed
	ExecutorLost
	ExecutorExited
	ExecutorDecommissioned
)

var executorStates = []string{"LAUNCHING", "RUNNING", "KILLED", "FAILED", "LOST", "EXITED", "DECOMMISSIONED"}

// String is the state's name in Spark.
func (s ExecutorState) String() string { return stateName(executorStates, int(s)) }

// Finished tells whether nothing more will come of the executor.
func (s ExecutorState) Finished() bool {
	return s == ExecutorKilled || s == ExecutorFailed || s == ExecutorLost || s == ExecutorExited
}

func (ExecutorState) enumeration() (module string, size int) {
	return "org.apache.spark.deploy.ExecutorState$", len(executorStates)
}

// DriverState is how a driver is. The numbers are on the wire: never renumber.
type DriverState int

// The states of drivers.
const (
	DriverSubmitted DriverState = iota
	DriverRunning
	DriverFinished
	DriverRelaunching
	DriverUnknown
	DriverKilled
	DriverFailed
	DriverError
)

var driverStates = []string{"SUBMITTED", "RUNNING", "FINISHED", "RELAUNCHING", "UNKNOWN", "KILLED", "FAILED", "ERROR"}

// String is the state's name in Spark.
func (s DriverState) String() string { return stateName(driverStates, int(s)) }

// Finished tells whether nothing more will come of the driver.
func (s DriverState) Finished() bool {
	return s == DriverFinished || s == DriverKilled || s == DriverFailed || s == DriverError
}

func (DriverState) enumeration() (module string, size int) {
	return "org.apache.spark.deploy.master.DriverState$", len(driverStates)
}

func stateName(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("state %d", i)
	}
	return names[i]
}
