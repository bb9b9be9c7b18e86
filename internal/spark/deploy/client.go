package deploy

import "github.com/meseta/meseta/internal/spark/endpoint"

// The messages between whoever submits or manages drivers and a Master. All are asks and their answers;
// those that Spark 4.0 added are marked.

var clientMessages = []Message{
	RequestSubmitDriver{}, SubmitDriverResponse{}, RequestKillDriver{}, KillDriverResponse{},
	RequestDriverStatus{}, DriverStatusResponse{}, RequestKillAllDrivers{}, KillAllDriversResponse{},
	RequestClearCompletedDriversAndApps{}, RequestReadyz{}, DecommissionWorkersOnHosts{},
}

// RequestSubmitDriver submits a driver.
type RequestSubmitDriver struct {
	Driver DriverDescription `java:"driverDescription"`
}

// SubmitDriverResponse answers RequestSubmitDriver.
type SubmitDriverResponse struct {
	Master   endpoint.Ref `java:"master"`
	Success  bool         `java:"success"`
	DriverID *string      `java:"driverId"`
	Message  string       `java:"message"`
}

// RequestKillDriver ends a driver.
type RequestKillDriver struct {
	DriverID string `java:"driverId"`
}

// KillDriverResponse answers RequestKillDriver.
type KillDriverResponse struct {
	Master   endpoint.Ref `java:"master"`
	DriverID string       `java:"driverId"`
	Success  bool         `java:"success"`
	Message  string       `java:"message"`
}

// RequestDriverStatus asks how a driver is.
type RequestDriverStatus struct {
	DriverID string `java:"driverId"`
}

// DriverStatusResponse answers RequestDriverStatus.
type DriverStatusResponse struct {
	Found          bool         `java:"found"`
	State          *DriverState `java:"state"`
	WorkerID       *string      `java:"workerId"`
	WorkerHostPort *string      `java:"workerHostPort"`
	Exception      *Exception   `java:"exception"`
}

// RequestKillAllDrivers ends all drivers (4.0).
type RequestKillAllDrivers struct{}

// KillAllDriversResponse answers RequestKillAllDrivers (4.0).
type KillAllDriversResponse struct {
	Master  endpoint.Ref `java:"master"`
	Success bool         `java:"success"`
	Message string       `java:"message"`
}

// RequestClearCompletedDriversAndApps forgets what is over (4.0); the answer is true.
type RequestClearCompletedDriversAndApps struct{}

// RequestReadyz asks whether the Master is ready (4.0); the answer is a boolean.
type RequestReadyz struct{}

// DecommissionWorkersOnHosts tells Workers to go; the answer is how many there were.
type DecommissionWorkersOnHosts struct {
	Hostnames []string `java:"hostnames"`
}

func (RequestSubmitDriver) class() string    { return messagePrefix + "RequestSubmitDriver" }
func (SubmitDriverResponse) class() string   { return messagePrefix + "SubmitDriverResponse" }
func (RequestKillDriver) class() string      { return messagePrefix + "RequestKillDriver" }
func (KillDriverResponse) class() string     { return messagePrefix + "KillDriverResponse" }
func (RequestDriverStatus) class() string    { return messagePrefix + "RequestDriverStatus" }
func (DriverStatusResponse) class() string   { return messagePrefix + "DriverStatusResponse" }
func (RequestKillAllDrivers) class() string  { return messagePrefix + "RequestKillAllDrivers$" }
func (KillAllDriversResponse) class() string { return messagePrefix + "KillAllDriversResponse" }
func (RequestClearCompletedDriversAndApps) class() string {
	return messagePrefix + "RequestClearCompletedDriversAndApps$"
}
func (RequestReadyz) class() string              { return messagePrefix + "RequestReadyz$" }
func (DecommissionWorkersOnHosts) class() string { return messagePrefix + "DecommissionWorkersOnHosts" }
