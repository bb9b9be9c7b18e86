package scheduler

import (
	"crypto/tls"
	"log/slog"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
)

// Config is what a scheduler's driver can be told. Masters and Framework are needed; everything else has
// a default.
type Config struct {
	// Masters are the addresses of the masters, as host:port or as URLs, in any order. The driver finds
	// the leading one.
	Masters []string

	// Framework describes the framework. An empty user becomes the current user, an empty hostname this
	// host's name. An id makes the driver take over the framework that has it.
	Framework *mesos.FrameworkInfo

	// Credential, if not nil, is presented to the master.
	Credential *Credential

	// ExplicitAcknowledgements leaves the acknowledging of status updates to the scheduler. Without it the
	// driver acknowledges each update when its callback has returned.
	ExplicitAcknowledgements bool

	// FrameworkIDFile, if not empty, is a file in which the driver keeps the framework's id: written
	// before Registered is called, read by NewDriver when it exists, removed when Stop(false) has ended the
	// framework. A scheduler that is started again with the same file takes its framework over.
	FrameworkIDFile string

	// Codec is the encoding to speak with the master.
	Codec Codec

	// HeartbeatTolerance is after how many missed heartbeats the master counts as lost. Zero means 5.
	HeartbeatTolerance int

	// BackoffMin and BackoffMax bound the random waits between attempts to subscribe, which grow from the
	// one to the other. Zero means 500 ms and 15 s.
	BackoffMin, BackoffMax time.Duration

	// StopTimeout bounds how long Stop waits for calls to leave. Zero means 5 s.
	StopTimeout time.Duration

	// TLS is used for masters whose address is an https URL. Nil means the system's certificates.
	TLS *tls.Config

	// Logger hears of what the callbacks do not: attempts to subscribe, refused calls. Nil means silence.
	Logger *slog.Logger
}

// Credential is a principal and its secret, presented as HTTP Basic authentication.
type Credential struct {
	Principal string
	Secret    string
}

// Codec is an encoding of the v1 API.
type Codec int

// The encodings that a master understands.
const (
	Protobuf Codec = iota // application/x-protobuf, the cheaper one
	JSON                  // application/json, readable on the wire
)

// NewDriver makes a driver for s that has not been started. The error says everything that is wrong with
// the configuration.
func NewDriver(s Scheduler, cfg Config) (Driver, error) {
	panic("not written yet")
}
