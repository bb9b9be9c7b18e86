package master

import (
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Output is one thing that has to happen. The variants of this file are all there are. They are carried
// out in the order in which Step returns them; only Save and Forget may block.
type Output interface{ output() }

// Send sends a message to a Worker or an application.
type Send struct {
	To      endpoint.Ref
	Build   *deploy.Build // of the receiver
	Message deploy.Message
}

// Reply answers a question, with a bool, an int or a deploy.Message for the asker's builds.
type Reply struct {
	Call   CallID
	Value  any
	Builds []*deploy.Build
}

// Save keeps a record for the Master after this one. It is done when the next output is carried out.
type Save struct{ Record Record }

// Forget removes a record that was saved.
type Forget struct{ Key string }

// Notice is worth a line in the log.
type Notice struct {
	Level  Level
	Text   string
	Worker string
	App    string
	Exec   *int
	Driver string
	Detail string
}

func (Send) output()   {}
func (Reply) output()  {}
func (Save) output()   {}
func (Forget) output() {}
func (Notice) output() {}

// Level is how much a Notice matters.
type Level int

// The levels.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Record is what has to outlive a Master: a WorkerRecord, an AppRecord or a DriverRecord.
type Record interface{ Key() string }

// WorkerRecord is a Worker that is registered.
type WorkerRecord struct {
	ID        string
	Host      string
	Port      int
	Cores     int
	Memory    int
	WebUI     string
	Ref       endpoint.Ref
	Build     *deploy.Build
	Resources map[string]deploy.Resource
}

// AppRecord is an application that is registered.
type AppRecord struct {
	ID        string
	Submitted time.Time
	Desc      deploy.ApplicationDescription
	Driver    endpoint.Ref
	Build     *deploy.Build
}

// DriverRecord is a driver that was submitted.
type DriverRecord struct {
	ID        string
	Submitted time.Time
	Desc      deploy.DriverDescription
	Builds    []*deploy.Build // of which it may be
}

// Key is worker_ID, as in Spark's recovery directory.
func (r WorkerRecord) Key() string { return "worker_" + r.ID }

// Key is app_ID.
func (r AppRecord) Key() string { return "app_" + r.ID }

// Key is driver_ID.
func (r DriverRecord) Key() string { return "driver_" + r.ID }
