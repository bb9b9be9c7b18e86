package framework

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
)

// Config is what Run wants to know.
type Config struct {
	Masters []string // host:port, any of them
	URLs    []string // pages to crawl

	// Tasks is how many tasks to run; two of them read one URL. Zero means 5.
	Tasks int

	// Listen is the address to serve the executors' binary at, which agents have to reach. Empty means a
	// free port of 127.0.0.1, which will do as long as the agents are on this machine.
	Listen string

	// ExecutorArgs are the arguments that make this binary an executor; the kind, "profile" or "board", is
	// put after them.
	ExecutorArgs []string

	// Checkpoint asks agents to let tasks survive a restart of theirs.
	Checkpoint bool

	// Credential, if not nil, is presented to the master.
	Credential *scheduler.Credential
}

// ReadEnvironment reads MESOS_CHECKPOINT and, if MESOS_AUTHENTICATE is set, the credential in
// DEFAULT_PRINCIPAL and DEFAULT_SECRET. The lookup is usually os.LookupEnv.
func (c *Config) ReadEnvironment(lookup func(string) (string, bool)) error {
	isSet := func(name string) bool {
		value, ok := lookup(name)
		return ok && value != "0" && value != "false"
	}
	c.Checkpoint = isSet("MESOS_CHECKPOINT")
	if !isSet("MESOS_AUTHENTICATE") {
		return nil
	}
	principal, okPrincipal := lookup("DEFAULT_PRINCIPAL")
	secret, okSecret := lookup("DEFAULT_SECRET")
	if !okPrincipal {
		return errors.New("MESOS_AUTHENTICATE is set: expected a principal in DEFAULT_PRINCIPAL")
	}
	if !okSecret {
		return errors.New("MESOS_AUTHENTICATE is set: expected a secret in DEFAULT_SECRET")
	}
	c.Credential = &scheduler.Credential{Principal: principal, Secret: secret}
	return nil
}

// complete checks the configuration and fills in what was left out.
func (c Config) complete() (Config, error) {
	c.Tasks = cmp.Or(c.Tasks, 5)
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:0")
	var errs []error
	if len(c.Masters) == 0 {
		errs = append(errs, errors.New("no master, expected its host:port"))
	}
	if len(c.URLs) == 0 {
		errs = append(errs, errors.New("no URL to crawl"))
	}
	for _, page := range c.URLs {
		u, err := url.Parse(page)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("URL %q, expected http://host/path", page))
		}
	}
	if c.Tasks < 0 {
		errs = append(errs, fmt.Errorf("%d tasks, expected a positive number", c.Tasks))
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		errs = append(errs, fmt.Errorf("address to listen at: %w", err))
	} else if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		errs = append(errs, fmt.Errorf("address to listen at %q, expected one that agents can reach", c.Listen))
	}
	return c, errors.Join(errs...)
}

// info describes the framework to the master. The user is left to the driver, which takes the current one.
func (c Config) info() *mesos.FrameworkInfo {
	info := &mesos.FrameworkInfo{
		User:            new(""),
		Name:            new("Pinspider Framework"),
		FailoverTimeout: new(120_000.0),
		Checkpoint:      new(c.Checkpoint),
	}
	if c.Credential != nil {
		info.Principal = new(c.Credential.Principal)
	}
	return info
}
