package scala

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/internal/spark/serial"
)

// versions of Scala whose library wrote testdata/scala-<version>.ser, by way of Values.java.
var versions = []string{"2.12", "2.13"}

// written gives what a version of Scala wrote: values, each by its description.
func written(t testing.TB, version string) (names []string, values []serial.Value) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "scala-"+version+".ser"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := serial.Decode(b, serial.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(all, 2) {
		names = append(names, pair[0].(string))
		values = append(values, pair[1])
	}
	if len(names) < 40 {
		t.Fatalf("%d values of Scala %s", len(names), version)
	}
	return names, values
}

// shown describes a value in the words of Values.java, by reading it as what it is said to be.
func shown(name string, v serial.Value) (string, error) {
	kind, rest, _ := strings.Cut(name, " ")
	switch kind {
	case "seq":
		items, err := Seq(v)
		for i, item := range items {
			if item != fmt.Sprintf("e%d", i) {
				return "", fmt.Errorf("element %d is %v", i, item)
			}
		}
		return "seq " + rest[:strings.LastIndexByte(rest, ' ')] + " " + strconv.Itoa(len(items)), err
	case "map":
		entries, err := Map(v)
		seen := make(map[serial.Value]serial.Value)
		for _, e := range entries {
			seen[e.Key] = Unbox(e.Value)
		}
		for i := range len(entries) {
			if seen[fmt.Sprintf("k%d", i)] != int32(i) {
				return "", fmt.Errorf("entry %d is %v", i, seen[fmt.Sprintf("k%d", i)])
			}
		}
		return "map " + rest[:strings.LastIndexByte(rest, ' ')] + " " + strconv.Itoa(len(entries)), err
	case "none":
		_, some, err := Option(v)
		return map[bool]string{false: "none", true: "some"}[some], err
	case "some":
		inner, _, err := Option(v)
		return map[serial.Value]string{"e0": "some string", int32(7): "some int"}[Unbox(inner)], err
	case "enum":
		module, id, err := Enumeration(v)
		return fmt.Sprintf("enum %s %d", module, id), err
	}
	module, _ := Module(v)
	return "module " + module, nil
}

func TestReadsWhatScalaWrites(t *testing.T) {
	for _, version := range versions {
		names, values := written(t, version)
		for i, name := range names {
			if got, err := shown(name, values[i]); err != nil || got != name {
				t.Errorf("Scala %s: %s is read as %s, %v", version, name, got, err)
			}
		}
	}
}

func TestWhatIsNoneOfAKindIsRefusedByName(t *testing.T) {
	for _, version := range versions {
		names, values := written(t, version)
		module := values[slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "module") })]
		for what, read := range map[string]func(serial.Value) error{
			"Option":      func(v serial.Value) error { _, _, err := Option(v); return err },
			"Seq":         func(v serial.Value) error { _, err := Seq(v); return err },
			"Map":         func(v serial.Value) error { _, err := Map(v); return err },
			"Enumeration": func(v serial.Value) error { _, _, err := Enumeration(v); return err },
		} {
			for _, v := range []serial.Value{nil, "text", &serial.Object{}, &serial.Array{Class: &serial.ClassDesc{}}, module} {
				if err := read(v); err == nil || !strings.Contains(err.Error(), what) {
					t.Errorf("Scala %s: %T as %s: %v", version, v, what, err)
				}
			}
		}
	}
}

// writer writes by the facts of the Spark that has this version of Scala.
func writer(t testing.TB, version string) Writer {
	t.Helper()
	spark := map[string]string{"2.12": "3.5", "2.13": "4.0"}[version]
	f, err := os.Open(filepath.Join("..", "deploy", "facts", "spark-"+spark+"-scala-"+version+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	classes, err := serial.ParseClasses(f)
	if err != nil {
		t.Fatal(err)
	}
	return Writer{Classes: classes}
}

// ours writes one of everything, and says what a JVM prints when it reads that.
func ours(t testing.TB, w Writer) (values []serial.Value, printed []string) {
	t.Helper()
	add := func(want string) func(serial.Value, error) {
		return func(v serial.Value, err error) {
			if err != nil {
				t.Fatalf("%s: %v", want, err)
			}
			values, printed = append(values, v), append(printed, want)
		}
	}
	add("scala.None$ None")(w.None())
	add("scala.Some Some(text)")(w.Some("text"))
	add("scala.Some Some(7)")(w.Some(int32(7)))
	add("List()")(w.List(nil))
	add("List(a, b, c)")(w.List([]serial.Value{"a", "b", "c"}))
	add("Map()")(w.Map(nil))
	add("Map(k -> 1)")(w.Map([]Pair{{"k", int32(1)}}))
	add("Enumeration$Val EXITED itself")(w.Enumeration("org.apache.spark.deploy.ExecutorState$", 5))
	add("MasterInStandby$ MasterInStandby itself")(w.Module("org.apache.spark.deploy.DeployMessages$MasterInStandby$"))
	return values, printed
}

func TestReadsWhatItWrites(t *testing.T) {
	for _, version := range versions {
		w := writer(t, version)
		values, _ := ours(t, w)
		b, err := serial.Encode(values...)
		if err != nil {
			t.Fatal(err)
		}
		back, err := serial.Decode(b, serial.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		_, some, err := Option(back[0])
		if some || err != nil {
			t.Errorf("Scala %s: None is read as some %t, %v", version, some, err)
		}
		items, err := Seq(back[4])
		if d := cmp.Diff([]serial.Value{"a", "b", "c"}, items); d != "" || err != nil {
			t.Errorf("Scala %s: list (-want +got): %v\n%s", version, err, d)
		}
		entries, err := Map(back[6])
		if err != nil || len(entries) != 1 || entries[0].Key != "k" || Unbox(entries[0].Value) != int32(1) {
			t.Errorf("Scala %s: map is read as %v, %v", version, entries, err)
		}
		module, id, err := Enumeration(back[7])
		if module != "org.apache.spark.deploy.ExecutorState$" || id != 5 || err != nil {
			t.Errorf("Scala %s: enumeration is read as %s %d, %v", version, module, id, err)
		}
	}
}

// Hostile or broken values of known forms are errors, never panics.
func FuzzForms(f *testing.F) {
	for _, version := range versions {
		_, values := written(f, version)
		for _, v := range values {
			if b, err := serial.Encode(v); err == nil && len(b) < 2000 {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := serial.Decode(b, serial.Limits{Depth: 64, Values: 1 << 14})
		if err != nil {
			return
		}
		for _, v := range all {
			Unbox(v)
			Module(v)
			Option(v)
			Seq(v)
			Map(v)
			Enumeration(v)
		}
	})
}
