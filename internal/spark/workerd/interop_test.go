//go:build interop

package workerd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/spark/conf"
	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/rpc"
)

// The tests of this file run Spark's own Master and applications with our Worker. They need
// SPARK_HOME_2_12 and SPARK_HOME_2_13, and a JDK.

// spark is a real Spark with an application for it.
type spark struct {
	t         *testing.T
	home, jar string
	options   []string // -D options of everything
}

func eachSpark(t *testing.T, test func(s *spark)) {
	for _, scala := range []string{"2_12", "2_13"} {
		t.Run(scala, func(t *testing.T) {
			home := os.Getenv("SPARK_HOME_" + scala)
			if home == "" {
				t.Fatalf("no Spark: set SPARK_HOME_%s", scala)
			}
			s := &spark{t: t, home: home, jar: filepath.Join(t.TempDir(), "app.jar")}
			classes := t.TempDir()
			s.do("javac", "-nowarn", "-Xlint:none", "-cp", filepath.Join(home, "jars", "*"), "-d", classes, "testdata/App.java")
			s.do("jar", "cf", s.jar, "-C", classes, ".")
			test(s)
		})
	}
}

func (s *spark) do(name string, args ...string) {
	s.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// master starts Spark's Master; stop ends it.
func (s *spark) master(port int) (at endpoint.Address, stop func()) {
	s.t.Helper()
	if port == 0 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.t.Fatal(err)
		}
		port = ln.Addr().(*net.TCPAddr).Port
		ln.Close()
	}
	at = endpoint.Address{Host: "127.0.0.1", Port: port}
	args := append([]string{"-Xmx256m", "-cp", filepath.Join(s.home, "jars", "*")}, s.options...)
	args = append(args, "org.apache.spark.deploy.master.Master", "--host", at.Host, "--port", fmt.Sprint(port), "--webui-port", "0")
	cmd := exec.Command("java", args...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			cmd.Process.Kill()
			cmd.Wait()
			stopped = true
		}
	}
	s.t.Cleanup(func() {
		stop()
		if s.t.Failed() {
			s.t.Logf("Master:\n%s", log.String())
		}
	})
	s.until("the Master listens", func() bool {
		nc, err := net.Dial("tcp", at.HostPort())
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
	return at, stop
}

// until waits for a condition.
func (s *spark) until(what string, ok func() bool) {
	s.t.Helper()
	for start := time.Now(); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Since(start) > 2*time.Minute {
			s.t.Fatalf("waited two minutes until %s", what)
		}
	}
}

// worker starts our Worker and waits until the Master has it.
type liveWorker struct {
	*spark
	cfg Config
	ui  string
}

func (s *spark) worker(master endpoint.Address) *liveWorker {
	s.t.Helper()
	cfg := Config{
		Masters: []endpoint.Address{master}, Host: "127.0.0.1", Cores: 2, Memory: 2048, WorkDir: s.t.TempDir(), SparkHome: s.home,
		Properties: make(map[string]string),
	}
	var err error
	if cfg.Environ, err = conf.Environment(s.t.Context(), os.Environ()); err != nil {
		s.t.Fatal(err)
	}
	for _, o := range s.options {
		for k, v := range conf.ParseOptions(o) {
			cfg.Properties[k] = v
		}
	}
	cfg.Environ["SPARK_LOCAL_DIRS"] = s.t.TempDir()
	ready := make(chan string, 1)
	cfg.Ready = func(_ endpoint.Ref, ui string) { ready <- ui }
	var log bytes.Buffer
	start(s.t, func(ctx context.Context) error { return Run(ctx, cfg, slog.New(slog.NewTextHandler(&log, nil))) })
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("Worker:\n%s", log.String())
		}
	})
	w := &liveWorker{spark: s, cfg: cfg, ui: <-ready}
	w.registered()
	return w
}

func (w *liveWorker) registered() {
	w.t.Helper()
	w.until("the Worker is registered", func() bool {
		return strings.Contains(w.page("/json/"), "spark://") && !strings.Contains(w.page("/"), "(not connected)")
	})
}

func (w *liveWorker) page(path string) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(w.ui + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// submit is spark-submit with the application.
func (s *spark) submit(master endpoint.Address, options []string, args ...string) *exec.Cmd {
	all := append([]string{"--master", master.URL(), "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.ui.enabled=false",
		"--driver-memory", "512m", "--executor-memory", "512m", "--class", "App"}, options...)
	cmd := exec.Command(filepath.Join(s.home, "bin", "spark-submit"), append(append(all, s.jar), args...)...)
	cmd.Env = append(os.Environ(), "SPARK_HOME="+s.home, "SPARK_LOCAL_IP=127.0.0.1", "SPARK_SUBMIT_OPTS="+strings.Join(s.options, " "))
	return cmd
}

func (s *spark) run(cmd *exec.Cmd) string {
	s.t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("spark-submit: %v\n%s", err, out)
	}
	return string(out)
}

const answer = "sum 499500 keys 10"

func TestApplicationRuns(t *testing.T) {
	eachSpark(t, func(s *spark) {
		at, _ := s.master(0)
		s.worker(at)
		if out := s.run(s.submit(at, nil)); !strings.Contains(out, answer) {
			t.Errorf("the application says\n%s", out)
		}
	})
}

func TestApplicationRunsWithASecret(t *testing.T) {
	eachSpark(t, func(s *spark) {
		s.options = []string{"-Dspark.authenticate=true", "-Dspark.authenticate.secret=s3cret"}
		at, _ := s.master(0)
		s.worker(at)
		if out := s.run(s.submit(at, nil)); !strings.Contains(out, answer) {
			t.Errorf("the application says\n%s", out)
		}
	})
}

// moduleOptions open the JDK's modules to a driver on the cluster. Spark's launcher does that for drivers
// that it starts itself; for those that a Worker starts, Spark 3.5 leaves it to the user.
const moduleOptions = "--add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.lang.invoke=ALL-UNNAMED " +
	"--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED"

// A driver on the cluster fails twice and is started again.
func TestSupervisedDriverOnTheCluster(t *testing.T) {
	eachSpark(t, func(s *spark) {
		at, _ := s.master(0)
		w := s.worker(at)
		marker := filepath.Join(t.TempDir(), "runs")
		s.run(s.submit(at, []string{"--deploy-mode", "cluster", "--supervise", "--driver-java-options", moduleOptions}, "fail", marker))
		t.Cleanup(func() {
			logs, _ := filepath.Glob(filepath.Join(w.cfg.WorkDir, "driver-*", "stderr"))
			for _, log := range logs {
				if b, err := os.ReadFile(log); err == nil && t.Failed() {
					t.Logf("driver:\n%s", b[max(0, len(b)-8000):])
				}
			}
		})
		w.until("the driver has answered", func() bool {
			logs, _ := filepath.Glob(filepath.Join(w.cfg.WorkDir, "driver-*", "stdout"))
			for _, log := range logs {
				if b, err := os.ReadFile(log); err == nil && strings.Contains(string(b), answer) {
					return true
				}
			}
			return false
		})
		if b, err := os.ReadFile(marker); err != nil || len(b) != 3 {
			t.Errorf("the driver ran %d times, expected 3: %v", len(b), err)
		}
	})
}

// An executor is killed, and the Master is killed and comes back: the application goes on.
func TestApplicationOutlivesWhatItRunsOn(t *testing.T) {
	eachSpark(t, func(s *spark) {
		s.options = []string{"-Dspark.deploy.recoveryMode=FILESYSTEM", "-Dspark.deploy.recoveryDirectory=" + t.TempDir()}
		at, stop := s.master(0)
		w := s.worker(at)
		marker := filepath.Join(t.TempDir(), "go")
		cmd := s.submit(at, nil, "wait", marker)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		executor := func(n int) int { return s.processOf(filepath.Join(w.cfg.WorkDir, "app-*", fmt.Sprint(n))) }
		s.until("an executor runs", func() bool { return executor(0) != 0 })
		syscall.Kill(executor(0), syscall.SIGKILL)
		s.until("another executor runs", func() bool { return executor(1) != 0 })
		stop()
		s.until("the Worker has noticed", func() bool { return strings.Contains(w.page("/"), "(not connected)") })
		s.master(at.Port)
		w.registered()
		if err := os.WriteFile(marker, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), answer) {
			t.Errorf("the application ends with %v and says\n%s", err, out.String())
		}
		if executor(1) == 0 && !strings.Contains(w.page("/json/"), `"id": 1`) {
			t.Error("the second executor is unknown to the Worker")
		}
	})
}

// processOf finds the process that works in a directory; 0 if there is none.
func (s *spark) processOf(pattern string) int {
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, link := range links {
		dir, err := os.Readlink(link)
		if err != nil {
			continue
		}
		if ok, _ := filepath.Match(pattern, dir); ok {
			var pid int
			fmt.Sscanf(link, "/proc/%d/cwd", &pid)
			return pid
		}
	}
	return 0
}

// A driver serves the application's jar, and we download it.
func TestJarIsFetchedFromADriver(t *testing.T) {
	eachSpark(t, func(s *spark) {
		marker := filepath.Join(t.TempDir(), "go")
		log, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		cmd := s.submit(endpoint.Address{}, []string{"--master", "local[1]"}, "wait", marker)
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var url string
		s.until("the driver serves its jar", func() bool {
			b, err := os.ReadFile(log.Name())
			if err != nil {
				t.Fatal(err)
			}
			url = regexp.MustCompile(`spark://\S+/jars/app\.jar`).FindString(string(b))
			return url != ""
		})
		env := rpc.NewEnv(rpc.Config{})
		var got bytes.Buffer
		_, fetchErr := env.Fetch(t.Context(), url, &got)
		_, missing := env.Fetch(t.Context(), strings.Replace(url, "app.jar", "none.jar", 1), io.Discard)
		if err := os.WriteFile(marker, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the driver: %v", err)
		}
		want, err := os.ReadFile(s.jar)
		if err != nil {
			t.Fatal(err)
		}
		if fetchErr != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("fetched %d of %d bytes from %s, %v", got.Len(), len(want), url, fetchErr)
		}
		if missing == nil || !strings.Contains(missing.Error(), "not found") {
			t.Errorf("a jar that is not there: %v", missing)
		}
	})
}
