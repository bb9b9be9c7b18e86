package master

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// heartbeatInterval is how often a scheduler's stream carries a sign of life.
const heartbeatInterval = 15 * time.Second

// Config says how a master is to run. The zero value of a field is its default.
type Config struct {
	IP       string // address to listen on (default 127.0.0.1)
	Port     int    // default 5050; negative picks a free one
	Hostname string // name that clients are told (default: the IP)
	WorkDir  string // where the registry is kept; required
	Release  string // of this binary, for people (default "development")

	AgentPingTimeout     time.Duration // default 15s
	MaxAgentPingTimeouts int           // default 5
	AgentReregister      time.Duration // time for agents to come back after a failover (default 10 min)
	MaxCompletedTasks    int           // remembered per framework (default 1000)
	MaxCompletedFrames   int           // remembered frameworks (default 50)
	MaxCallBytes         int64         // largest body of a call (default 64 MiB)

	// Ready, when set, is called once with the address that is served.
	Ready func(address string)
}

func (c *Config) setDefaults() {
	c.IP = cmp.Or(c.IP, "127.0.0.1")
	c.Port = cmp.Or(c.Port, 5050)
	c.Release = cmp.Or(c.Release, "development")
	c.AgentPingTimeout = cmp.Or(c.AgentPingTimeout, 15*time.Second)
	c.MaxAgentPingTimeouts = cmp.Or(c.MaxAgentPingTimeouts, 5)
	c.MaxCallBytes = cmp.Or(c.MaxCallBytes, 64<<20)
}

// Validate says everything that is wrong with a configuration.
func (c *Config) Validate() error {
	var all []error
	if c.WorkDir == "" {
		all = append(all, errors.New("work_dir: is empty, expected the directory to keep the registry in"))
	}
	if _, err := netip.ParseAddr(cmp.Or(c.IP, "127.0.0.1")); err != nil {
		all = append(all, fmt.Errorf("ip %q: expected an IP address", c.IP))
	}
	if c.Port > 65535 {
		all = append(all, fmt.Errorf("port %d: expected at most 65535", c.Port))
	}
	if c.AgentPingTimeout < 0 {
		all = append(all, fmt.Errorf("agent_ping_timeout %s: expected a positive duration", c.AgentPingTimeout))
	}
	if c.AgentReregister < 0 {
		all = append(all, fmt.Errorf("agent_reregister_timeout %s: expected a positive duration", c.AgentReregister))
	}
	if c.MaxAgentPingTimeouts < 0 {
		all = append(all, fmt.Errorf("max_agent_ping_timeouts %d: expected a positive number", c.MaxAgentPingTimeouts))
	}
	return errors.Join(all...)
}
