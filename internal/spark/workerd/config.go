package workerd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meseta/meseta/internal/spark/conf"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Config is what a Worker is told. Options has the names and defaults of Spark's own.
type Config struct {
	Masters   []endpoint.Address
	Host      string // by which others reach this machine
	Port      int    // 0 picks a free one
	WebUIPort int
	Cores     int
	Memory    int // MiB
	WorkDir   string
	SparkHome string

	// Properties are Spark's: of spark-defaults.conf, --properties-file and -D options.
	Properties conf.Properties

	// Environ is the environment of the Worker, which executors and drivers inherit.
	Environ map[string]string

	// Ready, if not nil, is called when the Worker listens.
	Ready func(self endpoint.Ref, webUI string)
}

// Validate says everything that is wrong.
func (c Config) Validate() error {
	var errs []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	complain(len(c.Masters) == 0, "no Master: expected spark://host:port")
	complain(c.Host == "", "no host")
	complain(c.Cores <= 0, "%d cores: expected at least one", c.Cores)
	complain(c.Memory <= 0, "%d MiB of memory: expected at least one", c.Memory)
	complain(c.SparkHome == "", "SPARK_HOME is not set: executors are JVMs of the Spark that is there")
	complain(c.Properties.Flag("spark.shuffle.service.enabled", false),
		"spark.shuffle.service.enabled=true: the external shuffle service is a part of Spark that runs in a JVM; start it beside this Worker by org.apache.spark.deploy.ExternalShuffleService and leave the option off here, or use spark.dynamicAllocation.shuffleTracking.enabled=true in applications")
	complain(c.Properties.Flag("spark.ssl.rpc.enabled", false), "spark.ssl.rpc.enabled=true: TLS for RPC is not supported")
	complain(c.Properties.Flag("spark.authenticate", false) && c.Properties.Secret(c.Environ) == "", "spark.authenticate=true without spark.authenticate.secret")
	return errors.Join(errs...)
}

// build tells which Spark is in SPARK_HOME.
func (c Config) build() (*deploy.Build, error) {
	jars, err := filepath.Glob(filepath.Join(c.SparkHome, "jars", "spark-core_*.jar"))
	if err != nil || len(jars) != 1 {
		return nil, fmt.Errorf("SPARK_HOME %s: found %d jars/spark-core_*.jar, expected one: %w", c.SparkHome, len(jars), orNotThere(err))
	}
	b, err := deploy.BuildOfJar(filepath.Base(jars[0]))
	if err != nil {
		return nil, fmt.Errorf("SPARK_HOME %s: %w", c.SparkHome, err)
	}
	return b, nil
}

func orNotThere(err error) error {
	if err != nil {
		return err
	}
	return os.ErrNotExist
}

// publicHost is the name of this machine in links that people follow.
func (c Config) publicHost() string {
	if dns := c.Environ["SPARK_PUBLIC_DNS"]; dns != "" {
		return dns
	}
	return c.Host
}
