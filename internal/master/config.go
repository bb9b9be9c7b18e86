package master

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/meseta/meseta/internal/endpoint"
)

// heartbeatInterval is how often a scheduler's stream carries a sign of life.
const heartbeatInterval = 15 * time.Second

// Config says how a master is to run. The zero value of a field is its default.
type Config struct {
	IP      string            // address to listen on (default 127.0.0.1)
	Port    int               // default 5050; negative picks a free one
	Reached endpoint.Settings // where others are told that it is
	WorkDir string            // where the registry is kept; required
	Release string            // of this binary, for people (default "development")

	AgentPingTimeout     time.Duration // default 15s
	MaxAgentPingTimeouts int           // default 5
	AgentReregister      time.Duration // time for agents to come back after a failover (default 10 min)
	AgentRemovalPause    time.Duration // from giving up one agent to the next (default 10 ms)
	AgentRemovalLimit    int           // percent of the agents that may be away; with more none is given up (default 50)
	MaxCompletedTasks    int           // remembered per framework (default 1000)
	MaxCompletedFrames   int           // remembered frameworks (default 50)
	MaxCallBytes         int64         // largest body of a call (default 64 MiB)

	Flags map[string]string // settings by name, for people who ask
	Level *slog.LevelVar    // of the log, if it may be turned up while the master runs

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
	c.Port = cmp.Or(c.Port, 5050)
	c.Release = cmp.Or(c.Release, "development")
	c.AgentPingTimeout = cmp.Or(c.AgentPingTimeout, 15*time.Second)
	c.MaxAgentPingTimeouts = cmp.Or(c.MaxAgentPingTimeouts, 5)
	c.AgentReregister = cmp.Or(c.AgentReregister, 10*time.Minute)
	c.AgentRemovalPause = cmp.Or(c.AgentRemovalPause, 10*time.Millisecond)
	c.AgentRemovalLimit = cmp.Or(c.AgentRemovalLimit, 50)
	c.MaxCompletedTasks = cmp.Or(c.MaxCompletedTasks, 1000)
	c.MaxCompletedFrames = cmp.Or(c.MaxCompletedFrames, 50)
	c.MaxCallBytes = cmp.Or(c.MaxCallBytes, 64<<20)
	c.Level = cmp.Or(c.Level, new(slog.LevelVar))
}

// Validate says everything that is wrong with a configuration.
func (c *Config) Validate() error {
	all := c.Reached.Validate()
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
