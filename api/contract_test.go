// Package api_test holds the compiled descriptors against the table of Mesos' wire contract.
//
// The table (testdata/mesos-v1-wire.csv) is the authority: it names every message, enum, field and value
// of the v1 APIs, in the order in which Mesos declares them. Order matters, because Mesos writes the
// members of a JSON object in it. A difference in either direction is an incompatible API.
package api_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	_ "github.com/meseta/meseta/api/mesos/v1"
	_ "github.com/meseta/meseta/api/mesos/v1/agent"
	_ "github.com/meseta/meseta/api/mesos/v1/allocator"
	_ "github.com/meseta/meseta/api/mesos/v1/executor"
	_ "github.com/meseta/meseta/api/mesos/v1/maintenance"
	_ "github.com/meseta/meseta/api/mesos/v1/master"
	_ "github.com/meseta/meseta/api/mesos/v1/quota"
	_ "github.com/meseta/meseta/api/mesos/v1/resource_provider"
	_ "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// contract is what the table says: the full name of a message or enum, and its rows in order.
type contract map[string][]row

// row is one line of the table: a field of a message or a value of an enum.
type row struct {
	Kind, Name, Number, Label, Type, Default, Note string
}

func TestDescriptorsMatchMesosWireTable(t *testing.T) {
	want := readTable(t, "testdata/mesos-v1-wire.csv")
	have := make(contract)
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(file.Package()), "mesos.v1") {
			if file.Syntax() != protoreflect.Proto2 {
				t.Errorf("%s: syntax %v, want proto2: Mesos tells an unset field from an empty one", file.Path(), file.Syntax())
			}
			have.addEnums(file.Enums())
			have.addMessages(file.Messages())
		}
		return true
	})

	if len(want) == 0 {
		t.Fatal("the table is empty")
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("descriptors differ from the wire table (-table +descriptors):\n%s", diff)
	}
}

func readTable(t *testing.T, path string) contract {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}

	header := []string{"kind", "of", "name", "number", "label", "type", "default", "note"}
	if !slices.Equal(records[0], header) {
		t.Fatalf("%s: columns %q, want %q", path, records[0], header)
	}
	table := make(contract)
	for _, r := range records[1:] {
		of := r[1]
		table[of] = append(table[of], row{Kind: r[0], Name: r[2], Number: r[3], Label: r[4], Type: r[5], Default: r[6], Note: r[7]})
	}
	return table
}

func (c contract) addEnums(enums protoreflect.EnumDescriptors) {
	for i := range enums.Len() {
		enum := enums.Get(i)
		for values, j := enum.Values(), 0; j < values.Len(); j++ {
			value := values.Get(j)
			r := row{Kind: "enum", Name: string(value.Name()), Number: fmt.Sprint(value.Number())}
			if value.Options().(*descriptorpb.EnumValueOptions).GetDeprecated() {
				r.Note = "deprecated"
			}
			c.add(enum, r)
		}
	}
}

func (c contract) addMessages(messages protoreflect.MessageDescriptors) {
	for i := range messages.Len() {
		message := messages.Get(i)
		if message.IsMapEntry() {
			continue
		}
		for fields, j := message.Fields(), 0; j < fields.Len(); j++ {
			c.add(message, fieldRow(fields.Get(j)))
		}
		if message.Fields().Len() == 0 {
			c.add(message, row{Kind: "message", Note: "no fields"})
		}
		c.addEnums(message.Enums())
		c.addMessages(message.Messages())
	}
}

func (c contract) add(of protoreflect.Descriptor, r row) {
	name := string(of.FullName())
	c[name] = append(c[name], r)
}

func fieldRow(field protoreflect.FieldDescriptor) row {
	r := row{
		Kind:   "message",
		Name:   string(field.Name()),
		Number: fmt.Sprint(field.Number()),
		Label:  field.Cardinality().String(),
		Type:   typeName(field),
	}
	if field.HasDefault() {
		r.Default = defaultName(field)
	}
	var notes []string
	if oneof := field.ContainingOneof(); oneof != nil {
		notes = append(notes, "oneof:"+string(oneof.Name()))
	}
	if options := field.Options().(*descriptorpb.FieldOptions); options.GetDeprecated() {
		notes = append(notes, "deprecated")
	}
	r.Note = strings.Join(notes, " ")
	return r
}

// typeName names the type as the table does, which does not say what messages a map holds; the type of
// those is pinned by TestMapValues.
func typeName(field protoreflect.FieldDescriptor) string {
	switch {
	case field.IsMap() && field.MapValue().Message() != nil:
		return "map<string,message>"
	case field.IsMap():
		return fmt.Sprintf("map<%v,%v>", field.MapKey().Kind(), field.MapValue().Kind())
	case field.Message() != nil:
		return string(field.Message().FullName())
	case field.Enum() != nil:
		return string(field.Enum().FullName())
	default:
		return field.Kind().String()
	}
}

func defaultName(field protoreflect.FieldDescriptor) string {
	if value := field.DefaultEnumValue(); value != nil {
		return string(value.Name())
	}
	return fmt.Sprint(field.Default().Interface())
}

// TestMapValues pins what the table leaves open: the messages that maps hold, all keyed by a string.
func TestMapValues(t *testing.T) {
	want := map[string]string{
		"mesos.v1.FrameworkInfo.offer_filters":                                     "mesos.v1.OfferFilters",
		"mesos.v1.OfferFilters.ResourceQuantities.quantities":                      "mesos.v1.Value.Scalar",
		"mesos.v1.Task.limits":                                                     "mesos.v1.Value.Scalar",
		"mesos.v1.TaskInfo.limits":                                                 "mesos.v1.Value.Scalar",
		"mesos.v1.Volume.Source.CSIVolume.StaticProvisioning.node_publish_secrets": "mesos.v1.Secret",
		"mesos.v1.Volume.Source.CSIVolume.StaticProvisioning.node_stage_secrets":   "mesos.v1.Secret",
		"mesos.v1.Volume.Source.CSIVolume.StaticProvisioning.volume_context":       "string",
		"mesos.v1.agent.Call.LaunchContainer.limits":                               "mesos.v1.Value.Scalar",
		"mesos.v1.quota.QuotaConfig.guarantees":                                    "mesos.v1.Value.Scalar",
		"mesos.v1.quota.QuotaConfig.limits":                                        "mesos.v1.Value.Scalar",
		"mesos.v1.scheduler.OfferConstraints.role_constraints":                     "mesos.v1.scheduler.OfferConstraints.RoleConstraints",
	}

	have := make(map[string]string)
	protoregistry.GlobalTypes.RangeMessages(func(message protoreflect.MessageType) bool {
		if !strings.HasPrefix(string(message.Descriptor().FullName()), "mesos.v1.") {
			return true
		}
		for fields, i := message.Descriptor().Fields(), 0; i < fields.Len(); i++ {
			field := fields.Get(i)
			if !field.IsMap() {
				continue
			}
			if key := field.MapKey().Kind(); key != protoreflect.StringKind {
				t.Errorf("%s is keyed by %v, want string", field.FullName(), key)
			}
			have[string(field.FullName())] = typeName(field.MapValue())
		}
		return true
	})
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("map values (-want +have):\n%s", diff)
	}
}
