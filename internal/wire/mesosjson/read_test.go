package mesosjson_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	quotapb "github.com/meseta/meseta/api/mesos/v1/quota"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/wire/mesosjson"
)

// The answers of a real master begin with these words.
const (
	notJSON    = "Failed to parse body into JSON: "
	notMessage = "Failed to convert JSON into Call protobuf: "
)

// answer is what a Mesos server says about a body that it cannot read.
func answer(err error) string {
	if _, ok := errors.AsType[*mesosjson.SyntaxError](err); ok {
		return notJSON + err.Error()
	}
	if _, ok := errors.AsType[*mesosjson.ConvertError](err); ok {
		return notMessage + err.Error()
	}
	return "" // no error, or one of a type that nobody promised
}

func TestRefusalsReadAsMesosWritesThem(t *testing.T) {
	call := new(schedulerpb.Call)
	for _, test := range []struct{ name, body, want string }{
		// Recorded.
		{"cut off", `{"type":`, notJSON + "syntax error at line 1 near: "},
		{"only a bracket", `{`, notJSON + "syntax error at line 1 near: "},
		{"empty", ``, notJSON + "syntax error at line 1 near: "},
		{"a list", `[1,2]`, notMessage + "Expecting a JSON object"},
		{"wrong kind", `{"type":"SUBSCRIBE","subscribe":"x"}`, notMessage + "Not expecting a JSON string for field 'subscribe'"},
		{"required fields missing", `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"roles":["*"]}}}`,
			notMessage + "Missing required fields: subscribe.framework_info.user, subscribe.framework_info.name"},

		// Made up after them.
		{"blank", " \n\t", notJSON + "syntax error at line 2 near: "},
		{"second line", "{\n\"type\" SUBSCRIBE}\n", notJSON + "syntax error at line 2 near: SUBSCRIBE}"},
		{"long line", `{"type":` + strings.Repeat("x", 500), notJSON + "syntax error at line 1 near: " + strings.Repeat("x", 80)},
		{"unprintable", "{\"type\":\x01\xff}", notJSON + "syntax error at line 1 near: \uFFFD}"},
		{"more than one document", `{} {}`, notJSON + "Parsed JSON included non-whitespace trailing characters: {}"},
		{"comma at the end", `{"type":"REVIVE",}`, notJSON + "syntax error at line 1 near: }"},
		{"newline in a string", "{\"type\":\"A\nB\"}", notJSON + "syntax error at line 1 near: "},
		{"wrong escape", `{"type":"\x"}`, notJSON + `syntax error at line 1 near: "}`},
		{"half an escape", `{"type":"\u12"}`, notJSON + `syntax error at line 1 near: \u12"}`},
		{"leading zero", `{"a":01}`, notJSON + "syntax error at line 1 near: 1}"},
		{"no digits", `{"a":-}`, notJSON + "syntax error at line 1 near: -}"},
		{"not a word", `{"a":nil}`, notJSON + "syntax error at line 1 near: nil}"},
		{"syntax comes before types", `{"subscribe":"x"`, notJSON + "syntax error at line 1 near: "},
		{"a string", `"x"`, notMessage + "Expecting a JSON object"},
		{"null", `null`, notMessage + "Expecting a JSON object"},
		{"number", `{"subscribe":1}`, notMessage + "Not expecting a JSON number for field 'subscribe'"},
		{"boolean", `{"type":true}`, notMessage + "Not expecting a JSON boolean for field 'type'"},
		{"object", `{"type":{}}`, notMessage + "Not expecting a JSON object for field 'type'"},
		{"array", `{"subscribe":[]}`, notMessage + "Not expecting a JSON array for field 'subscribe'"},
		{"list in a list", `{"accept":{"offer_ids":[[]]}}`, notMessage + "Not expecting a JSON array for field 'offer_ids'"},
		{"array for a map", `{"subscribe":{"offer_constraints":{"role_constraints":[]}}}`, notMessage + "Not expecting a JSON array for field 'role_constraints'"},
		{"number for text", `{"framework_id":{"value":1}}`, notMessage + "Not expecting a JSON number for field 'value'"},
		{"text for a number", `{"decline":{"filters":{"refuse_seconds":"soon"}}}`, notMessage + "Failed to parse 'soon' as a JSON number for field 'refuse_seconds': syntax error at line 1 near: soon"},
		{"text of another kind", `{"decline":{"filters":{"refuse_seconds":"true"}}}`, notMessage + "Failed to parse 'true' as a JSON number for field 'refuse_seconds': Unexpected JSON type parsed"},
		{"text for a bool", `{"subscribe":{"framework_info":{"checkpoint":"yes"}}}`, notMessage + "Failed to parse 'yes' as a JSON boolean for field 'checkpoint': syntax error at line 1 near: yes"},
		{"too large a double", `{"decline":{"filters":{"refuse_seconds":1e999}}}`, notMessage + "Number 1e999 for field 'refuse_seconds' is not in the range of double"},
		{"bytes", `{"acknowledge":{"uuid":"*"}}`, notMessage + "Failed to base64 decode bytes field 'uuid': illegal base64 data at input byte 0"},
		{"unknown name of a required enum", `{"accept":{"operations":[{"launch":{"task_infos":[{"resources":[{"type":"SIZE"}]}]}}]}}`,
			notMessage + "Failed to find enum for 'SIZE'"},
		{"required fields missing in lists", `{"accept":{"offer_ids":[{"value":"1"},{}],"operations":[{"type":"LAUNCH","launch":{"task_infos":[{"name":"a"}]}}]}}`,
			notMessage + "Missing required fields: accept.offer_ids[1].value, accept.operations[0].launch.task_infos[0].task_id, accept.operations[0].launch.task_infos[0].agent_id"},
		{"required field is null", `{"framework_id":{"value":null}}`, notMessage + "Missing required fields: framework_id.value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := mesosjson.Unmarshal([]byte(test.body), call)
			if have := answer(err); have != test.want {
				t.Errorf("%s\nhave %q (%v)\nwant %q", test.body, have, err, test.want)
			}
		})
	}
}

func TestMissingFieldsInMapsAreNamedByKey(t *testing.T) {
	err := mesosjson.Unmarshal([]byte(`{"role":"dev","limits":{"mem":{},"cpus":{}}}`), new(quotapb.QuotaConfig))
	if want := "Missing required fields: limits[cpus].value, limits[mem].value"; err == nil || err.Error() != want {
		t.Errorf("have %v, want %s", err, want)
	}
}

func TestErrorsDoNotGrowWithTheInput(t *testing.T) {
	body := `{"accept":{"offer_ids":[` + strings.Repeat("{},", 100_000) + `{}]}}`
	err := mesosjson.Unmarshal([]byte(body), new(schedulerpb.Call))
	if err == nil || len(err.Error()) > 10_000 || !strings.HasSuffix(err.Error(), "accept.offer_ids[99].value, ...") {
		t.Errorf("have %.300v", err)
	}
}

func TestNestingIsBounded(t *testing.T) {
	nest := func(levels int) []byte {
		return []byte(`{"unknown":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + "}")
	}
	if err := mesosjson.Unmarshal(nest(200), new(schedulerpb.Call)); err != nil {
		t.Errorf("200 levels: %v", err)
	}
	err := mesosjson.Unmarshal(nest(201), new(schedulerpb.Call))
	if want := notJSON + "objects and lists nest deeper than 200 levels"; answer(err) != want {
		t.Errorf("201 levels: have %v, want %s", err, want)
	}
	parents := strings.Repeat(`{"value":"a","parent":`, 1_000_000)
	if err := mesosjson.Unmarshal([]byte(parents), new(mesos.ContainerID)); answer(err) == "" {
		t.Errorf("a million parents: %v", err)
	}
}

func TestReadingIsLenient(t *testing.T) {
	id := func(value string) *mesos.OfferID { return &mesos.OfferID{Value: &value} }
	for _, test := range []struct {
		name, body string
		want       proto.Message
	}{
		{"white space", " {\r\n\t\"type\" : \"REVIVE\" } ", &schedulerpb.Call{Type: schedulerpb.Call_REVIVE.Enum()}},
		{"unknown members", `{"zzz":{"a":[1,-2.5e+3,"\u00e4",true,false,null,{}]},"type":"REVIVE"}`, &schedulerpb.Call{Type: schedulerpb.Call_REVIVE.Enum()}},
		{"unknown name of an optional enum", `{"type":"NO_SUCH"}`, &schedulerpb.Call{}},
		{"unknown names in a list", `{"capabilities":["CHOWN","FLY"]}`, &mesos.CapabilityInfo{Capabilities: []mesos.CapabilityInfo_Capability{mesos.CapabilityInfo_CHOWN}}},
		{"null is unset", `{"type":null,"accept":null,"subscribe":null}`, &schedulerpb.Call{}},
		{"null elements", `{"offer_ids":[null,{"value":"1"},null]}`, &schedulerpb.Call_Decline{OfferIds: []*mesos.OfferID{id("1")}}},
		{"null list", `{"offer_ids":null}`, &schedulerpb.Call_Decline{}},
		{"null entry", `{"role":"dev","limits":{"cpus":null}}`, &quotapb.QuotaConfig{Role: new("dev")}},
		{"empty list", `{"offer_ids":[]}`, &schedulerpb.Call_Decline{}},
		{"bare element", `{"offer_ids":{"value":"1"}}`, &schedulerpb.Call_Decline{OfferIds: []*mesos.OfferID{id("1")}}},
		{"bare text", `{"groups":"a"}`, &mesos.NetworkInfo{Groups: []string{"a"}}},
		{"last member wins", `{"offer_ids":[{"value":"1"}],"offer_ids":[{"value":"2"}]}`, &schedulerpb.Call_Decline{OfferIds: []*mesos.OfferID{id("2")}}},
		{"last member wins, null", `{"type":"REVIVE","type":null}`, &schedulerpb.Call{}},
		{"last member wins, whole", `{"container_id":{"value":"a","parent":{"value":"b"}},"container_id":{"value":"c"}}`,
			&executorpb.Event_Subscribed{ContainerId: &mesos.ContainerID{Value: new("c")}}},
		{"last key wins", `{"role":"dev","limits":{"cpus":{"value":1},"cpus":{"value":2}}}`,
			&quotapb.QuotaConfig{Role: new("dev"), Limits: map[string]*mesos.Value_Scalar{"cpus": {Value: new(2.0)}}}},
		{"last key wins, null", `{"role":"dev","limits":{"cpus":{"value":1},"cpus":null}}`, &quotapb.QuotaConfig{Role: new("dev")}},
		{"bool as text", `{"mark_gone":"true"}`, &mesos.DrainConfig{MarkGone: new(true)}},
		{"bool as text, false", `{"mark_gone":"false"}`, &mesos.DrainConfig{MarkGone: new(false)}},
		{"number as text", `{"value":"0.5"}`, &mesos.Value_Scalar{Value: new(0.5)}},
		{"integer as text", `{"begin":"31000","end":"18446744073709551615"}`, &mesos.Value_Range{Begin: new(uint64(31000)), End: new(uint64(1<<64 - 1))}},
		{"infinity", `{"value":"Infinity"}`, &mesos.Value_Scalar{Value: new(math.Inf(1))}},
		{"negative infinity", `{"value":"-Infinity"}`, &mesos.Value_Scalar{Value: new(math.Inf(-1))}},
		{"not a number", `{"value":"NaN"}`, &mesos.Value_Scalar{Value: new(math.NaN())}},
		{"integer as double", `{"nanoseconds":5e9}`, &mesos.DurationInfo{Nanoseconds: new(int64(5e9))}},
		{"double as integer", `{"value":32}`, &mesos.Value_Scalar{Value: new(32.0)}},
		{"smallest integer", `{"nanoseconds":-9223372036854775808}`, &mesos.DurationInfo{Nanoseconds: new(int64(-1 << 63))}},
		{"escapes", `{"value":"\"\\\/\b\f\n\r\t\u0041\u00E4\u20ac\ud83d\ude00ä"}`, id("\"\\/\b\f\n\r\tAä€😀ä")},
		{"escaped name", `{"v\u0061lue":"x"}`, id("x")},
		{"half a character", `{"value":"\ud83dx\ude00\ud83d\u0041"}`, id("\uFFFDx\uFFFD\uFFFDA")},
		{"not UTF-8", "{\"value\":\"a\xffb\xc3\"}", id("a\uFFFDb\uFFFD")},
	} {
		t.Run(test.name, func(t *testing.T) {
			have := test.want.ProtoReflect().New().Interface()
			err := mesosjson.Unmarshal([]byte(test.body), have)
			if _, missing := errors.AsType[*mesosjson.ConvertError](err); missing && strings.HasPrefix(err.Error(), "Missing") {
				err = nil // not the point here
			}
			if err != nil {
				t.Fatalf("%s: %v", test.body, err)
			}
			if diff := cmp.Diff(test.want, have, protocmp.Transform(), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("%s (-want +have):\n%s", test.body, diff)
			}
		})
	}
}

func TestBase64InAllItsForms(t *testing.T) {
	want := []byte{0xfb, 0xff, 0xbf, 0x01}
	for _, text := range []string{"+/+/AQ==", "+/+/AQ", "-_-_AQ==", "-_-_AQ", "-_-_AQ=="} {
		message := new(executorpb.Call_Message)
		if err := mesosjson.Unmarshal([]byte(`{"data":"`+text+`"}`), message); err != nil || string(message.Data) != string(want) {
			t.Errorf("%q: %x, %v", text, message.Data, err)
		}
	}
	empty := new(executorpb.Call_Message)
	if err := mesosjson.Unmarshal([]byte(`{"data":""}`), empty); err != nil || empty.Data == nil {
		t.Errorf("empty bytes: %v, %v; want them set", empty.Data, err)
	}
	for _, text := range []string{"A", "AQ=", "AQ===", "+_+_", "=", "A Q="} {
		if err := mesosjson.Unmarshal([]byte(`{"data":"`+text+`"}`), empty); err == nil {
			t.Errorf("%q was read as %x", text, empty.Data)
		}
	}
}

func TestIntegersAreNeverCutToFit(t *testing.T) {
	for _, test := range []struct {
		message      proto.Message
		field        string
		bad, allowed []string
	}{
		{new(mesos.Address), "port", []string{"2147483648", "-2147483649", "1.5", "1e10"}, []string{"2147483647", "-2147483648", "5050.0"}},
		{new(mesos.MasterInfo), "ip", []string{"4294967296", "-1", "0.1"}, []string{"4294967295", "1e3"}},
		{new(mesos.DurationInfo), "nanoseconds", []string{"9223372036854775808", "-9223372036854775809", "1e19", "0.5", "1e-1"}, []string{"9223372036854775807", "-1e18"}},
		{new(masterpb.Call_ReadFile), "offset", []string{"18446744073709551616", "-1", "-1.0", "1e20", "1e999"}, []string{"18446744073709551615", "0"}},
	} {
		for _, digits := range test.bad {
			err := mesosjson.Unmarshal([]byte(`{"`+test.field+`":`+digits+`}`), test.message)
			if err == nil || !strings.HasPrefix(err.Error(), "Number "+digits+" for field '"+test.field+"' is not in the range of ") {
				t.Errorf("%s %s: %v", test.field, digits, err)
			}
		}
		for _, digits := range test.allowed {
			err := mesosjson.Unmarshal([]byte(`{"`+test.field+`":`+digits+`}`), test.message)
			if err != nil && !strings.HasPrefix(err.Error(), "Missing required fields") {
				t.Errorf("%s %s: %v", test.field, digits, err)
			}
		}
	}
}

func TestUnmarshalReplacesTheMessage(t *testing.T) {
	call := &schedulerpb.Call{Type: schedulerpb.Call_KILL.Enum(), Kill: &schedulerpb.Call_Kill{}}
	if err := mesosjson.Unmarshal([]byte(`{"type":"REVIVE"}`), call); err != nil {
		t.Fatal(err)
	}
	if call.Kill != nil {
		t.Errorf("left over: %v", call.Kill)
	}
}
