//go:build interop

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The committed tables are what the real jars say, and what a JVM says of them. Needs SPARK_HOME_2_12 and
// SPARK_HOME_2_13; patch releases of a Spark have the same facts.
func TestTablesAreThoseOfTheJars(t *testing.T) {
	for table, tags := range map[string][]string{"spark-3.5-scala-2.12": {"3.5", "2.12"}, "spark-4.0-scala-2.13": {"4.0", "2.13"}} {
		env := "SPARK_HOME_" + strings.ReplaceAll(tags[1], ".", "_")
		home := os.Getenv(env)
		if home == "" {
			t.Fatalf("no Spark: set %s", env)
		}
		all, err := filepath.Glob(filepath.Join(home, "jars", "*.jar"))
		if err != nil {
			t.Fatal(err)
		}
		jars, err := openJars(append(all, baseModule(t)))
		if err != nil {
			t.Fatal(err)
		}
		defer jars.close()
		names, err := wanted(classList, tags)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := describe(&got, jars, names); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join("..", "deploy", "facts", table+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		var committed, classes []string
		for line := range strings.Lines(string(b)) {
			if line[0] == '#' {
				continue
			}
			committed = append(committed, line)
			if line[0] != '\t' {
				classes = append(classes, strings.Fields(line)[0])
			}
		}
		if d := cmp.Diff(strings.Join(committed, ""), got.String()); d != "" {
			t.Errorf("%s (-committed +jars):\n%s", table, d)
		}
		dir := t.TempDir()
		java(t, "javac", "-d", dir, "testdata/Facts.java")
		said := java(t, "java", append([]string{"-Xmx256m", "-cp", dir + ":" + filepath.Join(home, "jars", "*"), "Facts"}, classes...)...)
		if d := cmp.Diff(said, got.String()); d != "" {
			t.Errorf("%s (-JVM +jars):\n%s", table, d)
		}
	}
}
