//go:build interop

package deploy

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/internal/spark/serial"
)

var update = flag.Bool("update", false, "keep what Spark writes in testdata")

// Spark's own classes read every message, and what they write when they send it on is the same message.
// Needs the jars of Spark: SPARK_HOME_2_12 and SPARK_HOME_2_13.
func TestSparkReadsEveryMessage(t *testing.T) {
	for _, b := range []*Build{Spark35Scala212, Spark40Scala213} {
		env := "SPARK_HOME_" + strings.ReplaceAll(b.Scala, ".", "_")
		if os.Getenv(env) == "" {
			t.Fatalf("no %v: set %s", b, env)
		}
		jars, dir := filepath.Join(os.Getenv(env), "jars", "*"), t.TempDir()
		if out, err := exec.Command("javac", "-d", dir, "testdata/Echo.java").CombinedOutput(); err != nil {
			t.Fatalf("javac: %v\n%s", err, out)
		}
		var values []serial.Value
		for _, m := range sendable(b) {
			values = append(values, encode(t, b, m))
		}
		sent, err := serial.Encode(values...)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
		if err := os.WriteFile(ours, sent, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("java", "-Xmx256m", "-cp", dir+":"+jars, "Echo", ours, theirs)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s\n%s", b, err, out, stderr.String())
		}
		t.Logf("%v:\n%s", b, out)
		raw, err := os.ReadFile(theirs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := serial.Decode(raw, serial.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range sendable(b) {
			if d := cmp.Diff(m, decode(t, got[i]), same); d != "" {
				t.Errorf("%v (-sent +sent back):\n%s", b, d)
			}
		}
		if *update {
			if err := os.WriteFile(sparkWrote(b), raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
