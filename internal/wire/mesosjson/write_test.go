package mesosjson_test

import (
	"math"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	quotapb "github.com/meseta/meseta/api/mesos/v1/quota"
	"github.com/meseta/meseta/internal/wire/mesosjson"
)

func TestDoublesAlwaysHaveAPointOrAnExponent(t *testing.T) {
	for _, test := range []struct {
		f    float64
		want string
	}{
		{0, "0.0"},
		{math.Copysign(0, -1), "-0.0"},
		{1, "1.0"},
		{-15, "-15.0"},
		{8192, "8192.0"},
		{0.1, "0.1"},
		{7.9, "7.9"},
		{1795166295.671005, "1795166295.671005"},
		{1795166526.9005237, "1795166526.9005237"},
		{0.00390625, "0.00390625"},
		{0.000001, "0.000001"},
		{0.0000001, "1e-7"},
		{1.5e-7, "1.5e-7"},
		{1 << 53, "9007199254740992.0"},
		{1e20, "100000000000000000000.0"},
		{123456789012345680000, "123456789012345680000.0"},
		{1e21, "1e21"},
		{-1.25e+300, "-1.25e300"},
		{math.MaxFloat64, "1.7976931348623157e308"},
		{math.SmallestNonzeroFloat64, "5e-324"},
		{math.NaN(), `"NaN"`},
		{math.Inf(1), `"Infinity"`},
		{math.Inf(-1), `"-Infinity"`},
	} {
		text, err := mesosjson.Marshal(&mesos.Value_Scalar{Value: &test.f})
		if want := `{"value":` + test.want + `}`; err != nil || string(text) != want {
			t.Errorf("%v: %s, %v; want %s", test.f, text, err, want)
		}
	}
}

func TestStringsEscapeOnlyWhatTheyMust(t *testing.T) {
	for _, test := range []struct{ s, want string }{
		{"", `""`},
		{"plain/path?a=b&c=<d>", `"plain/path?a=b&c=<d>"`},
		{`"quoted\"`, `"\"quoted\\\""`},
		{"\b\f\n\r\t", `"\b\f\n\r\t"`},
		{"\x00\x1f\x7f", `"\u0000\u001F` + "\x7f" + `"`},
		{"äöü € 😀 \u2028", `"äöü € 😀 ` + "\u2028" + `"`},
		{"a\xffb\xe2\x82", `"a` + "\uFFFD" + `b` + "\uFFFD\uFFFD" + `"`},
		{"\uFFFD", `"` + "\uFFFD" + `"`},
	} {
		text, err := mesosjson.Marshal(&mesos.TaskID{Value: &test.s})
		if want := `{"value":` + test.want + `}`; err != nil || string(text) != want {
			t.Errorf("%q: %s, %v; want %s", test.s, text, err, want)
		}
	}
}

func TestWhatIsWrittenThoughItIsNotSet(t *testing.T) {
	unknown := &mesos.TaskID{Value: new("t")}
	unknown.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 1000, protowire.VarintType), 1))

	for _, test := range []struct {
		name    string
		message proto.Message
		want    string
	}{
		{"nothing", &mesos.Labels{}, `{}`},
		{"defaults", &mesos.FrameworkInfo{User: new("u"), Name: new("n")}, `{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false}`},
		{"deprecated defaults are not", &mesos.Resource{Name: new("cpus"), Type: mesos.Value_SCALAR.Enum()}, `{"name":"cpus","type":"SCALAR"}`},
		{"defaults that are enums", &mesos.NetworkInfo_IPAddress{}, `{"protocol":"IPv4"}`},
		{"lists that Mesos streams", &masterpb.Response_GetTasks{}, `{"tasks":[],"unreachable_tasks":[],"completed_tasks":[]}`},
		{"empty message", &masterpb.Response{GetOperations: &masterpb.Response_GetOperations{}}, `{"get_operations":{}}`},
		{"empty bytes", &executorpb.Call_Message{Data: []byte{}}, `{"data":""}`},
		{"unknown fields are not", unknown, `{"value":"t"}`},
		{"enums of another version are not", &mesos.FrameworkInfo_Capability{Type: new(mesos.FrameworkInfo_Capability_Type(99))}, `{}`},
		{"a default stands for them", &mesos.NetworkInfo_IPAddress{Protocol: new(mesos.NetworkInfo_Protocol(99))}, `{"protocol":"IPv4"}`},
		{"their number, where one is required", &mesos.Value{Type: new(mesos.Value_Type(99))}, `{"type":99}`},
		{"maps by key", &quotapb.QuotaConfig{Role: new("r"), Limits: map[string]*mesos.Value_Scalar{
			"mem": {Value: new(2.0)}, "cpus": {Value: new(1.0)}, "disk": {Value: new(3.0)},
		}}, `{"role":"r","limits":{"cpus":{"value":1.0},"disk":{"value":3.0},"mem":{"value":2.0}}}`},
	} {
		text, err := mesosjson.Marshal(test.message)
		if err != nil || string(text) != test.want {
			t.Errorf("%s: %s, %v; want %s", test.name, text, err, test.want)
		}
	}
}

func TestAppendKeepsWhatIsThereAndReturnsItOnError(t *testing.T) {
	dst := []byte("21\n")
	text, err := mesosjson.Append(dst, &mesos.TaskID{Value: new("t")})
	if want := "21\n" + `{"value":"t"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}

	for _, test := range []struct {
		message proto.Message
		want    string
	}{
		{&mesos.Offer{Id: &mesos.OfferID{}}, "id: required field mesos.v1.OfferID.value is not set"},
	} {
		text, err := mesosjson.Append(dst, test.message)
		if string(text) != "21\n" || err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%q, %v; want %s", text, err, test.want)
		}
	}
}

// Plans are made by whoever comes first; the race detector watches.
func TestManyGoroutinesMayStartAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for _, kind := range messageTypes(t) {
		wg.Go(func() {
			if err := mesosjson.Unmarshal([]byte(`{}`), kind.New().Interface()); err != nil && !strings.HasPrefix(err.Error(), "Missing") {
				t.Errorf("%s: %v", kind.Descriptor().FullName(), err)
			}
		})
	}
	wg.Wait()
}
