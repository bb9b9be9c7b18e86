package worker

import (
	"fmt"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Output is one thing that has to happen. The variants of this file are all there are. They are carried
// out in the order in which Step returns them; none may block.
type Output interface{ output() }

// Register looks for the endpoint "Master" at an address and sends it the message. If there is none,
// nothing more happens: the next attempt has its own time. It replaces every Register before it.
type Register struct {
	To      endpoint.Address
	Message deploy.RegisterWorker
}

// Send sends a message to the Master.
type Send struct {
	To      endpoint.Ref
	Message deploy.Message
}

// Report asks the Master to take note of an executor's state; a Reported answers it. Reports have to
// arrive in order.
type Report struct {
	To      endpoint.Ref
	Message deploy.ExecutorStateChanged
}

// StartExecutor runs an executor and tells of it by ExecutorChanged: RUNNING when it runs, and one end,
// which is FAILED if it cannot be started.
type StartExecutor struct {
	ID     ExecutorID
	Launch deploy.LaunchExecutor
}

// KillExecutor ends an executor.
type KillExecutor struct{ ID ExecutorID }

// StartDriver runs a driver and tells of its end by one DriverChanged.
type StartDriver struct {
	ID     string
	Launch deploy.LaunchDriver
}

// KillDriver ends a driver.
type KillDriver struct{ ID string }

// RemoveApplication removes what an application kept on this machine for its executors, of which none
// is left.
type RemoveApplication struct{ AppID string }

// CleanWorkDir removes old directories of applications and drivers, except those named.
type CleanWorkDir struct{ Keep []string }

// Exit ends the process, in this way.
type Exit struct {
	Code int
	Why  string
}

// Notice is worth a line in the log.
type Notice struct {
	Level  Level
	Text   string
	Master string // its URL
	App    string
	Exec   *int
	Driver string
	Detail string
}

func (Register) output()          {}
func (Send) output()              {}
func (Report) output()            {}
func (StartExecutor) output()     {}
func (KillExecutor) output()      {}
func (StartDriver) output()       {}
func (KillDriver) output()        {}
func (RemoveApplication) output() {}
func (CleanWorkDir) output()      {}
func (Exit) output()              {}
func (Notice) output()            {}

// Level is how much a Notice matters.
type Level int

// The levels.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// ExecutorID names an executor.
type ExecutorID struct {
	App  string
	Exec int
}

// String is app/exec, as Spark writes it.
func (id ExecutorID) String() string { return fmt.Sprintf("%s/%d", id.App, id.Exec) }
