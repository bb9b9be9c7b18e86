package resourcepb

import (
	"math"
	"testing"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// message reads one Resource from JSON, as the recorded exchanges have them.
func message(t *testing.T, json string) *mesos.Resource {
	t.Helper()
	m := &mesos.Resource{}
	if err := protojson.Unmarshal([]byte(json), m); err != nil {
		t.Fatalf("%s: %v", json, err)
	}
	return m
}

func TestRecordedResourcesAreReadAndWrittenAgain(t *testing.T) {
	for _, tt := range []struct {
		format Format
		json   string
		want   string
	}{
		{Classic, `{"name":"cpus","type":"SCALAR","scalar":{"value":8.0},"role":"*","allocation_info":{"role":"*"}}`, "cpus(allocated: *):8"},
		{Classic, `{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":31000,"end":32000}]},"role":"*"}`, "ports:[31000-32000]"},
		{Classic, `{"name":"keys","type":"SET","set":{"item":["a","b"]},"role":"*"}`, "keys:{a, b}"},
		{Classic, `{"name":"cpus","type":"SCALAR","scalar":{"value":0.1},"role":"dev"}`, "cpus(reservations: [(STATIC,dev)]):0.1"},
		{Classic, `{"name":"cpus","type":"SCALAR","scalar":{"value":0.1},"role":"dev","reservation":{"principal":"ops"}}`, "cpus(reservations: [(DYNAMIC,dev,ops)]):0.1"},
		{Classic, `{"name":"cpus","type":"SCALAR","scalar":{"value":1},"reservations":[{"type":"STATIC","role":"dev"},{"type":"DYNAMIC","role":"dev/a"}]}`, "cpus(reservations: [(STATIC,dev),(DYNAMIC,dev/a)]):1"},
		{Stacked, `{"name":"mem","type":"SCALAR","scalar":{"value":8192.0},"allocation_info":{"role":"dev"}}`, "mem(allocated: dev):8192"},
		{
			Stacked,
			`{"name":"cpus","type":"SCALAR","scalar":{"value":1.0},"allocation_info":{"role":"dev"},
			  "reservations":[{"type":"DYNAMIC","role":"dev","labels":{"labels":[{"key":"a","value":"b"}]}}]}`,
			"cpus(allocated: dev)(reservations: [(DYNAMIC,dev,{a: b})]):1",
		},
		{
			Stacked,
			`{"name":"disk","type":"SCALAR","scalar":{"value":10.0},"reservations":[{"type":"DYNAMIC","role":"dev"}],
			  "disk":{"persistence":{"id":"v1"},"volume":{"mode":"RW","container_path":"data"}}}`,
			"disk(reservations: [(DYNAMIC,dev)])[v1:data]:10",
		},
		{
			Stacked,
			`{"name":"disk","type":"SCALAR","scalar":{"value":10.0},"provider_id":{"value":"p"},"revocable":{},
			  "disk":{"source":{"type":"MOUNT","mount":{"root":"/a"},"vendor":"v","id":"i","profile":"f","metadata":{"labels":[{"key":"k"}]}}}}`,
			"disk[MOUNT(v,i,f)]{REV}:10",
		},
		{
			Stacked,
			`{"name":"disk","type":"SCALAR","scalar":{"value":10.0},"reservations":[{"type":"STATIC","role":"dev"}],"shared":{},
			  "disk":{"persistence":{"id":"v1","principal":"ops"},"source":{"type":"PATH","path":{"root":"/a"}},"volume":{"mode":"RO","container_path":"data","host_path":"h"}}}`,
			"disk(reservations: [(STATIC,dev)])[PATH:/a,v1:h:data:ro]<SHARED>:10<1>",
		},
		{Both, `{"name":"cpus","type":"SCALAR","scalar":{"value":8.0},"role":"*"}`, "cpus:8"},
		{
			Both,
			`{"name":"cpus","type":"SCALAR","scalar":{"value":8.0},"role":"dev","reservation":{"principal":"ops"},
			  "reservations":[{"type":"DYNAMIC","role":"dev","principal":"ops"}]}`,
			"cpus(reservations: [(DYNAMIC,dev,ops)]):8",
		},
	} {
		m := message(t, tt.json)
		l, err := FromProto([]*mesos.Resource{m})
		if err != nil || l.String() != tt.want {
			t.Errorf("%s\nis read as %s (%v), want %s", tt.json, l, err, tt.want)
			continue
		}
		if back := ToProto(l, tt.format); len(back) != 1 || !proto.Equal(back[0], m) {
			t.Errorf("%s\nis written as %v", tt.json, back)
		}
	}
}

func TestMalformedResourcesAreRefused(t *testing.T) {
	for _, tt := range []struct{ json, want string }{
		{`{"name":"","type":"SCALAR","scalar":{"value":1}}`, "a resource needs a name"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":-1}}`, "'a': amount -1 is negative"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":0.0004}}`, "'a': amount 0.0004 is less than the smallest, which is 0.001"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":"NaN"}}`, "'a': amount NaN is not a number between 0 and 1125899906842.624"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1e300}}`, "'a': amount 1e+300 is not a number between 0 and 1125899906842.624"},
		{`{"name":"a","type":"SCALAR"}`, "'a': the type is SCALAR, so a value of that type must be set and no other"},
		{`{"name":"a","type":"SET","scalar":{"value":1}}`, "'a': the type is SET, so a value of that type must be set and no other"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1},"set":{"item":["a"]}}`, "'a': the type is SCALAR, so a value of that type must be set and no other"},
		{`{"name":"a","type":"TEXT"}`, "'a': the type is TEXT; only SCALAR, RANGES and SET can be offered"},
		{`{"name":"a","type":9}`, "'a': the type is 9; only SCALAR, RANGES and SET can be offered"},
		{`{"name":"p","type":"RANGES","ranges":{"range":[{"begin":2,"end":1}]}}`, "'p': range 2-1 ends before it begins"},
		{`{"name":"p","type":"RANGES","ranges":{"range":[{"begin":1,"end":4},{"begin":3,"end":6}]}}`, "'p': ranges 1-4 and 3-6 overlap"},
		{`{"name":"s","type":"SET","set":{"item":["a","a"]}}`, `'s': item "a" comes twice in the set`},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1},"role":""}`, "'a': A role needs a name"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1},"role":"/x"}`, "'a': Role '/x' cannot start with a slash"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1},"allocation_info":{"role":"/x"}}`, "resource 'a' is allocated to a wrong role: Role '/x' cannot start with a slash"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1},"role":"*","reservation":{}}`, "'a': role '*' is everybody's, nothing can be reserved to it"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1},"role":"x","reservation":{"type":"DYNAMIC"}}`, "'a': the field 'reservation' must have neither type nor role; 'reservations' is where they go"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1},"role":"x","reservations":[{"type":"DYNAMIC","role":"x"}]}`, "'a': the fields 'role' and 'reservation' contradict '(reservations: [(DYNAMIC,x)])'"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1},"role":"x","reservations":[{"type":"STATIC","role":"x"},{"type":"DYNAMIC","role":"x/y"}]}`, "'a': the fields 'role' and 'reservation' cannot express 2 reservations and must not be set"},
		{`{"name":"a","type":"SCALAR","scalar":{"value":1},"reservations":[{"role":"x"}]}`, "resource 'a' is reserved wrongly: the reservation of role 'x' is neither STATIC nor DYNAMIC"},
		{`{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"volume":{"container_path":"a","mode":"RW","image":{"type":"DOCKER"}}}}`, "'disk': its volume has an image or source, which a disk resource cannot have"},
		{`{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"source":{"type":"PATH","mount":{"root":"a"}}}}`, "'disk': its disk source is a PATH, but has the root of something else"},
	} {
		good := message(t, `{"name":"cpus","type":"SCALAR","scalar":{"value":1}}`)
		_, err := FromProto([]*mesos.Resource{good, message(t, tt.json)})
		if want := "resource 2 of 2: " + tt.want; err == nil || err.Error() != want {
			t.Errorf("%s\ngives %v, want\n%s", tt.json, err, want)
		}
	}
}

func TestListsAreBounded(t *testing.T) {
	if _, err := FromProto(make([]*mesos.Resource, resources.MaxResources+1)); err == nil {
		t.Error("a list that is too long was read")
	}
	if _, err := FromProto([]*mesos.Resource{nil}); err == nil {
		t.Error("a resource that is missing was read")
	}
}

func TestAttributesSurviveTheWire(t *testing.T) {
	attributes, err := resources.ParseAttributes("rack:abc;level:10.12345;ports:[1-2];keys:{a,b}")
	if err != nil {
		t.Fatal(err)
	}
	messages := AttributesToProto(attributes)
	back, err := AttributesFromProto(messages)
	if err != nil || !resources.EqualAttributes(attributes, back) {
		t.Errorf("%v became %v (%v)", attributes, back, err)
	}
	messages[1].Scalar.Value = new(math.NaN())
	if _, err := AttributesFromProto(messages); err == nil || err.Error() != "attribute 2, 'level': NaN is not a number that JSON can express" {
		t.Errorf("an attribute that is no number gives %v", err)
	}
	messages[1].Scalar = nil
	if _, err := AttributesFromProto(messages); err == nil || err.Error() != "attribute 2, 'level': the type is SCALAR, but there is no value of that type" {
		t.Errorf("an attribute without value gives %v", err)
	}
}

func TestListsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var items []resources.Resource
		for range rapid.IntRange(0, 5).Draw(t, "n") {
			spec := resources.Spec{
				Name:      rapid.SampledFrom([]string{"cpus", "disk"}).Draw(t, "name"),
				Scalar:    resources.Scalar(rapid.Int64Range(1, int64(resources.MaxScalar)).Draw(t, "amount")),
				Allocated: rapid.SampledFrom([]ids.Role{"", "*", "dev/a"}).Draw(t, "allocated"),
				Revocable: rapid.Bool().Draw(t, "revocable"),
			}
			for i := range rapid.IntRange(0, 2).Draw(t, "reservations") {
				spec.Reservations = append(spec.Reservations, resources.Reservation{
					Kind: resources.Dynamic,
					Role: [...]ids.Role{"dev", "dev/a"}[i],
					Labels: rapid.SampledFrom([][]resources.Label{
						nil, {{Key: "a"}}, {{Key: "a", HasValue: true}, {Key: "b", Value: "c", HasValue: true}},
					}).Draw(t, "labels"),
				})
			}
			r, err := resources.New(spec)
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, r)
		}
		l := resources.ListOf(items...)
		format := Format(rapid.IntRange(int(Stacked), int(Both)).Draw(t, "format"))
		back, err := FromProto(ToProto(l, format))
		if err != nil && l.Scalar("cpus") <= resources.MaxScalar && l.Scalar("disk") <= resources.MaxScalar {
			t.Fatalf("%s: %v", l, err)
		}
		if err == nil && (!back.Equal(l) || back.String() != l.String()) {
			t.Fatalf("%s became %s", l, back)
		}
	})
}

func FuzzFromProto(f *testing.F) {
	l := resources.MustParse("cpus(dev):1;ports:[1-9];keys:{a}")
	for _, m := range ToProto(l, Both) {
		seed, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &mesos.Resource{}
		if proto.Unmarshal(data, m) != nil {
			return
		}
		l, err := FromProto([]*mesos.Resource{m})
		if err != nil {
			return
		}
		for _, format := range []Format{Stacked, Classic, Both} {
			back, err := FromProto(ToProto(l, format))
			if err != nil || !back.Equal(l) {
				t.Errorf("%s became %s in format %d (%v)", l, back, format, err)
			}
		}
	})
}
