package mesosjson

import (
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// plan is what the codec knows about a message type: computed once, immutable, shared.
type plan struct {
	fields []field // in the order of declaration, which is the order on the wire
	byName map[string]*field
}

// field is one field's part of a plan.
type field struct {
	desc     protoreflect.FieldDescriptor
	name     string
	key      string // `"name":`
	unset    string // the whole member that is written when the field is not set; usually none
	shape    shape
	required bool
	value    value // of the field, of a list's elements or of a map's values
}

type shape uint8

const (
	single shape = iota
	list
	dict // a map; the name is taken
)

// value is how one value is written and read.
type value struct {
	kind    protoreflect.Kind
	message *plan // of a message
	enum    *enum // of an enum
}

// enum maps the values of an enum type to their names and back.
type enum struct {
	quoted  map[protoreflect.EnumNumber]string // `"NAME"`
	numbers map[string]protoreflect.EnumNumber
}

// alwaysListed names the lists that Mesos writes even when they are empty: those of the operator API's
// answers that its master and agent stream out of their state instead of building a message first.
var alwaysListed = map[protoreflect.FullName]bool{
	"mesos.v1.agent.Response.GetExecutors.completed_executors":    true,
	"mesos.v1.agent.Response.GetExecutors.executors":              true,
	"mesos.v1.agent.Response.GetFrameworks.completed_frameworks":  true,
	"mesos.v1.agent.Response.GetFrameworks.frameworks":            true,
	"mesos.v1.agent.Response.GetTasks.completed_tasks":            true,
	"mesos.v1.agent.Response.GetTasks.launched_tasks":             true,
	"mesos.v1.agent.Response.GetTasks.pending_tasks":              true,
	"mesos.v1.agent.Response.GetTasks.queued_tasks":               true,
	"mesos.v1.agent.Response.GetTasks.terminated_tasks":           true,
	"mesos.v1.master.Response.GetAgents.agents":                   true,
	"mesos.v1.master.Response.GetAgents.recovered_agents":         true,
	"mesos.v1.master.Response.GetExecutors.executors":             true,
	"mesos.v1.master.Response.GetFrameworks.completed_frameworks": true,
	"mesos.v1.master.Response.GetFrameworks.frameworks":           true,
	"mesos.v1.master.Response.GetTasks.completed_tasks":           true,
	"mesos.v1.master.Response.GetTasks.tasks":                     true,
	"mesos.v1.master.Response.GetTasks.unreachable_tasks":         true,
}

// plans holds the plans made so far. The map is never changed, only replaced, so that readers need no
// lock; making guards the replacing.
var (
	plans  atomic.Pointer[map[protoreflect.MessageDescriptor]*plan]
	making sync.Mutex
)

func planOf(desc protoreflect.MessageDescriptor) *plan {
	if known := plans.Load(); known != nil {
		if p, ok := (*known)[desc]; ok {
			return p
		}
	}

	making.Lock()
	defer making.Unlock()
	next := make(map[protoreflect.MessageDescriptor]*plan)
	if known := plans.Load(); known != nil {
		maps.Copy(next, *known)
	}
	p := makePlan(desc, next)
	plans.Store(&next)
	return p
}

// makePlan makes the plans of desc and of every message that can occur in it. A plan is in known before
// its fields are, because messages refer to themselves.
func makePlan(desc protoreflect.MessageDescriptor, known map[protoreflect.MessageDescriptor]*plan) *plan {
	if p, ok := known[desc]; ok {
		return p
	}
	fields := desc.Fields()
	p := &plan{
		fields: make([]field, fields.Len()),
		byName: make(map[string]*field, fields.Len()),
	}
	known[desc] = p
	for i := range p.fields {
		p.fields[i] = makeField(fields.Get(i), known)
		p.byName[p.fields[i].name] = &p.fields[i]
	}
	return p
}

func makeField(desc protoreflect.FieldDescriptor, known map[protoreflect.MessageDescriptor]*plan) field {
	f := field{
		desc:     desc,
		name:     string(desc.Name()),
		key:      strconv.Quote(string(desc.Name())) + ":",
		required: desc.Cardinality() == protoreflect.Required,
	}
	switch {
	case desc.IsMap():
		f.shape = dict
		f.value = makeValue(desc.MapValue(), known)
	case desc.IsList():
		f.shape = list
		f.value = makeValue(desc, known)
	default:
		f.value = makeValue(desc, known)
	}

	options, _ := desc.Options().(*descriptorpb.FieldOptions)
	switch {
	case alwaysListed[desc.FullName()]:
		f.unset = f.key + "[]"
	case desc.HasDefault() && !options.GetDeprecated():
		member, err := appendScalar([]byte(f.key), desc.Default(), f.value)
		if err == nil { // always: a default is a value of its type
			f.unset = string(member)
		}
	}
	return f
}

func makeValue(desc protoreflect.FieldDescriptor, known map[protoreflect.MessageDescriptor]*plan) value {
	v := value{kind: desc.Kind()}
	if message := desc.Message(); message != nil {
		v.message = makePlan(message, known)
	}
	if desc.Enum() != nil {
		v.enum = makeEnum(desc.Enum())
	}
	return v
}

func makeEnum(desc protoreflect.EnumDescriptor) *enum {
	values := desc.Values()
	e := &enum{
		quoted:  make(map[protoreflect.EnumNumber]string, values.Len()),
		numbers: make(map[string]protoreflect.EnumNumber, values.Len()),
	}
	for i := range values.Len() {
		name, number := string(values.Get(i).Name()), values.Get(i).Number()
		if _, aliased := e.quoted[number]; !aliased {
			e.quoted[number] = strconv.Quote(name)
		}
		e.numbers[name] = number
	}
	return e
}
