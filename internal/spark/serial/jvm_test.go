//go:build interop

package serial

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// zoo compiles testdata/Zoo.java and gives a function that runs it. It needs a JDK; the tests that need
// none use a stream that a JVM wrote before (testdata/zoo.ser).
func zoo(t *testing.T) func(args ...string) string {
	t.Helper()
	classes := t.TempDir()
	run := func(name string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.WaitDelay = time.Second
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, stderr.String())
		}
		return string(out)
	}
	run("javac", "-nowarn", "-Xlint:none", "-d", classes, filepath.Join("testdata", "Zoo.java"))
	return func(args ...string) string {
		return run("java", append([]string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-cp", classes, "Zoo"}, args...)...)
	}
}

// A JVM writes one of everything, we read it and write it again, and the JVM finds the same in ours.
func TestJVMReadsBackWhatItWrote(t *testing.T) {
	run := zoo(t)
	theirs, ours := filepath.Join(t.TempDir(), "theirs"), filepath.Join(t.TempDir(), "ours")
	run("write", theirs)
	b, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	values, err := Decode(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := Encode(values...)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ours, out, 0o600); err != nil {
		t.Fatal(err)
	}
	want, got := lines(run("show", theirs)), lines(run("show", ours))
	if len(want) < 60 || len(want) != len(got) {
		t.Fatalf("JVM shows %d objects of its own stream and %d of ours", len(want), len(got))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("object %d: JVM wrote %q and read %q from us", i, want[i], got[i])
		}
	}
}

func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

// A JVM reads what we write from class facts alone.
func TestJVMReadsObjectsMadeFromFacts(t *testing.T) {
	run := zoo(t)
	date := mustNew(t, "java.util.Date", nil)
	date.Data[0].Annotation = Annotation{AppendInt64(nil, 86400000)}
	throwable := mustNew(t, "java.lang.Exception", map[string]Value{"detailMessage": "told by us"})
	b, err := Encode(
		mustNew(t, "java.lang.Integer", map[string]Value{"value": int32(-7)}),
		mustNew(t, "java.lang.Boolean", map[string]Value{"value": true}),
		mustNew(t, "java.net.URI", map[string]Value{"string": "spark://host:7077"}),
		date, throwable,
		strings.Repeat("é", 70000),
		&Array{Class: &ClassDesc{Name: "[J", Flags: Serializable}, Items: []int64{1, -1}},
	)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "facts")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	got := lines(run("objects", file))
	want := []string{
		"java.lang.Integer [-7]",
		"java.lang.Boolean [true]",
		"java.net.URI [spark://host:7077]",
		"java.util.Date [Fri Jan 02",
		"java.lang.Exception: told by us false by null []",
		"70000 ",
		"[J [[1, -1]]",
	}
	if len(got) != len(want) {
		t.Fatalf("JVM found %d objects, expected %d: %q", len(got), len(want), got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("object %d: JVM found %q, expected %q", i, got[i], want[i])
		}
	}
}
