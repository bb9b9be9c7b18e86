package scheduler

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/wire"
)

// Config is what a scheduler's driver can be told. Masters and Framework are needed; everything else has
// a default.
type Config struct {
	// Masters are the addresses of the masters, as host:port or as URLs, in any order. The driver finds
	// the leading one.
	Masters []string

	// Framework describes the framework; it needs a name. An empty user becomes the current user, an empty
	// hostname this host's name. An id makes the driver take over the framework that has it.
	Framework *mesos.FrameworkInfo

	// Credential, if not nil, is presented to the master.
	Credential *Credential

	// ExplicitAcknowledgements leaves the acknowledging of status updates to the scheduler. Without it the
	// driver acknowledges each update when its callback has returned.
	ExplicitAcknowledgements bool

	// FrameworkIDFile, if not empty, is a file in which the driver keeps the framework's id: written
	// before Registered is called, read by NewDriver if Framework has no id, removed when Stop(false) has
	// ended the framework. A scheduler that is started again with the same file takes its framework over.
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

	// Dial makes the connections to the masters, through a tunnel for instance. Nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

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

// complete checks a configuration and fills in the defaults. The description of the framework that it
// returns is a copy.
func (cfg Config) complete() (Config, *mesos.FrameworkInfo, error) {
	cfg.HeartbeatTolerance = orDefault(cfg.HeartbeatTolerance, 5)
	cfg.BackoffMin = orDefault(cfg.BackoffMin, 500*time.Millisecond)
	cfg.BackoffMax = orDefault(cfg.BackoffMax, 15*time.Second)
	cfg.StopTimeout = orDefault(cfg.StopTimeout, 5*time.Second)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	info, err := cfg.framework()
	_, errWire := wire.NewClient(cfg.wireOptions())
	return cfg, info, errors.Join(err, cfg.validate(), errWire)
}

func (cfg Config) validate() error {
	var errs []error
	if cfg.Codec != Protobuf && cfg.Codec != JSON {
		errs = append(errs, fmt.Errorf("codec %d: expected Protobuf or JSON", cfg.Codec))
	}
	if cfg.HeartbeatTolerance < 0 {
		errs = append(errs, fmt.Errorf("heartbeat tolerance %d: expected a positive number", cfg.HeartbeatTolerance))
	}
	if cfg.BackoffMin < 0 || cfg.BackoffMax < cfg.BackoffMin {
		errs = append(errs, fmt.Errorf("backoff from %v to %v: expected a rising range", cfg.BackoffMin, cfg.BackoffMax))
	}
	if cfg.StopTimeout < 0 {
		errs = append(errs, fmt.Errorf("stop timeout %v: expected a positive duration", cfg.StopTimeout))
	}
	return errors.Join(errs...)
}

// framework is the description of the framework with what the driver knows by itself.
func (cfg Config) framework() (*mesos.FrameworkInfo, error) {
	if cfg.Framework.GetName() == "" {
		return nil, errors.New("framework without a name")
	}
	info := proto.CloneOf(cfg.Framework)
	if info.GetUser() == "" {
		info.User = new(currentUser())
	}
	if info.GetHostname() == "" {
		if name, err := os.Hostname(); err == nil {
			info.Hostname = &name
		}
	}
	if info.GetPrincipal() == "" && cfg.Credential != nil {
		info.Principal = new(cfg.Credential.Principal)
	}
	if info.GetId().GetValue() == "" && cfg.FrameworkIDFile != "" {
		id, err := readFrameworkID(cfg.FrameworkIDFile)
		if err != nil {
			return nil, err
		}
		if id != "" {
			info.Id = &mesos.FrameworkID{Value: &id}
		}
	}
	return info, nil
}

// currentUser is the name of the user who runs this process. Without an entry for that user there is
// still the number, which a master refuses with a sentence rather than running tasks as somebody else.
func currentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}

// wireOptions say how to reach the masters.
func (cfg Config) wireOptions() wire.ClientOptions {
	opts := wire.ClientOptions{
		Servers: cfg.Masters,
		Path:    "/api/v1/scheduler",
		Codec:   wire.Protobuf,
		TLS:     cfg.TLS,
		Dial:    cfg.Dial,
	}
	if cfg.Codec == JSON {
		opts.Codec = wire.JSON
	}
	if cfg.Credential != nil {
		opts.Authorization = wire.BasicAuth(cfg.Credential.Principal, cfg.Credential.Secret)
	}
	return opts
}

func orDefault[T comparable](value, fallback T) T {
	if value == *new(T) {
		return fallback
	}
	return value
}
