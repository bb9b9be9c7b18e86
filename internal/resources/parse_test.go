package resources

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", "{}"},
		{" ; ", "{}"},
		{"cpus:8;mem:8192;disk:10000", "cpus:8; mem:8192; disk:10000"},
		{" cpus : 0.5 ; ports : [ 31000 - 32000 , 33000-33005 ] ", "cpus:0.5; ports:[31000-32000, 33000-33005]"},
		{"set:{a, b}", "set:{a, b}"},
		{"cpus(role):2;cpus(*):1", "cpus(reservations: [(STATIC,role)]):2; cpus:1"},
		{"cpus( eng/a ):2", "cpus(reservations: [(STATIC,eng/a)]):2"},
		{"cpus:1;cpus:2.5", "cpus:3.5"},
		{"ports:[1-5,3-9]", "ports:[1-9]"},
		{"mem:1e3", "mem:1000"},
		{"cpus:0;mem:1", "mem:1"},
		{`[]`, "{}"},
		{`[{"name":"cpus","type":"SCALAR","scalar":{"value":24}},
		   {"name":"mem","type":"SCALAR","scalar":{"value":24576.5},"role":"*"}]`, "cpus:24; mem:24576.5"},
		{`[{"name":"cpus","type":"SCALAR","scalar":{"value":2},"role":"dev"}]`, "cpus(reservations: [(STATIC,dev)]):2"},
		{`[{"name":"cpus","type":"SCALAR","scalar":{"value":2},"reservations":[
		     {"type":"STATIC","role":"dev","principal":"p","labels":{"labels":[{"key":"k"}]}}]}]`,
			"cpus(reservations: [(STATIC,dev,p,{k})]):2"},
		{`[{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":5,"end":6},{"begin":1,"end":2}]}}]`, "ports:[1-2, 5-6]"},
		{`[{"name":"keys","type":"SET","set":{"item":["b","a"]}}]`, "keys:{a, b}"},
		{`[{"name":"disk","type":"SCALAR","scalar":{"value":10},"disk":{"source":{"type":"MOUNT","mount":{"root":"/mnt/a"}}}}]`, "disk[MOUNT:/mnt/a]:10"},
		{`[{"name":"disk","type":"SCALAR","scalar":{"value":10},"disk":{"source":{"type":"PATH","path":{"root":"/mnt/a"}}}}]`, "disk[PATH:/mnt/a]:10"},
	} {
		got, err := Parse(tt.in)
		if err != nil || got.String() != tt.want {
			t.Errorf("Parse(%s) = %s, %v; want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"cpus", `resource "cpus" is not written as name:value`},
		{"cpus:1:2", `resource "cpus:1:2" is not written as name:value`},
		{":1", `resource ":1": the name is missing`},
		{"cpus:", `resource "cpus:": the value is missing`},
		{"cpus:many", `resource "cpus:many": "many" is not a number from 0, ranges in [] or a set in {}`},
		{"cpus:-1", `resource "cpus:-1": "-1" is not a number from 0, ranges in [] or a set in {}`},
		{"cpus:0x10", `resource "cpus:0x10": "0x10" is not a number from 0, ranges in [] or a set in {}`},
		{"cpus:1e20", `resource "cpus:1e20": amount 1e+20 is not a number between 0 and 1125899906842.624`},
		{"cpus:0.0001", `resource "cpus:0.0001": amount 0.0001 is less than the smallest, which is 0.001`},
		{"cpus(dev:1", `resource "cpus(dev:1": the parenthesis that begins the role is not closed`},
		{"cpus(a b):1", `resource "cpus(a b):1": Role component 'a b' is invalid because it contains backspace or whitespace`},
		{"ports:[1-2", `resource "ports:[1-2": the ranges "[1-2" do not end with a bracket`},
		{"ports:[1]", `resource "ports:[1]": range "1" is not two whole numbers with a dash between`},
		{"ports:[5-1]", `resource "ports:[5-1]": range 5-1 ends before it begins`},
		{"keys:{a,a}", `resource "keys:{a,a}": item "a" comes twice in the set`},
		{"keys:{a", `resource "keys:{a": the set "{a" does not end with a brace`},
		{"cpus:1;cpus:[1-2]", "resource 'cpus' is given once as SCALAR and once as RANGES"},
		{strings.Repeat("a:1;", 3000), "more than 2048 resources are given"},
		{`[{`, `the resources are not a JSON array of resources: unexpected end of JSON input`},
		{`[null]`, `resource 1 of the JSON array: it has no name`},
		{`[{"name":"cpus","type":"SCALAR"}]`, `resource 1 of the JSON array: 'cpus' has the type "SCALAR", but no value of it; there are SCALAR, RANGES and SET`},
		{`[{"name":"cpus","type":"SCALAR","scalar":{"value":-1}}]`, `resource 1 of the JSON array: 'cpus': amount -1 is negative`},
		{`[{"name":"p","type":"RANGES","ranges":{"range":[{"begin":1,"end":3},{"begin":2,"end":4}]}}]`, `resource 1 of the JSON array: 'p': ranges 1-3 and 2-4 overlap`},
		{`[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"revocable":{}}]`, `resource 1 of the JSON array: 'cpus' is revocable, which an agent cannot be given but finds out itself`},
		{`[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"persistence":{"id":"a"}}}]`, `resource 1 of the JSON array: 'disk' is a volume, which an agent cannot be given but a framework creates`},
		{`[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"DYNAMIC","role":"dev"}]}]`, `resource 1 of the JSON array: 'cpus': the reservation of role 'dev' is DYNAMIC, but an agent can only be given STATIC ones`},
		{`[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[null]}]`, `resource 1 of the JSON array: 'cpus': a reservation is null`},
		{`[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"X","role":"dev"}]}]`, `resource 1 of the JSON array: 'cpus': a reservation has the type "X"; there are STATIC and DYNAMIC`},
		{`[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"a","reservations":[{"type":"STATIC","role":"b"}]}]`, `resource 1 of the JSON array: 'cpus': the fields 'role' and 'reservation' contradict '(reservations: [(STATIC,b)])'`},
		{`[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"RAW","path":{"root":"/a"}}}}]`, `resource 1 of the JSON array: 'disk': its disk source is a RAW, but has the root of something else`},
		{`[{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"X"}}}]`, `resource 'disk': the type of its disk source is none of PATH, MOUNT, BLOCK and RAW`},
	} {
		if l, err := Parse(tt.in); err == nil || err.Error() != tt.want {
			t.Errorf("Parse(%.80s) says\n  %v, want\n  %s (got %s)", tt.in, err, tt.want, l)
		}
	}
}

func TestParseAttributes(t *testing.T) {
	got, err := ParseAttributes("rack:abc;zone: west ;level:10.12345;ports:[1-2];keys:{b,a};url:http://a:1/x;low:-5;n:inf")
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		kind Kind
		text string
	}{
		{KindText, "rack:abc"},
		{KindText, "zone:west"},
		{KindScalar, "level:10.12345"},
		{KindRanges, "ports:[1-2]"},
		{KindSet, "keys:{a, b}"},
		{KindText, "url:http://a:1/x"},
		{KindText, "low:-5"},
		{KindText, "n:inf"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i, a := range got {
		if a.Value.Kind != want[i].kind || a.String() != want[i].text {
			t.Errorf("attribute %d is %s, a %s; want %s, a %s", i, a, a.Value.Kind, want[i].text, want[i].kind)
		}
	}
	reversed, err := ParseAttributes("n:inf;low:-5;url:http://a:1/x;keys:{a,b};ports:[1-2];level:10.12345;zone:west;rack:abc")
	if err != nil || !EqualAttributes(got, reversed) {
		t.Errorf("%v and %v differ (%v)", got, reversed, err)
	}
	if EqualAttributes(got, append(got[:7:7], got[0])) {
		t.Error("an attribute that comes twice made up for another one")
	}
}

func TestParseAttributesSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"rack", `attribute "rack" is not written as name:value`},
		{":abc", `attribute ":abc" is not written as name:value`},
		{"rack:", `attribute "rack:": the value is missing`},
		{"ports:[1", `attribute "ports:[1": the ranges "[1" do not end with a bracket`},
		{strings.Repeat("a:1;", 1025), "more than 1024 attributes are given"},
	} {
		if _, err := ParseAttributes(tt.in); err == nil || err.Error() != tt.want {
			t.Errorf("ParseAttributes(%.80s) says %v, want %s", tt.in, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"cpus:8;mem:8192;disk:10000;ports:[31000-32000, 33000-33005];set:{a,b}",
		"cpus(role):2",
		`[{"name":"disk","type":"SCALAR","scalar":{"value":10},"disk":{"source":{"type":"MOUNT","mount":{"root":"/a"}}}}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(text)
		if err != nil {
			return
		}
		if rest, ok := l.Take(l); !ok || !rest.IsEmpty() {
			t.Errorf("%q gives %s, which does not contain itself", text, l)
		}
		for r := range l.All() {
			if _, err := New(r.Spec()); err != nil {
				t.Errorf("%q gives %s, which cannot be made again: %v", text, r, err)
			}
		}
	})
}

func FuzzParseAttributes(f *testing.F) {
	f.Add("rack:abc;zone:west;level:10;ports:[1-2];keys:{a,b}")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseAttributes(text)
		if err != nil {
			return
		}
		if !EqualAttributes(list, list) {
			t.Errorf("%q gives %v, which differs from itself", text, list)
		}
	})
}
