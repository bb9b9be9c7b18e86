//go:build interop

package scala

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/spark/serial"
)

// Scala's own library reads what we write. Needs the jars of Spark: SPARK_HOME_2_12 and SPARK_HOME_2_13.
func TestScalaReadsWhatWeWrite(t *testing.T) {
	for _, version := range versions {
		home := os.Getenv("SPARK_HOME_" + strings.ReplaceAll(version, ".", "_"))
		if home == "" {
			t.Fatalf("no Spark with Scala %s: set SPARK_HOME_%s", version, strings.ReplaceAll(version, ".", "_"))
		}
		jars, dir := filepath.Join(home, "jars", "*"), t.TempDir()
		if out, err := exec.Command("javac", "-nowarn", "-Xlint:none", "-cp", jars, "-d", dir, "testdata/Values.java").CombinedOutput(); err != nil {
			t.Fatalf("javac: %v\n%s", err, out)
		}
		values, want := ours(t, writer(t, version))
		b, err := serial.Encode(values...)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "ours.ser")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("java", "-Xmx256m", "-cp", dir+":"+jars, "Values", "read", file).CombinedOutput()
		if err != nil {
			t.Fatalf("Scala %s: %v\n%s", version, err, out)
		}
		got := strings.Split(strings.TrimSpace(string(out)), "\n")
		if len(got) != len(want) {
			t.Fatalf("Scala %s found %d values, expected %d:\n%s", version, len(got), len(want), out)
		}
		for i := range want {
			if !strings.HasSuffix(got[i], want[i]) {
				t.Errorf("Scala %s: found %q, expected %q", version, got[i], want[i])
			}
		}
	}
}
