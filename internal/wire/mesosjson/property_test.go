package mesosjson_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"
	"pgregory.net/rapid"

	_ "github.com/meseta/meseta/api/meseta/link/v1"
	_ "github.com/meseta/meseta/api/meseta/node/v1"
	_ "github.com/meseta/meseta/api/meseta/operator/v1"
	_ "github.com/meseta/meseta/api/meseta/registry/v1"
	"github.com/meseta/meseta/internal/wire/mesosjson"
)

// The properties are checked once for each of several hundred message types, which share most of their
// code, so that fewer random instances than usual do for each. -rapid.checks overrides it.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// messageTypes returns every message type of our API.
func messageTypes(t testing.TB) []protoreflect.MessageType {
	t.Helper()
	var types []protoreflect.MessageType
	protoregistry.GlobalTypes.RangeMessages(func(kind protoreflect.MessageType) bool {
		if name := string(kind.Descriptor().FullName()); strings.HasPrefix(name, "mesos.v1.") || strings.HasPrefix(name, "meseta.") {
			types = append(types, kind)
		}
		return true
	})
	if len(types) < 300 {
		t.Fatalf("only %d message types are registered", len(types))
	}
	return types
}

// The properties see what this test imports. Whoever adds a package to the API has to add it here.
func TestAllOfTheAPIIsTested(t *testing.T) {
	err := fs.WalkDir(os.DirFS("../../../api"), ".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".proto") {
			if _, missing := protoregistry.GlobalFiles.FindFileByPath(path); missing != nil {
				t.Errorf("api/%s is not tested: import its Go package", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryMessageRoundTripsThroughBothEncodings(t *testing.T) {
	for _, kind := range messageTypes(t) {
		rapid.Check(t, func(t *rapid.T) {
			message := kind.New()
			generate(t, message, 3)

			checkJSON(t, message)
			message.SetUnknown(unknownFields(t, kind.Descriptor()))
			checkBinary(t, message)
		})
	}
}

// checkJSON: the message that comes back is the same, with the defaults that Mesos writes made explicit,
// and a strict reader of the standard mapping accepts the text and understands the same message.
func checkJSON(t *rapid.T, message protoreflect.Message) {
	text, err := mesosjson.Marshal(message.Interface())
	if err != nil {
		t.Fatalf("write %v: %v", message.Descriptor().FullName(), err)
	}
	if !json.Valid(text) || bytes.ContainsRune(text, '\n') {
		t.Fatalf("not JSON on one line: %s", text)
	}

	want := proto.CloneOf(message.Interface())
	setDefaults(want.ProtoReflect())
	have := message.New().Interface()
	if err := mesosjson.Unmarshal(text, have); err != nil {
		t.Fatalf("read %s: %v", text, err)
	}
	if !proto.Equal(want, have) {
		t.Fatalf("%s\n(-written +read)\n%s", text, cmp.Diff(want, have, protocmp.Transform()))
	}

	if bytes.Contains(text, []byte(`"max_grace_period":{`)) {
		return // a google.protobuf.Duration: an object for Mesos, a string in the standard mapping
	}
	if err := protojson.Unmarshal(text, have); err != nil {
		t.Fatalf("protojson refuses %s: %v", text, err)
	}
	if !proto.Equal(want, have) {
		t.Fatalf("%s\n(-written +read by protojson)\n%s", text, cmp.Diff(want, have, protocmp.Transform()))
	}
}

func checkBinary(t *rapid.T, message protoreflect.Message) {
	encoded, err := proto.Marshal(message.Interface())
	if err != nil {
		t.Fatal(err)
	}
	have := message.New().Interface()
	if err := proto.Unmarshal(encoded, have); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(message.Interface(), have) {
		t.Fatalf("(-written +read)\n%s", cmp.Diff(message.Interface(), have, protocmp.Transform()))
	}
}

// generate fills message at random; at depth 0 it sets only what is required.
func generate(t *rapid.T, message protoreflect.Message, depth int) {
	for fields, i := message.Descriptor().Fields(), 0; i < fields.Len(); i++ {
		field := fields.Get(i)
		nested := field.Message() != nil
		switch {
		case field.Cardinality() == protoreflect.Required:
		case nested && depth == 0, !rapid.Bool().Draw(t, field.TextName()):
			continue
		}
		switch {
		case field.IsMap():
			values := message.Mutable(field).Map()
			for range rapid.IntRange(0, 2).Draw(t, "entries") {
				key := generateScalar(t, field.MapKey()).MapKey()
				values.Set(key, generateValue(t, field.MapValue(), values.NewValue, depth))
			}
		case field.IsList():
			values := message.Mutable(field).List()
			for range rapid.IntRange(0, 2).Draw(t, "elements") {
				values.Append(generateValue(t, field, values.NewElement, depth))
			}
		default:
			message.Set(field, generateValue(t, field, func() protoreflect.Value { return message.NewField(field) }, depth))
		}
	}
}

func generateValue(t *rapid.T, field protoreflect.FieldDescriptor, empty func() protoreflect.Value, depth int) protoreflect.Value {
	if field.Message() == nil {
		return generateScalar(t, field)
	}
	value := empty()
	generate(t, value.Message(), max(0, depth-1))
	return value
}

func generateScalar(t *rapid.T, field protoreflect.FieldDescriptor) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.EnumKind:
		values := field.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(rapid.IntRange(0, values.Len()-1).Draw(t, "enum")).Number())
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.String().Draw(t, "string"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	case protoreflect.DoubleKind:
		special := rapid.SampledFrom([]float64{math.Inf(1), math.Inf(-1), math.NaN(), 0})
		return protoreflect.ValueOfFloat64(rapid.OneOf(rapid.Float64(), special).Draw(t, "double"))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(rapid.Float32().Draw(t, "float"))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "int32"))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "int64"))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "uint32"))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	default:
		t.Fatalf("%s: no generator for %v", field.FullName(), field.Kind())
		return protoreflect.Value{}
	}
}

// unknownFields are what a newer peer may have put into a message.
func unknownFields(t *rapid.T, known protoreflect.MessageDescriptor) protoreflect.RawFields {
	var raw protoreflect.RawFields
	for range rapid.IntRange(0, 2).Draw(t, "unknown fields") {
		number := protowire.Number(rapid.IntRange(1000, 1<<29-1).Draw(t, "number"))
		if known.Fields().ByNumber(number) != nil || 19000 <= number && number <= 19999 {
			continue
		}
		raw = protowire.AppendTag(raw, number, protowire.BytesType)
		raw = protowire.AppendBytes(raw, rapid.SliceOf(rapid.Byte()).Draw(t, "unknown"))
	}
	return raw
}

// setDefaults sets every unset field that has a default and is not deprecated, in message and below.
func setDefaults(message protoreflect.Message) {
	for fields, i := message.Descriptor().Fields(), 0; i < fields.Len(); i++ {
		field := fields.Get(i)
		options, _ := field.Options().(*descriptorpb.FieldOptions)
		if field.HasDefault() && !options.GetDeprecated() && !message.Has(field) {
			message.Set(field, field.Default())
		}
	}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			value.Map().Range(func(_ protoreflect.MapKey, value protoreflect.Value) bool {
				if field.MapValue().Message() != nil {
					setDefaults(value.Message())
				}
				return true
			})
		case field.Message() == nil:
		case field.IsList():
			for list, i := value.List(), 0; i < list.Len(); i++ {
				setDefaults(list.Get(i).Message())
			}
		default:
			setDefaults(value.Message())
		}
		return true
	})
}
