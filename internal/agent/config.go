package agent

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/meseta/meseta/internal/endpoint"
	"github.com/meseta/meseta/internal/fetch"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// Config says how an agent is to run. The zero value of a field is its default.
type Config struct {
	// Masters are the addresses, HOST:PORT, at which a master may be found; required. The agent goes
	// through them until one takes it, and follows redirections to the leader.
	Masters []string

	IP      string            // address to listen on (default 127.0.0.1)
	Port    int               // default 5051; negative picks a free one
	Reached endpoint.Settings // where others are told that it is
	WorkDir string            // journal, supervisor and sandboxes; required

	// Resources are offered to frameworks, as in "cpus:8;mem:8192;disk:10000;ports:[31000-32000]". What of
	// these four is missing is detected.
	Resources string

	// DefaultRole is the role for which resources are reserved that name none, detected ones included (default
	// "*": for nobody).
	DefaultRole string

	// Attributes are shown in offers, as in "rack:a;level:3".
	Attributes string

	ExecutorRegistrationTimeout   time.Duration // for the first subscription of an executor (default 1 min)
	ExecutorReregistrationTimeout time.Duration // for executors of a former run to come back (default 15 s)
	ExecutorShutdownGracePeriod   time.Duration // between SHUTDOWN and the kill (default 5 s)
	RecoveryTimeout               time.Duration // how long executors wait for the agent to come back (default 15 min)

	// Sandboxes of what has ended are removed after GCDelay (default 1 week) times the part of the disk that is
	// free beyond GCDiskHeadroom (default 0.1). That is looked after every DiskWatchInterval (default 1 min).
	GCDelay           time.Duration
	GCDiskHeadroom    *float64
	DiskWatchInterval time.Duration

	// Sandboxes are measured every ContainerDiskWatchInterval (default 15 s), and a container that takes more
	// than the disk that it asked for is ended, unless IgnoreDiskQuota is set.
	ContainerDiskWatchInterval time.Duration
	IgnoreDiskQuota            bool

	// Isolation names how containers are kept apart and what they are held to, by Mesos' names with commas
	// between (default "cgroups/cpu,cgroups/mem,cgroups/pids,disk/du,linux/capabilities,linux/nnp").
	Isolation string

	EnableCFS      bool  // containers never have more of the processors than was asked for
	LimitSwap      bool  // memory is counted with what is swapped out
	MaxPIDs        int   // processes and threads of a container (default 8192)
	MaxOutputBytes int64 // of a container's stdout and of its stderr that are kept (default 100 MiB)

	Fetcher           fetch.Config // its CacheDir is by default "cache" in WorkDir
	MaxCompletedTasks int          // ended tasks that are remembered (default 1000)
	MaxCallBytes      int64        // largest body of a call (default 64 MiB)

	// AuthenticateExecutors gives each executor a token and asks for it with every call.
	AuthenticateExecutors bool

	// KillTasksOnStop ends every task and the supervisor when the agent stops. Without it they go on and
	// are found again by the next agent on the same work directory.
	KillTasksOnStop bool

	// Salvage lets an agent with a damaged journal go on with what is sound of it.
	Salvage bool

	// KeepUser runs everything as the agent's own user, also if that is root.
	KeepUser bool

	// ExecutorEnvironment has variables for all executors and commands. What the agent itself says there, and what
	// a command asks for, wins; but PATH replaces the usual one.
	ExecutorEnvironment map[string]string

	// SupervisorFlags are given to supervisors that the agent starts, for instance "--tracking=environ".
	SupervisorFlags []string

	// Release is told to masters, for people.
	Release string

	// Ready, when set, is called once with the address that is served.
	Ready func(address string)
}

// Defaults is a configuration with the defaults written out.
func Defaults() Config {
	var c Config
	c.setDefaults()
	return c
}

func (c *Config) setDefaults() {
	c.IP = cmp.Or(c.IP, "127.0.0.1")
	c.Port = cmp.Or(c.Port, 5051)
	c.DefaultRole = cmp.Or(c.DefaultRole, string(ids.AnyRole))
	c.ExecutorRegistrationTimeout = cmp.Or(c.ExecutorRegistrationTimeout, time.Minute)
	c.ExecutorReregistrationTimeout = cmp.Or(c.ExecutorReregistrationTimeout, 15*time.Second)
	c.ExecutorShutdownGracePeriod = cmp.Or(c.ExecutorShutdownGracePeriod, 5*time.Second)
	c.RecoveryTimeout = cmp.Or(c.RecoveryTimeout, 15*time.Minute)
	c.GCDelay = cmp.Or(c.GCDelay, 7*24*time.Hour)
	c.GCDiskHeadroom = cmp.Or(c.GCDiskHeadroom, new(0.1))
	c.DiskWatchInterval = cmp.Or(c.DiskWatchInterval, time.Minute)
	c.ContainerDiskWatchInterval = cmp.Or(c.ContainerDiskWatchInterval, 15*time.Second)
	c.Isolation = cmp.Or(c.Isolation, defaultIsolation)
	c.MaxPIDs = cmp.Or(c.MaxPIDs, 8192)
	c.MaxOutputBytes = cmp.Or(c.MaxOutputBytes, 100<<20)
	c.MaxCompletedTasks = cmp.Or(c.MaxCompletedTasks, 1000)
	c.MaxCallBytes = cmp.Or(c.MaxCallBytes, 64<<20)
	c.Release = cmp.Or(c.Release, "development")
	c.Fetcher.CacheBytes = cmp.Or(c.Fetcher.CacheBytes, 2<<30)
	c.Fetcher.StallTimeout = cmp.Or(c.Fetcher.StallTimeout, time.Minute)
	if abs, err := filepath.Abs(c.WorkDir); err == nil && c.WorkDir != "" {
		c.WorkDir = abs
		c.Fetcher.CacheDir = cmp.Or(c.Fetcher.CacheDir, filepath.Join(abs, "cache"))
	}
}

// Validate says everything that is wrong with a configuration.
func (c *Config) Validate() error {
	all := c.Reached.Validate()
	complain := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if len(c.Masters) == 0 {
		complain("master: is empty, expected HOST:PORT of at least one master")
	}
	for _, m := range c.Masters {
		if host, port, err := net.SplitHostPort(m); err != nil || host == "" || port == "" {
			complain("master %q: expected HOST:PORT", m)
		}
	}
	if _, err := netip.ParseAddr(cmp.Or(c.IP, "127.0.0.1")); err != nil {
		complain("ip %q: expected an IP address", c.IP)
	}
	if c.Port > 65535 {
		complain("port %d: expected at most 65535", c.Port)
	}
	if c.WorkDir == "" {
		complain("work_dir: is empty, expected the directory to keep sandboxes and the journal in")
	}
	if _, err := resources.Parse(c.Resources); err != nil {
		complain("resources: %w", err)
	}
	if err := checkDefaultRole(c.DefaultRole); err != nil {
		complain("default_role: %w", err)
	}
	if _, err := resources.ParseAttributes(c.Attributes); err != nil {
		complain("attributes: %w", err)
	}
	for name, d := range map[string]time.Duration{
		"executor_registration_timeout":   c.ExecutorRegistrationTimeout,
		"executor_reregistration_timeout": c.ExecutorReregistrationTimeout,
		"executor_shutdown_grace_period":  c.ExecutorShutdownGracePeriod,
		"recovery_timeout":                c.RecoveryTimeout,
		"gc_delay":                        c.GCDelay,
		"disk_watch_interval":             c.DiskWatchInterval,
		"container_disk_watch_interval":   c.ContainerDiskWatchInterval,
	} {
		if d < 0 {
			complain("%s %s: expected a positive duration", name, d)
		}
	}
	if _, err := parseIsolation(c.Isolation); err != nil {
		all = append(all, err)
	}
	if c.MaxPIDs < 0 {
		complain("max_pids %d: expected a positive number", c.MaxPIDs)
	}
	if c.MaxOutputBytes != 0 && c.MaxOutputBytes < minOutputBytes {
		complain("max_output_size %d: expected at least %d bytes", c.MaxOutputBytes, minOutputBytes)
	}
	if h := c.GCDiskHeadroom; h != nil && !(*h >= 0 && *h <= 1) {
		complain("gc_disk_headroom %v: expected a part of the disk, from 0 to 1", *h)
	}
	return errors.Join(all...)
}

// minOutputBytes is the least that is kept of an output: the end of a text that people can read.
const minOutputBytes = 64 << 10

// enforcesDisk tells whether sandboxes are held to the disk that was asked for.
func (c *Config) enforcesDisk() bool { return !c.IgnoreDiskQuota }

// checkDefaultRole says why nothing can be reserved for a role.
func checkDefaultRole(role string) error {
	if role == "" || role == string(ids.AnyRole) {
		return nil
	}
	return ids.Role(role).Validate()
}
