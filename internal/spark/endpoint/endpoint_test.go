package endpoint

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/spark/serial"
)

func classes(t *testing.T, build string) *serial.Classes {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "deploy", "facts", "spark-"+build+".txt"))
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

func TestMastersAreParsed(t *testing.T) {
	got, err := ParseMasters("spark://a:7077,b.example:1,[::1]:65535")
	want := []Address{{"a", 7077}, {"b.example", 1}, {"::1", 65535}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("masters are %v, %v", got, err)
	}
	if s := want[2].URL(); s != "spark://[::1]:65535" {
		t.Errorf("URL of an IPv6 address is %s", s)
	}
	for _, bad := range []string{"", "a:7077", "http://a:7077", "spark://", "spark://a", "spark://a:0", "spark://a:99999", "spark://a:1,,b:2", "spark://u@a:1", "spark://a:1/p", "spark://:1"} {
		if got, err := ParseMasters(bad); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}

func TestReferencesAreReadAsTheyAreWritten(t *testing.T) {
	for _, build := range []string{"3.5-scala-2.12", "3.5-scala-2.13", "4.0-scala-2.13"} {
		for _, ref := range []Ref{{Name: "Master", Address: Address{"host", 7077}}, {Name: "Executor"}} {
			v, err := ref.Object(classes(t, build))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Read(v, 5)
			if err != nil || !got.Same(ref) || got.Via != 5 {
				t.Errorf("%v is read as %+v, %v", ref, got, err)
			}
		}
	}
}

// Whoever asks through a reference without a time fails, so each of ours has one.
func TestReferencesSayHowLongToWait(t *testing.T) {
	v, err := Ref{Name: "Master", Address: Address{"host", 7077}}.Object(classes(t, "4.0-scala-2.13"))
	if err != nil {
		t.Fatal(err)
	}
	timeout, err := serial.Get[*serial.Object](v.(*serial.Object), "defaultAskTimeout")
	if err != nil {
		t.Fatal(err)
	}
	duration, err := serial.Get[*serial.Object](timeout, "duration")
	if err != nil {
		t.Fatal(err)
	}
	length, err := serial.Get[int64](duration, "length")
	unit, err2 := serial.Get[*serial.Enum](duration, "unit")
	if err != nil || err2 != nil || length != 120 || unit.Constant != "SECONDS" {
		t.Errorf("the time is %d %v, %v, %v", length, unit, err, err2)
	}
}

func TestWhatIsNoReferenceIsRefused(t *testing.T) {
	if got, err := Read(nil, 1); err != nil || got != (Ref{}) {
		t.Errorf("null is read as %v, %v", got, err)
	}
	for _, v := range []serial.Value{"text", &serial.Object{}, &serial.Object{Class: &serial.ClassDesc{Name: classRef}, Data: []serial.ClassData{{}}}} {
		if got, err := Read(v, 1); err == nil {
			t.Errorf("%s is read as %v", serial.Describe(v), got)
		}
	}
	port := serial.ClassDesc{Name: classAddress, Fields: []serial.Field{{Type: 'I', Name: "port"}, {Type: 'L', Name: "host"}}}
	bad := &serial.Object{Class: &port, Data: []serial.ClassData{{Fields: []serial.Value{int32(70000), "host"}}}}
	if _, err := ReadAddress(bad); err == nil || !strings.Contains(err.Error(), "port 70000") {
		t.Errorf("port 70000: %v", err)
	}
}
