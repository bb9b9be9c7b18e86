package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

func TestAcceptedCodec(t *testing.T) {
	for _, test := range []struct {
		accept []string
		want   Codec
	}{
		// Recorded in Mesos: "Connection behaviour".
		{nil, JSON},
		{[]string{"application/json"}, JSON},
		{[]string{"application/x-protobuf"}, Protobuf},
		{[]string{"*/*"}, JSON},
		{[]string{"application/json;q=0.5, application/x-protobuf"}, JSON},
		{[]string{"text/html"}, 0},
		// Concluded.
		{[]string{""}, JSON},
		{[]string{"application/*"}, JSON},
		{[]string{"text/*"}, 0},
		{[]string{"application/x-protobuf", "application/json"}, JSON},
		{[]string{"text/html, application/x-protobuf ;q=0.1"}, Protobuf},
		{[]string{"application/json;q=0, application/x-protobuf"}, Protobuf},
		{[]string{"application/json; Q=0.000"}, 0},
		{[]string{"application/json;charset=utf-8"}, JSON},
		{[]string{"application/jsonx"}, 0},
		{[]string{",;,"}, 0},
	} {
		if got := acceptedCodec(test.accept); got != test.want {
			t.Errorf("Accept %q: %v, expected %v", test.accept, got, test.want)
		}
	}
}

func TestContentTypeNamesACodecOnlyWithoutParameters(t *testing.T) {
	for contentType, want := range map[string]Codec{
		"application/json":                JSON,
		"application/x-protobuf":          Protobuf,
		"application/json; charset=utf-8": 0,
		"application/json;":               0,
		"text/plain":                      0,
		"":                                0,
	} {
		if got := codecOf(contentType); got != want {
			t.Errorf("Content-Type %q: %v, expected %v", contentType, got, want)
		}
	}
}

func TestCodecsRoundTrip(t *testing.T) {
	want := acknowledgeCall()
	for _, codec := range []Codec{JSON, Protobuf} {
		data, err := codec.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := subscribeCall() // has to be overwritten, not merged
		if err := codec.Unmarshal(data, got); err != nil {
			t.Fatal(err)
		}
		clear(data) // as a recycled buffer would be
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", codec, diff)
		}
	}
}

func TestNoCodecIsAnError(t *testing.T) {
	var none Codec
	if _, err := none.Marshal(acknowledgeCall()); err == nil {
		t.Error("encoded without a codec")
	}
	if err := none.Unmarshal(nil, &schedulerpb.Call{}); err == nil {
		t.Error("decoded without a codec")
	}
	if got := none.ContentType() + none.String(); got != "Codec(0)" {
		t.Errorf("no codec calls itself %q", got)
	}
}
