package mesosjson_test

import (
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/internal/wire/mesosjson"
)

// Whatever comes in: no panic, no reading of what is not JSON, and what was understood can be written,
// read again and then says the same.
func FuzzUnmarshal(f *testing.F) {
	bodies := recorded(f)
	kinds := []string{
		"mesos.v1.scheduler.Call", "mesos.v1.executor.Call", "mesos.v1.master.Call", "mesos.v1.agent.Call",
		"mesos.v1.scheduler.Event", "mesos.v1.executor.Event", "mesos.v1.master.Response", "mesos.v1.quota.QuotaConfig",
	}
	for _, b := range bodies {
		if len(b.json) > 1000 {
			continue
		}
		for i, kind := range kinds {
			if kind == b.name {
				f.Add(uint8(i), []byte(b.json))
			}
		}
	}
	f.Add(uint8(0), []byte(`{"type":1e400,"a":["\ud83d\ude00\u12",-0.0e-1,[[null]]]} `))

	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		message := newMessage(t, kinds[int(kind)%len(kinds)])
		err := mesosjson.Unmarshal(data, message)
		if err != nil {
			if answer(err) == "" {
				t.Fatalf("%q: an error of type %T: %v", data, err, err)
			}
			if len(err.Error()) > 1000+10*len(data) {
				t.Fatalf("%d bytes of input made an error of %d", len(data), len(err.Error()))
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q was read, but is not JSON", data)
		}

		text, err := mesosjson.Marshal(message)
		if err != nil {
			t.Fatalf("%q was read but cannot be written: %v", data, err)
		}
		again := message.ProtoReflect().New().Interface()
		if err := mesosjson.Unmarshal(text, again); err != nil {
			t.Fatalf("%q became %s: %v", data, text, err)
		}
		setDefaults(message.ProtoReflect())
		if !proto.Equal(message, again) {
			t.Fatalf("%q became %s, which says\n%v\nand not\n%v", data, text, again, message)
		}
	})
}
