package executor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/meseta/meseta/internal/wire"
)

// Config is what an executor's driver can be told. Its zero value is right for an executor that an agent
// has started: everything is read from the environment.
type Config struct {
	// Environment says who the executor is and where its agent lives. Nil means what
	// ReadEnvironment(os.LookupEnv) returns.
	Environment *Environment

	// Codec is the encoding to speak with the agent.
	Codec Codec

	// TLS is used if the agent's endpoint is an https URL. Nil means the system's certificates.
	TLS *tls.Config

	// Dial makes the connections to the agent, through a tunnel for instance. Nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Logger hears of what the callbacks do not: attempts to subscribe, refused calls. Nil means silence.
	Logger *slog.Logger
}

// Codec is an encoding of the v1 API.
type Codec int

// The encodings that an agent understands.
const (
	Protobuf Codec = iota // application/x-protobuf, the cheaper one
	JSON                  // application/json, readable on the wire
)

// complete checks a configuration and fills in the defaults.
func (cfg Config) complete() (Config, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Environment == nil {
		env, err := ReadEnvironment(os.LookupEnv)
		if err != nil {
			return cfg, err
		}
		cfg.Environment = &env
	}
	errs := []error{cfg.Environment.validate()}
	if cfg.Codec != Protobuf && cfg.Codec != JSON {
		errs = append(errs, fmt.Errorf("codec %d: expected Protobuf or JSON", cfg.Codec))
	}
	if cfg.Environment.AgentEndpoint != "" {
		_, err := wire.NewClient(cfg.wireOptions())
		errs = append(errs, err)
	}
	return cfg, errors.Join(errs...)
}

// wireOptions say how to reach the agent.
func (cfg Config) wireOptions() wire.ClientOptions {
	opts := wire.ClientOptions{
		Servers: []string{cfg.Environment.AgentEndpoint},
		Path:    "/api/v1/executor",
		Codec:   wire.Protobuf,
		TLS:     cfg.TLS,
		Dial:    cfg.Dial,
	}
	if cfg.Codec == JSON {
		opts.Codec = wire.JSON
	}
	if token := cfg.Environment.AuthenticationToken; token != "" {
		opts.Authorization = "Bearer " + token
	}
	return opts
}
