package masterd

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/meseta/meseta/internal/spark/conf"
	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/master"
)

// Config is what a Master is told. Options has the names and defaults of Spark's own.
type Config struct {
	Host      string // by which others reach this machine
	Port      int    // 0 picks a free one
	WebUIPort int

	// Properties are Spark's: of spark-defaults.conf, --properties-file and -D options.
	Properties conf.Properties

	// Environ is the environment of the Master.
	Environ map[string]string

	// Ready, if not nil, is called when the Master listens. rest is empty if no submissions are taken.
	Ready func(self endpoint.Address, webUI, rest string)
}

// The keys that are read in more than one place.
const (
	keyRecoveryMode  = "spark.deploy.recoveryMode"
	keyRecoveryDir   = "spark.deploy.recoveryDirectory"
	keySelection     = "spark.deploy.workerSelectionPolicy"
	keyAppPattern    = "spark.deploy.appIdPattern"
	keyDriverPattern = "spark.deploy.driverIdPattern"
	keyREST          = "spark.master.rest.enabled"
)

// Validate says everything that is wrong.
func (c Config) Validate() error {
	var errs []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	p := c.Properties
	complain(c.Host == "", "no host")
	switch mode := strings.ToUpper(p[keyRecoveryMode]); mode {
	case "", "NONE":
	case "FILESYSTEM":
		complain(p[keyRecoveryDir] == "", "%s=%s without %s", keyRecoveryMode, mode, keyRecoveryDir)
	default:
		complain(true, "%s=%s: expected NONE or FILESYSTEM; several Masters can share a directory, and one of them leads", keyRecoveryMode, mode)
	}
	selection := strings.ToUpper(p[keySelection])
	_, known := master.Selections[selection]
	complain(selection != "" && !known, "%s=%s: expected CORES_FREE_DESC, CORES_FREE_ASC, MEMORY_FREE_DESC, MEMORY_FREE_ASC or WORKER_ID", keySelection, selection)
	for _, key := range []string{keyAppPattern, keyDriverPattern} {
		pattern := cmp.Or(p[key], "x-%s-%04d")
		complain(!goodPattern(pattern), "%s=%s: expected a pattern of a time and a number, as app-%%s-%%04d", key, pattern)
	}
	complain(p["spark.deploy.defaultCores"] != "" && p.Number("spark.deploy.defaultCores", 0) < 1, "spark.deploy.defaultCores must be positive")
	complain(p.Flag("spark.ssl.rpc.enabled", false), "spark.ssl.rpc.enabled=true: TLS for RPC is not supported")
	complain(p.Flag("spark.authenticate", false) && p.Secret(c.Environ) == "", "spark.authenticate=true without spark.authenticate.secret")
	complain(c.rest() && p["spark.authenticate.secret"] != "", "%s=true with spark.authenticate.secret: submissions over HTTP do not know the secret, and Spark forbids both at once", keyREST)
	for _, key := range []string{"spark.master.useAppNameAsAppId.enabled", "spark.master.useDriverIdAsAppName.enabled"} {
		complain(p.Flag(key, false), "%s is not supported", key)
	}
	return errors.Join(errs...)
}

// goodPattern tells whether a pattern makes different ids of different numbers.
func goodPattern(pattern string) bool {
	one, two := fmt.Sprintf(pattern, "t", 1), fmt.Sprintf(pattern, "t", 2)
	return one != two && !strings.Contains(one, "%!")
}

// rest tells whether submissions over HTTP are taken.
func (c Config) rest() bool { return c.Properties.Flag(keyREST, false) }

// publicHost is the name of this machine in links that people follow.
func (c Config) publicHost() string { return cmp.Or(c.Environ["SPARK_PUBLIC_DNS"], c.Host) }

func (c Config) core(self endpoint.Ref, webUI string) master.Config {
	p := c.Properties
	timeout := p.Seconds("spark.worker.timeout", 0)
	return master.Config{
		Self: self, WebUI: webUI,
		WorkerTimeout:      timeout,
		RecoveryTimeout:    p.Seconds("spark.deploy.recoveryTimeout", timeout),
		DeadIterations:     p.Number("spark.dead.worker.persistence", 0),
		RetainedApps:       p.Number("spark.deploy.retainedApplications", 0),
		RetainedDrivers:    p.Number("spark.deploy.retainedDrivers", 0),
		MaxExecRetries:     c.maxExecRetries(),
		DefaultCores:       p.Number("spark.deploy.defaultCores", 0),
		MaxDrivers:         p.Number("spark.deploy.maxDrivers", 0),
		Consolidate:        !p.Flag("spark.deploy.spreadOutApps", p.Flag("spark.deploy.spreadOut", true)),
		ConsolidateDrivers: !p.Flag("spark.deploy.spreadOutDrivers", true),
		Selection:          master.Selections[strings.ToUpper(p[keySelection])],
		AppIDPattern:       p[keyAppPattern],
		DriverIDPattern:    p[keyDriverPattern],
		AppNumberModulo:    p.Number("spark.deploy.appNumberModulo", 0),
	}
}

// maxExecRetries is Spark's number: a negative one means that there is no limit, and the first failure
// of an executor is enough for 0 as for 1.
func (c Config) maxExecRetries() int {
	const key = "spark.deploy.maxExecutorRetries"
	if strings.HasPrefix(c.Properties[key], "-") {
		return -1
	}
	return max(c.Properties.Number(key, 10), 1)
}
