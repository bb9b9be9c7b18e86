package deploy

import "github.com/meseta/meseta/internal/spark/endpoint"

// The messages between an application (its driver) and a Master. RequestExecutors and KillExecutors are
// asks, answered with whether the application is known.

var applicationMessages = []Message{
	RegisterApplication{}, UnregisterApplication{}, MasterChangeAcknowledged{}, RequestExecutors{}, KillExecutors{},
	RegisteredApplication{}, ExecutorAdded{}, ExecutorUpdated{}, ApplicationRemoved{}, WorkerRemoved{},
}

// RegisterApplication is how an application comes to a Master.
type RegisterApplication struct {
	App    ApplicationDescription `java:"appDescription"`
	Driver endpoint.Ref           `java:"driver"`
}

// UnregisterApplication says that an application is over.
type UnregisterApplication struct {
	AppID string `java:"appId"`
}

// MasterChangeAcknowledged says that an application follows the new Master.
type MasterChangeAcknowledged struct {
	AppID string `java:"appId"`
}

// RequestExecutors says how many executors an application wants in all, for each resource profile.
type RequestExecutors struct {
	AppID  string        `java:"appId"`
	Totals ProfileTotals `java:"resourceProfileToTotalExecs"`
}

// KillExecutors gives executors back.
type KillExecutors struct {
	AppID       string   `java:"appId"`
	ExecutorIDs []string `java:"executorIds"`
}

// RegisteredApplication welcomes an application.
type RegisteredApplication struct {
	AppID  string       `java:"appId"`
	Master endpoint.Ref `java:"master"`
}

// ExecutorAdded says that an executor has been launched for an application.
type ExecutorAdded struct {
	ID       int    `java:"id"`
	WorkerID string `java:"workerId"`
	HostPort string `java:"hostPort"` // of the Worker
	Cores    int    `java:"cores"`
	Memory   int    `java:"memory"` // MiB
}

// ExecutorUpdated says what became of an executor. WorkerHost is given if the Worker is lost with it.
type ExecutorUpdated struct {
	ID         int           `java:"id"`
	State      ExecutorState `java:"state"`
	Message    *string       `java:"message"`
	ExitStatus *int          `java:"exitStatus"`
	WorkerHost *string       `java:"workerHost"`
}

// ApplicationRemoved says that the Master has given up an application.
type ApplicationRemoved struct {
	Message string `java:"message"`
}

// WorkerRemoved says that a Worker is lost.
type WorkerRemoved struct {
	ID      string `java:"id"`
	Host    string `java:"host"`
	Message string `java:"message"`
}

func (RegisterApplication) class() string      { return messagePrefix + "RegisterApplication" }
func (UnregisterApplication) class() string    { return messagePrefix + "UnregisterApplication" }
func (MasterChangeAcknowledged) class() string { return messagePrefix + "MasterChangeAcknowledged" }
func (RequestExecutors) class() string         { return messagePrefix + "RequestExecutors" }
func (KillExecutors) class() string            { return messagePrefix + "KillExecutors" }
func (RegisteredApplication) class() string    { return messagePrefix + "RegisteredApplication" }
func (ExecutorAdded) class() string            { return messagePrefix + "ExecutorAdded" }
func (ExecutorUpdated) class() string          { return messagePrefix + "ExecutorUpdated" }
func (ApplicationRemoved) class() string       { return messagePrefix + "ApplicationRemoved" }
func (WorkerRemoved) class() string            { return messagePrefix + "WorkerRemoved" }
