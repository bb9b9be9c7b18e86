package serial

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// facts is a little table of the JDK's classes.
const facts = `
# the fields of Throwable that a reader can do without are left out
java.lang.Throwable -3042686055658047285 sw -
	detailMessage Ljava/lang/String;
java.lang.Exception -3387516993124229948 s java.lang.Throwable
java.lang.Number -8742448824652078965 s -
java.lang.Integer 1360826667806852920 s java.lang.Number
	value I
java.lang.Boolean -3665804199014368530 s -
	value Z
java.net.URI -6052424284110960213 sw -
	string Ljava/lang/String;
java.util.Date 7523967970034938905 sw -
`

func table(t testing.TB) *Classes {
	t.Helper()
	c, err := ParseClasses(strings.NewReader(facts))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustNew(t testing.TB, class string, fields map[string]Value) *Object {
	t.Helper()
	o, err := table(t).New(class, fields)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// zooStream is what a JVM wrote when it ran testdata/Zoo.java.
func zooStream(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "zoo.ser"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func zooValues(t testing.TB) []Value {
	t.Helper()
	values, err := Decode(zooStream(t), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return values[1:] // the first is the block with their number
}

// find gives the first object of a class in the zoo.
func find(t testing.TB, class string) *Object {
	t.Helper()
	for _, v := range zooValues(t) {
		if Is(v, class) {
			return v.(*Object)
		}
	}
	t.Fatalf("no %s in the zoo", class)
	return nil
}

func TestStringsOfEveryKind(t *testing.T) {
	got := zooValues(t)[:5]
	want := []Value{"", "ascii", "nul \x00 é € 😀", "lone \xed\xa0\xbd and \xed\xb8\x80 reversed", strings.Repeat("long ", 13200)}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("strings that a JVM wrote (-want +got):\n%s", d)
	}
}

func TestFieldsOfAnObjectAndItsSuperclass(t *testing.T) {
	o := find(t, "Zoo$Grandchild")
	want := map[string]Value{
		"z": true, "b": int8(-2), "c": uint16(0xFFFE), "s": int16(-3), "i": int32(4), "l": int64(-5),
		"f": float32(1.5), "d": -2.25, "text": "text", "nothing": nil, "more": "more",
	}
	for name, w := range want {
		if got, ok := o.Get(name); !ok || got != w {
			t.Errorf("field %s is %v (%t), expected %v", name, got, ok, w)
		}
	}
	for _, name := range []string{"skipped", "lost", "nosuch"} {
		if v, ok := o.Get(name); ok {
			t.Errorf("field %s is there: %v", name, v)
		}
	}
	numbers, err := Get[*Array](o, "numbers")
	if err != nil || !cmp.Equal(numbers.Items, []int32{1, -1}) {
		t.Errorf("numbers: %v, %v", numbers, err)
	}
	if _, err := Get[string](o, "i"); err == nil || !strings.Contains(err.Error(), "Zoo$Grandchild.i is int32, expected string") {
		t.Errorf("an int read as a string: %v", err)
	}
}

func TestAnnotationsKeepBlocksAndObjectsInOrder(t *testing.T) {
	r := find(t, "Zoo$Custom").Annotation().Reader()
	n, between, rest := r.Int32(), r.Value(), r.Bytes(300)
	utf := r.Bytes(5)
	if n != 300 || between != "between" || len(rest) != 300 || string(utf) != "\x00\x03end" || r.More() || r.Err() != nil {
		t.Errorf("read %d, %v, %d bytes, %q, more %t, %v", n, between, len(rest), utf, r.More(), r.Err())
	}
	if r.Value(); r.Err() == nil {
		t.Error("reading past the end is no error")
	}
	outside := find(t, "Zoo$Outside").Annotation().Reader()
	if five, in, six := outside.Int32(), outside.Value(), outside.Int64(); five != 5 || in != "in" || six != 6 || outside.Err() != nil {
		t.Errorf("external data is %d, %v, %d, %v", five, in, six, outside.Err())
	}
}

func TestEnumsClassesAndProxies(t *testing.T) {
	var enums, classes, proxies []string
	for _, v := range zooValues(t) {
		switch v := v.(type) {
		case *Enum:
			enums = append(enums, Describe(v))
		case *Class:
			classes = append(classes, v.Desc.Name)
		case *Object:
			if v.Class.isProxy() {
				proxies = append(proxies, v.Class.String())
			}
		}
	}
	if d := cmp.Diff([]string{"Zoo$Plain.GREEN", "Zoo$Bodied.LOUD", "java.util.concurrent.TimeUnit.SECONDS"}, enums); d != "" {
		t.Errorf("enums (-want +got):\n%s", d)
	}
	want := []string{"java.lang.String", "int", "Zoo$Plain", "[Ljava.util.Map$Entry;", "java.lang.Comparable", "Zoo$Parent", "java.util.Optional"}
	if d := cmp.Diff(want, classes); d != "" {
		t.Errorf("classes (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"proxy[java.lang.Comparable java.lang.Runnable]"}, proxies); d != "" {
		t.Errorf("proxies (-want +got):\n%s", d)
	}
}

func TestCyclesAndSharingSurvive(t *testing.T) {
	ring := find(t, "Zoo$Node")
	at := ring
	for range 3 {
		next, err := Get[*Object](at, "next")
		if err != nil {
			t.Fatal(err)
		}
		at = next
	}
	if at != ring {
		t.Error("three steps in a ring of three do not lead back")
	}
	b, err := Encode(ring)
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeOne(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b2, err := Encode(again)
	if err != nil || !bytes.Equal(b, b2) {
		t.Errorf("a ring changes when it is encoded again: %v", err)
	}
}

func TestEncodingAndDecodingAreInverse(t *testing.T) {
	values, err := Decode(zooStream(t), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	once, err := Encode(values...)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(once, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Encode(again...)
	if err != nil || !bytes.Equal(once, twice) {
		t.Errorf("the zoo changes when it is encoded again: %v", err)
	}
}

func TestStreamOfOneBooleanByteForByte(t *testing.T) {
	const want = "aced0005" + "7372" + "0011" + "6a6176612e6c616e672e426f6f6c65616e" + "cd207280d59cfaee" +
		"02" + "0001" + "5a" + "0005" + "76616c7565" + "78" + "70" + "01"
	b, err := Encode(mustNew(t, "java.lang.Boolean", map[string]Value{"value": true}))
	if err != nil || hex.EncodeToString(b) != want {
		t.Errorf("Boolean.TRUE is %x (%v), expected %s", b, err, want)
	}
}

// JVMs refuse a reference where the name of an enum constant is expected.
func TestNamesOfConstantsAreAlwaysWrittenOut(t *testing.T) {
	class := &ClassDesc{Name: "E", Flags: Serializable | EnumClass}
	b, err := Encode("A", &Enum{Class: class, Constant: "A"}, &Enum{Class: class, Constant: "A"}, "after")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte{tcString, 0, 1, 'A'}); n != 3 {
		t.Errorf("the name is written out %d times of 3: %x", n, b)
	}
	if back, err := Decode(b, Limits{}); err != nil || back[3] != "after" || back[2].(*Enum).Constant != "A" {
		t.Errorf("read as %v, %v", back, err)
	}
}

func TestFactsRefuseWhatTheyDoNotKnow(t *testing.T) {
	c := table(t)
	for want, fields := range map[string]map[string]Value{
		"class java.lang.Integer has no field valeu": {"valeu": int32(1)},
		"java.lang.Integer.value: string":            {"value": "1"},
	} {
		o, err := c.New("java.lang.Integer", fields)
		if err == nil {
			_, err = Encode(o)
			want = strings.Replace(want, "string", "java.lang.String as a primitive of type I", 1)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fields %v: %v, expected %q", fields, err, want)
		}
	}
	if _, err := c.New("java.lang.Long", nil); err == nil {
		t.Error("a class that the table does not have is made")
	}
}

func TestFactsAreWrittenAsTheyAreRead(t *testing.T) {
	c := table(t)
	var all []*ClassDesc
	for _, name := range c.Names() {
		d, _ := c.Lookup(name)
		all = append(all, d)
	}
	var out bytes.Buffer
	if err := WriteClasses(&out, all); err != nil {
		t.Fatal(err)
	}
	again, err := ParseClasses(&out)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		got, ok := again.Lookup(d.Name)
		if !ok || got.UID != d.UID || got.Flags != d.Flags || !cmp.Equal(got.Fields, d.Fields) || len(got.Lineage()) != len(d.Lineage()) {
			t.Errorf("%v became %v", d, got)
		}
	}
}

func TestTablesThatMakeNoSenseAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"too few words":      "a.B 1 s",
		"no number":          "a.B one s -",
		"unknown flag":       "a.B 1 q -",
		"field before class": "\tx I",
		"unknown type":       "a.B 1 s -\n\tx Q",
		"unknown superclass": "a.B 1 s a.C",
		"own superclass":     "a.B 1 s a.C\na.C 1 s a.B",
		"twice":              "a.B 1 s -\na.B 1 s -",
	} {
		if _, err := ParseClasses(strings.NewReader(text)); err == nil {
			t.Errorf("%s: %q is accepted", name, text)
		}
	}
}

func TestAbortedStreamNamesTheException(t *testing.T) {
	b, err := Encode("before", mustNew(t, "java.lang.Exception", map[string]Value{"detailMessage": "no"}))
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.IndexByte(b, tcObject)
	_, err = Decode(append(append(bytes.Clone(b[:i]), tcException), b[i:]...), Limits{})
	if _, ok := errors.AsType[*AbortedError](err); !ok || !strings.Contains(err.Error(), "java.lang.Exception: no") {
		t.Errorf("aborted stream: %v", err)
	}
}
