//go:build interop

package main

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shapes are the classes of testdata/Shapes.java, and some of the JDK's.
var shapes = []string{
	"Shapes", "Shapes$Below", "Shapes$Colour", "Shapes$Declared", "Shapes$Empty", "Shapes$Full", "Shapes$Inherits",
	"Shapes$Inner", "Shapes$Nested", "Shapes$Outside", "java.io.IOException", "java.lang.Boolean", "java.lang.Enum",
	"java.lang.Exception", "java.lang.Integer", "java.lang.Number", "java.lang.Throwable", "java.net.URI", "java.util.concurrent.TimeUnit",
}

// java runs a program of the JDK.
func java(t *testing.T, program string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, stderr.String())
	}
	return string(out)
}

// baseModule finds the JDK's module file of java.base.
func baseModule(t *testing.T) string {
	t.Helper()
	javac, err := exec.LookPath("javac")
	if err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(javac)
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(filepath.Dir(real), "..", "jmods", "java.base.jmod")
	if _, err := os.Stat(module); err != nil {
		t.Fatalf("a JDK without its modules: %v", err)
	}
	return module
}

// What we say of classes is what a JVM says of them.
func TestFactsAreThoseOfTheJVM(t *testing.T) {
	module := baseModule(t)
	classes := t.TempDir()
	java(t, "javac", "-nowarn", "-Xlint:none", "-d", classes, "testdata/Facts.java", "testdata/Shapes.java")
	jar := filepath.Join(t.TempDir(), "shapes.jar")
	f, err := os.Create(jar)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	if err := w.AddFS(os.DirFS(classes)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	jars, err := openJars([]string{jar, module})
	if err != nil {
		t.Fatal(err)
	}
	defer jars.close()
	var got bytes.Buffer
	if err := describe(&got, jars, shapes); err != nil {
		t.Fatal(err)
	}
	want := java(t, "java", append([]string{"-Xmx64m", "-XX:+UseSerialGC", "-cp", classes, "Facts"}, shapes...)...)
	if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got.String(), "\n")); d != "" {
		t.Errorf("facts (-JVM +ours):\n%s", d)
	}
}
