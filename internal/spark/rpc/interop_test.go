//go:build interop

package rpc

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/serial"
)

// homes are the real Sparks to talk to, by the facts of their classes.
func homes(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for facts, env := range map[string]string{"spark-3.5-scala-2.12": "SPARK_HOME_2_12", "spark-4.0-scala-2.13": "SPARK_HOME_2_13"} {
		if all[facts] = os.Getenv(env); all[facts] == "" {
			t.Fatalf("no Spark: set %s", env)
		}
	}
	return all
}

func facts(t *testing.T, name string) *serial.Classes {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "deploy", "facts", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := serial.ParseClasses(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// realMaster starts Spark's own Master and waits until it listens.
func realMaster(t *testing.T, home string, options ...string) endpoint.Address {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := endpoint.Address{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port}
	ln.Close()
	args := append([]string{"-Xmx256m", "-cp", filepath.Join(home, "jars", "*")}, options...)
	args = append(args, "org.apache.spark.deploy.master.Master", "--host", at.Host, "--port", fmt.Sprint(at.Port), "--webui-port", "0")
	cmd := exec.CommandContext(t.Context(), "java", args...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("Master:\n%s", log.String())
		}
	})
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if nc, err := net.Dial("tcp", at.HostPort()); err == nil {
			nc.Close()
			return at
		}
	}
	t.Fatal("Master does not listen")
	return at
}

func TestRealMasterAnswers(t *testing.T) {
	for name, home := range homes(t) {
		for kind, c := range map[string]struct {
			secret  string
			options []string
			want    string
		}{
			"without a secret": {"", nil, ""},
			"with its secret":  {"s3cret", []string{"-Dspark.authenticate=true", "-Dspark.authenticate.secret=s3cret"}, ""},
			"with encryption on and its fallback": {"s3cret", []string{"-Dspark.authenticate=true", "-Dspark.authenticate.secret=s3cret",
				"-Dspark.network.crypto.enabled=true"}, ""},
			"with another secret": {"wrong", []string{"-Dspark.authenticate=true", "-Dspark.authenticate.secret=s3cret"}, "authentication"},
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				at := realMaster(t, home, c.options...)
				e, _, _ := listening(t, Config{Secret: c.secret})
				if _, err := e.Lookup(t.Context(), facts(t, name), at, "Nobody"); c.want == "" && !strings.Contains(fmt.Sprint(err), "no such endpoint") {
					t.Errorf("looking for nobody: %v", err)
				}
				_, err := e.Lookup(t.Context(), facts(t, name), at, "Master")
				if c.want == "" && err != nil || c.want != "" && !strings.Contains(fmt.Sprint(err), c.want) {
					t.Errorf("looking for the Master: %v", err)
				}
			})
		}
	}
}

// A driver serves the application's jar, and we download it.
func TestRealDriverServesItsJar(t *testing.T) {
	for name, home := range homes(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			jar, marker := filepath.Join(dir, "app.jar"), filepath.Join(dir, "go")
			source := filepath.Join("..", "..", "..", "interop", "spark", "testdata", "App.java")
			for _, args := range [][]string{
				{"javac", "-nowarn", "-Xlint:none", "-cp", filepath.Join(home, "jars", "*"), "-d", filepath.Join(dir, "classes"), source},
				{"jar", "cf", jar, "-C", filepath.Join(dir, "classes"), "."},
			} {
				if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", args[0], err, out)
				}
			}
			log, err := os.Create(filepath.Join(dir, "log"))
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			driver := exec.CommandContext(t.Context(), filepath.Join(home, "bin", "spark-submit"), "--master", "local[1]", "--driver-memory", "512m",
				"--conf", "spark.ui.enabled=false", "--class", "App", jar, "wait", marker)
			driver.Env = append(os.Environ(), "SPARK_HOME="+home, "SPARK_LOCAL_IP=127.0.0.1")
			driver.Stdout, driver.Stderr = log, log
			if err := driver.Start(); err != nil {
				t.Fatal(err)
			}
			said := func() string {
				b, err := os.ReadFile(log.Name())
				if err != nil {
					t.Fatal(err)
				}
				return string(b)
			}
			served := regexp.MustCompile(`spark://\S+/jars/app\.jar`)
			for begin := time.Now(); !served.MatchString(said()); time.Sleep(100 * time.Millisecond) {
				if time.Since(begin) > 2*time.Minute {
					t.Fatalf("the driver does not serve its jar:\n%s", said())
				}
			}
			url, e := served.FindString(said()), NewEnv(Config{})
			var got bytes.Buffer
			_, fetchErr := e.Fetch(t.Context(), url, &got)
			_, missing := e.Fetch(t.Context(), strings.Replace(url, "app.jar", "none.jar", 1), io.Discard)
			if err := os.WriteFile(marker, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := driver.Wait(); err != nil {
				t.Errorf("the driver: %v\n%s", err, said())
			}
			want, err := os.ReadFile(jar)
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
}
