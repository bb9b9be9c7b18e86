package spark

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var full = flag.Bool("full", false, "run everything, on every version of Spark")

// The real Sparks: ./get has their versions.
const (
	spark35 = "3.5"
	spark40 = "4.0"
)

var (
	bin   string            // where meseta is
	homes map[string]string // SPARK_HOME, by version
	jars  map[string]string // the application, by version
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(prepare(m))
}

// prepare builds meseta and the application, and gets Spark.
func prepare(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "meseta-spark-"); err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(bin)
	output := func(args ...string) string {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			log.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	output("go", "build", "-C", "../..", "-o", bin+"/", "./cmd/meseta")
	homes, jars = make(map[string]string), make(map[string]string)
	for _, v := range []string{spark35, spark40} {
		homes[v] = output("./get", v)
		classes, jar := filepath.Join(bin, "classes-"+v), filepath.Join(bin, "app-"+v+".jar")
		output("javac", "-nowarn", "-Xlint:none", "-cp", filepath.Join(homes[v], "jars", "*"), "-d", classes, "testdata/App.java")
		output("jar", "cf", jar, "-C", classes, ".")
		jars[v] = jar
	}
	return m.Run()
}

// mixture says whose the parts of a cluster are, and of which version.
type mixture struct {
	version    string
	realMaster bool
	realWorker bool
}

func (m mixture) String() string {
	whose := map[bool]string{false: "ours", true: "real"}
	return fmt.Sprintf("%s master=%s worker=%s", m.version, whose[m.realMaster], whose[m.realWorker])
}

// The mixtures. ours has no part of Spark's.
var (
	ours35, ours40            = mixture{version: spark35}, mixture{version: spark40}
	ourMaster35, ourMaster40  = mixture{version: spark35, realWorker: true}, mixture{version: spark40, realWorker: true}
	ourWorker35, ourWorker40  = mixture{version: spark35, realMaster: true}, mixture{version: spark40, realMaster: true}
	everyMixture              = []mixture{ours35, ours40, ourMaster35, ourMaster40, ourWorker35, ourWorker40}
	everyMixtureWithOurMaster = []mixture{ours35, ours40, ourMaster35, ourMaster40}
)

// each runs a test on some mixtures: quickly on few, with -full on all.
func each(t *testing.T, quick, all []mixture, test func(t *testing.T, m mixture)) {
	chosen := quick
	if *full {
		chosen = all
	}
	if len(chosen) == 0 {
		t.Skip("only with -full")
	}
	for _, m := range chosen {
		t.Run(m.String(), func(t *testing.T) { test(t, m) })
	}
}

// cluster is a Master and its Workers.
type cluster struct {
	t              *testing.T
	mixture        mixture
	dir            string
	port, ui, rest int
	properties     map[string]string
	master         *process
	workers        []*process
}

// start starts a Master and Workers of 2 cores and 2 GiB.
func start(t *testing.T, m mixture, workers int, properties map[string]string) *cluster {
	t.Helper()
	c := &cluster{t: t, mixture: m, dir: t.TempDir(), port: freePort(t), ui: freePort(t), rest: freePort(t)}
	c.properties = map[string]string{"spark.master.rest.enabled": "true", "spark.master.rest.port": strconv.Itoa(c.rest)}
	for k, v := range properties {
		c.properties[k] = v
	}
	c.startMaster()
	for n := range workers {
		c.worker(m, n)
	}
	c.workersAre(workers)
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// url is where applications find the Master.
func (c *cluster) url() string { return fmt.Sprintf("spark://127.0.0.1:%d", c.port) }

// daemon gives the command of a Master or Worker, ours or Spark's: they take the same options.
func daemon(m mixture, real bool, name string) []string {
	if real {
		class := map[string]string{"master": "org.apache.spark.deploy.master.Master", "worker": "org.apache.spark.deploy.worker.Worker"}[name]
		return []string{filepath.Join(homes[m.version], "bin", "spark-class"), class}
	}
	return []string{filepath.Join(bin, "meseta"), "spark", name}
}

func sparkEnv(m mixture) []string {
	return []string{"SPARK_HOME=" + homes[m.version], "SPARK_LOCAL_IP=127.0.0.1", "SPARK_DAEMON_MEMORY=256m", "PYSPARK_PYTHON=python3"}
}

func (c *cluster) startMaster() {
	c.t.Helper()
	var opts []string
	for k, v := range c.properties {
		opts = append(opts, "-D"+k+"="+v)
	}
	args := append(daemon(c.mixture, c.mixture.realMaster, "master"), "--host", "127.0.0.1", "--port", strconv.Itoa(c.port), "--webui-port", strconv.Itoa(c.ui))
	c.master = run(c.t, c.dir, "master", append(sparkEnv(c.mixture), "SPARK_MASTER_OPTS="+strings.Join(opts, " ")), args...)
	until(c.t, "the Master answers", func() bool {
		if c.master.ended() {
			c.t.Fatalf("the Master has ended: %s", c.master.said())
		}
		return c.state().Status == "ALIVE" || c.state().Status == "RECOVERING"
	})
}

// worker starts a Worker of a mixture, which may be of another version than the cluster's.
func (c *cluster) worker(m mixture, n int) *process {
	c.t.Helper()
	work := c.work(n)
	if err := os.MkdirAll(filepath.Join(work, "local"), 0o755); err != nil {
		c.t.Fatal(err)
	}
	args := append(daemon(m, m.realWorker, "worker"), c.url(), "--host", "127.0.0.1", "--cores", "2", "--memory", "2g",
		"--work-dir", work, "--webui-port", strconv.Itoa(freePort(c.t)))
	w := run(c.t, c.dir, fmt.Sprint("worker ", n), append(sparkEnv(m), "SPARK_LOCAL_DIRS="+filepath.Join(work, "local")), args...)
	c.workers = append(c.workers, w)
	return w
}

// work is the directory in which a Worker's applications and drivers run.
func (c *cluster) work(n int) string { return filepath.Join(c.dir, fmt.Sprint("work-", n)) }

// state is what the Master says in JSON.
type state struct {
	Status           string
	AliveWorkers     int
	CoresUsed        int
	Workers          []struct{ ID, State string }
	ActiveApps       []app
	CompletedApps    []app
	ActiveDrivers    []struct{ ID, State string }
	CompletedDrivers []struct{ ID, State string }
}

type app struct {
	ID, Name, State string
	Cores           int
}

// state asks the Master; it is empty if there is none.
func (c *cluster) state() (s state) {
	body, _ := c.ask(http.MethodGet, c.ui, "/json/", "")
	json.Unmarshal([]byte(body), &s)
	return s
}

func (c *cluster) workersAre(n int) {
	c.t.Helper()
	until(c.t, fmt.Sprintf("the Master has %d Workers", n), func() bool { return c.state().AliveWorkers == n })
}

// ask asks a server of the Master's.
func (c *cluster) ask(method string, port int, path, form string) (string, int) {
	req, err := http.NewRequestWithContext(c.t.Context(), method, fmt.Sprintf("http://127.0.0.1:%d%s", port, path), strings.NewReader(form))
	if err != nil {
		c.t.Fatal(err)
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return "", 0
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", 0
	}
	return string(b), resp.StatusCode
}

// moduleOptions open the JDK's modules to a driver on the cluster, as bin/spark-submit does for others.
const moduleOptions = "--add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.lang.invoke=ALL-UNNAMED " +
	"--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED"

// submit runs spark-submit with the application, of the cluster's version.
func (c *cluster) submit(options []string, args ...string) *process {
	c.t.Helper()
	return c.submitOf(c.mixture.version, append(options, "--class", "App", jars[c.mixture.version]), args...)
}

// submitOf runs spark-submit of a version.
func (c *cluster) submitOf(version string, options []string, args ...string) *process {
	c.t.Helper()
	all := []string{filepath.Join(homes[version], "bin", "spark-submit"), "--master", c.url(), "--driver-memory", "512m", "--executor-memory", "512m",
		"--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.ui.enabled=false", "--conf", "spark.sql.warehouse.dir=" + c.dir}
	return run(c.t, c.dir, "spark-submit", sparkEnv(mixture{version: version}), append(append(all, options...), args...)...)
}

// answer is what the application says at its end.
const answer = "pi 3.1 sum 499500 keys 10"

// succeeds waits until an application has ended well.
func (c *cluster) succeeds(p *process) {
	c.t.Helper()
	if said, err := p.wait(c.t); err != nil || !strings.Contains(said, answer) {
		c.t.Fatalf("spark-submit ends with %v, and says %q: %v", err, answer, strings.Contains(said, answer))
	}
}

// marker is a file that an application waits for, and a function that makes it.
func (c *cluster) marker() (path string, set func()) {
	c.t.Helper()
	path = filepath.Join(c.t.TempDir(), "go")
	return path, func() {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
