package masterd

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/meseta/meseta/internal/spark/conf"
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// submission is a request to run a driver, as spark-submit and other tools send it.
type submission struct {
	Action      string            `json:"action"`
	Version     string            `json:"clientSparkVersion"`
	AppResource string            `json:"appResource"`
	MainClass   string            `json:"mainClass"`
	AppArgs     []string          `json:"appArgs"`
	Properties  conf.Properties   `json:"sparkProperties"`
	Environment map[string]string `json:"environmentVariables"`
	Message     string            `json:"message"`
}

// The main class of every driver, which ties it to its Worker, and the class that runs Python and more.
const (
	driverWrapper = "org.apache.spark.deploy.worker.DriverWrapper"
	sparkSubmit   = "org.apache.spark.deploy.SparkSubmit"
)

// moduleOptions open the JDK's modules to Spark. A driver that is started by bin/spark-submit gets them
// there; Spark 4.0's Master adds them for those that it has started, and we do it for 3.5 too. A JVM that
// knows no modules ignores them.
var moduleOptions = func() []string {
	opts := []string{"-XX:+IgnoreUnrecognizedVMOptions"}
	for _, p := range []string{
		"java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent",
		"java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar",
	} {
		opts = append(opts, "--add-opens=java.base/"+p+"=ALL-UNNAMED")
	}
	return append(opts, "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
		"-Djdk.reflect.useDirectMethodHandle=false", "-Dio.netty.tryReflectionSetAccessible=true")
}()

// driver makes the description of a driver, for the Master at an address.
func (s submission) driver(at endpoint.Address) (deploy.DriverDescription, error) {
	p := s.Properties
	d := deploy.DriverDescription{JarURL: s.AppResource, Cores: 1, Memory: 1024}
	var errs []error
	missing := func(name string, is bool) {
		if is {
			errs = append(errs, fmt.Errorf("required field %q is missing", name))
		}
	}
	missing("appResource", s.AppResource == "")
	missing("mainClass", s.MainClass == "")
	missing("clientSparkVersion", s.Version == "")
	missing("sparkProperties", p == nil)
	amount := func(key string, into *int, read func(string) (int, error)) {
		text := p[key]
		if text == "" {
			return
		}
		n, err := read(text)
		if err != nil || n < 0 {
			errs = append(errs, fmt.Errorf("property %q is %q: expected an amount: %w", key, text, cmp.Or(err, errNegative)))
			return
		}
		*into = n
	}
	amount("spark.driver.cores", &d.Cores, strconv.Atoi)
	amount("spark.driver.memory", &d.Memory, conf.Memory)
	amount("spark.cores.max", new(int), strconv.Atoi)
	amount("spark.executor.memory", new(int), conf.Memory)
	if text := p["spark.driver.supervise"]; text != "" {
		var err error
		if d.Supervise, err = strconv.ParseBool(text); err != nil {
			errs = append(errs, fmt.Errorf("property %q is %q: expected true or false", "spark.driver.supervise", text))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p)) {
		if name, ok := strings.CutPrefix(key, "spark.driver.resource."); ok && strings.HasSuffix(name, ".amount") {
			r := deploy.ResourceRequirement{ResourceName: strings.TrimSuffix(name, ".amount"), NumParts: 1}
			amount(key, &r.Amount, strconv.Atoi)
			d.ResourceReqs = append(d.ResourceReqs, r)
		}
	}
	d.Command = s.command(at)
	return d, errors.Join(errs...)
}

var errNegative = errors.New("it is negative")

// command is how the driver is started.
func (s submission) command(at endpoint.Address) deploy.Command {
	p := maps.Clone(s.Properties)
	if p == nil {
		p = make(conf.Properties)
	}
	p["spark.master"] = driverMaster(p, at)
	opts := slices.Clone(moduleOptions)
	for _, key := range slices.Sorted(maps.Keys(p)) {
		opts = append(opts, "-D"+key+"="+p[key])
	}
	opts = append(opts, conf.Words(p["spark.driver.defaultJavaOptions"])...)
	opts = append(opts, conf.Words(p["spark.driver.extraJavaOptions"])...)

	args := []string{"{{WORKER_URL}}", "{{USER_JAR}}", s.MainClass}
	if s.MainClass == sparkSubmit && p["spark.app.name"] != "" {
		args = append(args, "-c", "spark.app.name="+p["spark.app.name"])
	}
	env := maps.Clone(s.Environment)
	delete(env, "SPARK_LOCAL_IP") // those of the machine that submits
	delete(env, "SPARK_LOCAL_HOSTNAME")
	return deploy.Command{
		MainClass: driverWrapper, Arguments: append(args, s.AppArgs...), Environment: env, JavaOpts: opts,
		ClassPathEntries:   filepath.SplitList(p["spark.driver.extraClassPath"]),
		LibraryPathEntries: filepath.SplitList(p["spark.driver.extraLibraryPath"]),
	}
}

// driverMaster is where the driver finds its Masters: where it was submitted to, but at the ports of RPC.
func driverMaster(p conf.Properties, at endpoint.Address) string {
	masters, err := endpoint.ParseMasters(p["spark.master"])
	if err != nil {
		return at.URL()
	}
	hosts := make([]string, len(masters))
	for i, m := range masters {
		port := m.Port
		if port == p.Number("spark.master.rest.port", 6066) {
			port = at.Port
		}
		hosts[i] = net.JoinHostPort(m.Host, strconv.Itoa(port))
	}
	return "spark://" + strings.Join(hosts, ",")
}

// builds are those that a driver may be of. Submissions do not say which Scala they are for, and tools
// that are not Spark do not know Spark's version.
func (s submission) builds() []*deploy.Build {
	same := func(b *deploy.Build) bool { return strings.HasPrefix(s.Version, b.Spark+".") }
	all := deploy.Builds()
	if !slices.ContainsFunc(all, same) {
		return all
	}
	return slices.DeleteFunc(all, func(b *deploy.Build) bool { return !same(b) })
}
