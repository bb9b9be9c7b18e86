package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Config says where a registry is. Exactly one of Dir and Endpoints is given.
type Config struct {
	// Dir is the directory of the embedded etcd.
	Dir string

	// Endpoints are the URLs of an external etcd.
	Endpoints []string
	// TLS, Username and Password are for Endpoints.
	TLS                *tls.Config
	Username, Password string

	// Prefix begins every key. Default "/meseta". Clusters that share an external etcd differ in it.
	Prefix string

	// Name of this master, for people who look into the registry.
	Name string

	// LeaseTTL is how long a leader that fell silent keeps others from leading. Default 10 s, in
	// whole seconds.
	LeaseTTL time.Duration

	// Log gets what etcd and its client have to say. Default: nowhere.
	Log *slog.Logger
}

// Validate names everything that is wrong.
func (c Config) Validate() error {
	var all []error
	switch {
	case c.Dir == "" && len(c.Endpoints) == 0:
		all = append(all, errors.New("registry: neither a directory nor endpoints, expected one of them"))
	case c.Dir != "" && len(c.Endpoints) > 0:
		all = append(all, errors.New("registry: a directory and endpoints, expected one of them"))
	}
	for _, e := range c.Endpoints {
		if !strings.HasPrefix(e, "http://") && !strings.HasPrefix(e, "https://") {
			all = append(all, fmt.Errorf("registry: endpoint %q, expected http://HOST:PORT or https://HOST:PORT", e))
		}
	}
	if c.Prefix != "" && (!strings.HasPrefix(c.Prefix, "/") || strings.HasSuffix(c.Prefix, "/")) {
		all = append(all, fmt.Errorf("registry: prefix %q, expected one that begins with a slash and does not end with one", c.Prefix))
	}
	if c.LeaseTTL != 0 && (c.LeaseTTL < 2*time.Second || c.LeaseTTL%time.Second != 0) {
		all = append(all, fmt.Errorf("registry: lease of %v, expected whole seconds, 2 or more", c.LeaseTTL))
	}
	return errors.Join(all...)
}

func (c Config) withDefaults() Config {
	if c.Prefix == "" {
		c.Prefix = "/meseta"
	}
	if c.LeaseTTL == 0 {
		c.LeaseTTL = 10 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}
