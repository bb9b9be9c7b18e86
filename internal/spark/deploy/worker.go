package deploy

import "github.com/meseta/meseta/internal/spark/endpoint"

// The messages between a Worker and a Master. None is answered but ExecutorStateChanged, with true.

var workerMessages = []Message{
	RegisterWorker{}, Heartbeat{}, ExecutorStateChanged{}, DriverStateChanged{}, WorkerLatestState{},
	WorkerSchedulerStateResponse{}, WorkerDecommissioning{},
	RegisteredWorker{}, RegisterWorkerFailed{}, MasterInStandby{}, ReconnectWorker{}, LaunchExecutor{}, KillExecutor{},
	LaunchDriver{}, KillDriver{}, ApplicationFinished{}, MasterChanged{}, DecommissionWorker{},
}

// RegisterWorker is how a Worker comes to a Master.
type RegisterWorker struct {
	ID            string              `java:"id"`
	Host          string              `java:"host"`
	Port          int                 `java:"port"`
	Worker        endpoint.Ref        `java:"worker"`
	Cores         int                 `java:"cores"`
	Memory        int                 `java:"memory"` // MiB
	WebUI         string              `java:"workerWebUiUrl"`
	MasterAddress endpoint.Address    `java:"masterAddress"` // which the Worker dialled
	Resources     map[string]Resource `java:"resources"`
}

// Heartbeat says that a Worker lives.
type Heartbeat struct {
	WorkerID string       `java:"workerId"`
	Worker   endpoint.Ref `java:"worker"`
}

// ExecutorStateChanged tells what became of an executor. It is an ask, whose answer is true.
type ExecutorStateChanged struct {
	AppID      string        `java:"appId"`
	ExecID     int           `java:"execId"`
	State      ExecutorState `java:"state"`
	Message    *string       `java:"message"`
	ExitStatus *int          `java:"exitStatus"`
}

// DriverStateChanged tells how a driver ended.
type DriverStateChanged struct {
	DriverID  string      `java:"driverId"`
	State     DriverState `java:"state"`
	Exception *Exception  `java:"exception"`
}

// WorkerLatestState tells a Master that has just registered a Worker what runs there.
type WorkerLatestState struct {
	ID        string                `java:"id"`
	Executors []ExecutorDescription `java:"executors"`
	DriverIDs []string              `java:"driverIds"`
}

// WorkerSchedulerStateResponse tells a new Master what runs on a Worker of the old one.
type WorkerSchedulerStateResponse struct {
	ID        string                        `java:"id"`
	Executors []WorkerExecutorStateResponse `java:"execResponses"`
	Drivers   []WorkerDriverStateResponse   `java:"driverResponses"`
}

// WorkerExecutorStateResponse is one executor of a WorkerSchedulerStateResponse.
type WorkerExecutorStateResponse struct {
	Desc      ExecutorDescription `java:"desc"`
	Resources map[string]Resource `java:"resources"`
}

func (WorkerExecutorStateResponse) class() string {
	return messagePrefix + "WorkerExecutorStateResponse"
}

// WorkerDriverStateResponse is one driver of a WorkerSchedulerStateResponse.
type WorkerDriverStateResponse struct {
	DriverID  string              `java:"driverId"`
	Resources map[string]Resource `java:"resources"`
}

func (WorkerDriverStateResponse) class() string {
	return messagePrefix + "WorkerDriverStateResponse"
}

// WorkerDecommissioning says that a Worker has been told to go.
type WorkerDecommissioning struct {
	ID     string       `java:"id"`
	Worker endpoint.Ref `java:"workerRef"`
}

// RegisteredWorker welcomes a Worker.
type RegisteredWorker struct {
	Master        endpoint.Ref     `java:"master"`
	MasterWebUI   string           `java:"masterWebUiUrl"`
	MasterAddress endpoint.Address `java:"masterAddress"` // as the Worker dialled it
	Duplicate     bool             `java:"duplicate"`
}

// RegisterWorkerFailed turns a Worker away.
type RegisterWorkerFailed struct {
	Message string `java:"message"`
}

// MasterInStandby says that another Master is the active one.
type MasterInStandby struct{}

// ReconnectWorker asks a Worker to register again.
type ReconnectWorker struct {
	MasterURL string `java:"masterUrl"`
}

// LaunchExecutor starts an executor.
type LaunchExecutor struct {
	MasterURL string                 `java:"masterUrl"`
	AppID     string                 `java:"appId"`
	ExecID    int                    `java:"execId"`
	RPID      int                    `java:"rpId"` // of its resource profile
	App       ApplicationDescription `java:"appDesc"`
	Cores     int                    `java:"cores"`
	Memory    int                    `java:"memory"` // MiB
	Resources map[string]Resource    `java:"resources"`
}

// KillExecutor ends an executor.
type KillExecutor struct {
	MasterURL string `java:"masterUrl"`
	AppID     string `java:"appId"`
	ExecID    int    `java:"execId"`
}

// LaunchDriver starts a driver.
type LaunchDriver struct {
	DriverID  string              `java:"driverId"`
	Driver    DriverDescription   `java:"driverDesc"`
	Resources map[string]Resource `java:"resources"`
}

// KillDriver ends a driver.
type KillDriver struct {
	DriverID string `java:"driverId"`
}

// ApplicationFinished tells every Worker that an application is over.
type ApplicationFinished struct {
	ID string `java:"id"`
}

// MasterChanged tells Workers and drivers of the Master that took over.
type MasterChanged struct {
	Master      endpoint.Ref `java:"master"`
	MasterWebUI string       `java:"masterWebUiUrl"`
}

// DecommissionWorker tells a Worker to go.
type DecommissionWorker struct{}

func (RegisterWorker) class() string       { return messagePrefix + "RegisterWorker" }
func (Heartbeat) class() string            { return messagePrefix + "Heartbeat" }
func (ExecutorStateChanged) class() string { return messagePrefix + "ExecutorStateChanged" }
func (DriverStateChanged) class() string   { return messagePrefix + "DriverStateChanged" }
func (WorkerLatestState) class() string    { return messagePrefix + "WorkerLatestState" }
func (WorkerSchedulerStateResponse) class() string {
	return messagePrefix + "WorkerSchedulerStateResponse"
}
func (WorkerDecommissioning) class() string { return messagePrefix + "WorkerDecommissioning" }
func (RegisteredWorker) class() string      { return messagePrefix + "RegisteredWorker" }
func (RegisterWorkerFailed) class() string  { return messagePrefix + "RegisterWorkerFailed" }
func (MasterInStandby) class() string       { return messagePrefix + "MasterInStandby$" }
func (ReconnectWorker) class() string       { return messagePrefix + "ReconnectWorker" }
func (LaunchExecutor) class() string        { return messagePrefix + "LaunchExecutor" }
func (KillExecutor) class() string          { return messagePrefix + "KillExecutor" }
func (LaunchDriver) class() string          { return messagePrefix + "LaunchDriver" }
func (KillDriver) class() string            { return messagePrefix + "KillDriver" }
func (ApplicationFinished) class() string   { return messagePrefix + "ApplicationFinished" }
func (MasterChanged) class() string         { return messagePrefix + "MasterChanged" }
func (DecommissionWorker) class() string    { return messagePrefix + "DecommissionWorker$" }
