package mesosjson_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/internal/wire/mesosjson"
)

// The benchmarks compare with the standard mapping and with the binary encoding on the same messages: a
// status update, which is what flows most, an offer, and a master's whole (small) state.
func benchmarkBodies(b *testing.B) map[string]body {
	b.Helper()
	bodies := make(map[string]body)
	for _, body := range recorded(b) {
		for name, beginning := range map[string]string{
			"update": `{"type":"UPDATE","update":{"status":{"task_id":{"value":"task-1"},"state":"TASK_RUNNING",`,
			"offers": `{"type":"OFFERS",`,
			"state":  `{"type":"GET_STATE","get_state":{"get_tasks":{"tasks":[`,
		} {
			if _, have := bodies[name]; !have && body.fromMesos() && len(body.json) > len(beginning) && body.json[:len(beginning)] == beginning {
				bodies[name] = body
			}
		}
	}
	if len(bodies) != 3 {
		b.Fatalf("recorded bodies: %v", bodies)
	}
	return bodies
}

func BenchmarkWrite(b *testing.B) {
	for name, body := range benchmarkBodies(b) {
		message := newMessage(b, body.name)
		if err := mesosjson.Unmarshal([]byte(body.json), message); err != nil {
			b.Fatal(err)
		}
		protoJSON := protojson.MarshalOptions{UseProtoNames: true}
		for _, codec := range []struct {
			name  string
			write func([]byte) ([]byte, error)
		}{
			{"mesosjson", func(dst []byte) ([]byte, error) { return mesosjson.Append(dst, message) }},
			{"protojson", func(dst []byte) ([]byte, error) { return protoJSON.MarshalAppend(dst, message) }},
			{"protobuf", func(dst []byte) ([]byte, error) { return proto.MarshalOptions{}.MarshalAppend(dst, message) }},
		} {
			b.Run(name+"/"+codec.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body.json)))
				var buffer []byte
				for b.Loop() {
					var err error
					if buffer, err = codec.write(buffer[:0]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for name, body := range benchmarkBodies(b) {
		message := newMessage(b, body.name)
		text := []byte(body.json)
		if err := mesosjson.Unmarshal(text, message); err != nil {
			b.Fatal(err)
		}
		binary, err := proto.Marshal(message)
		if err != nil {
			b.Fatal(err)
		}
		lenient := protojson.UnmarshalOptions{DiscardUnknown: true}
		for _, codec := range []struct {
			name string
			read func() error
		}{
			{"mesosjson", func() error { return mesosjson.Unmarshal(text, message) }},
			{"protojson", func() error { return lenient.Unmarshal(text, message) }},
			{"protobuf", func() error { return proto.Unmarshal(binary, message) }},
		} {
			b.Run(name+"/"+codec.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body.json)))
				for b.Loop() {
					if err := codec.read(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
