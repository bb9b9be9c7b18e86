package spark_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestMain(m *testing.M) { os.Exit(testcluster.Run(m)) }

func TestScriptsStartAndStop(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "spark")
	if err := os.MkdirAll(filepath.Join(home, "jars"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "jars", "spark-core_2.13-4.0.0.jar"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	script := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "./"+name, args...)
		cmd.Env = append(os.Environ(), "MESETA="+testcluster.Binary(t), "SPARK_PID_DIR="+dir, "SPARK_LOG_DIR="+dir, "SPARK_HOME="+home,
			"SPARK_LOCAL_IP=127.0.0.1", "SPARK_WORKER_INSTANCES=2", "SPARK_WORKER_WEBUI_PORT="+strconv.Itoa(freePort(t)))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	defer script("stop-master.sh")
	defer script("stop-worker.sh")
	port := strconv.Itoa(freePort(t))
	if out, err := script("start-master.sh", "-h", "127.0.0.1", "-p", port, "--webui-port", "0"); err != nil {
		t.Fatalf("start-master.sh: %v\n%s", err, out)
	}
	if out, err := script("start-master.sh", "-h", "127.0.0.1"); err == nil || !strings.Contains(out, "Stop it first") {
		t.Errorf("a second Master: %v\n%s", err, out)
	}
	if out, err := script("start-worker.sh", "spark://127.0.0.1:"+port, "-c", "1", "-m", "1g"); err != nil {
		t.Fatalf("start-worker.sh: %v\n%s", err, out)
	}
	logs := func(pattern string) (all string) {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all += string(b)
		}
		return all
	}
	for begin := time.Now(); strings.Count(logs("*Worker*.out"), "registered with the Master") < 2; time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("two Workers do not register:\n%s%s", logs("*Worker*.out"), logs("*Master*.out"))
		}
	}
	for _, name := range []string{"stop-worker.sh", "stop-master.sh"} {
		if out, err := script(name); err != nil || !strings.Contains(out, "stopping") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if out, err := script(name); err != nil || !strings.Contains(out, "no org.apache.spark") {
			t.Errorf("%s again: %v\n%s", name, err, out)
		}
	}
	if out, err := script("start-worker.sh", "nonsense"); err == nil || !strings.Contains(out, "expected spark://host:port") {
		t.Errorf("a Worker of nobody: %v\n%s", err, out)
	}
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
