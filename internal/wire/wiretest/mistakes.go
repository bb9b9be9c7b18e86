package wiretest

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Kind is a kind of mistake.
type Kind int

// The kinds of mistakes.
const (
	Missing   Kind = iota // a required field is not there
	WrongType             // a JSON value of another type
	Odd                   // the type is right; whether the value means anything is for the receiver to say
)

// Mistake is a call with one mistake in it.
type Mistake struct {
	Kind Kind
	Path string // of the field: "accept.offer_ids[0].value"
	What string // has become of it
	Body []byte // the call in JSON

	// Error is what decoding has to complain of, behind "Failed to convert JSON into Call protobuf: "; empty for
	// what is odd.
	Error string
}

// depth is how deep mistakes are made.
const depth = 9

// Mistakes makes every mistake once in a call of some type: in each message that can be reached from it each
// required field is missing, each field is of another JSON type, texts are too long, lists have everything
// twice, numbers are negative or large, and names of enums unknown. Beside the field with the mistake there is
// only what is required. Call types have a field of their name in lower case, or none; fix corrects what has to
// have a meaning.
func Mistakes(call protoreflect.MessageDescriptor, kind string, fix func(call map[string]any)) iter.Seq[Mistake] {
	return func(yield func(Mistake) bool) {
		whole := required(call)
		whole["type"] = kind
		own := call.Fields().ByName(protoreflect.Name(strings.ToLower(kind)))
		if own != nil {
			whole[string(own.Name())] = value(own)
		}
		fix(whole)
		m := maker{whole: whole, yield: yield}
		for i := range call.Fields().Len() {
			f := call.Fields().Get(i)
			if f == own || f.Message() == nil || strings.HasSuffix(string(f.Name()), "_id") {
				m.field(whole, f, string(f.Name()), depth)
			}
		}
	}
}

// required gives a message with what it has to have, and its type, without which the rest is rarely looked at.
func required(d protoreflect.MessageDescriptor) map[string]any {
	m := make(map[string]any)
	for i := range d.Fields().Len() {
		if f := d.Fields().Get(i); f.Cardinality() == protoreflect.Required || f.Name() == "type" && f.Enum() != nil {
			m[string(f.Name())] = value(f)
		}
	}
	return m
}

// value gives something for a field.
func value(f protoreflect.FieldDescriptor) any {
	switch {
	case f.IsMap():
		return map[string]any{"x": one(f.MapValue())}
	case f.IsList():
		return []any{one(f)}
	}
	return one(f)
}

func one(f protoreflect.FieldDescriptor) any {
	switch f.Kind() {
	case protoreflect.MessageKind:
		return required(f.Message())
	case protoreflect.EnumKind:
		values := f.Enum().Values()
		for _, name := range []protoreflect.Name{"LAUNCH", "CUSTOM", "MESOS"} { // what is built
			if values.ByName(name) != nil {
				return string(name)
			}
		}
		return string(values.Get(min(1, values.Len()-1)).Name())
	case protoreflect.StringKind:
		return "x"
	case protoreflect.BytesKind:
		return "AAAAAAAAQAAAAAAAAAAAAA==" // a UUID, where one is expected
	case protoreflect.BoolKind:
		return true
	}
	return 1
}

// maker makes mistakes in place, and takes each back.
type maker struct {
	whole map[string]any
	yield func(Mistake) bool
	over  bool
}

// message makes every mistake in a message.
func (k *maker) message(m map[string]any, d protoreflect.MessageDescriptor, prefix string, depth int) {
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		k.field(m, f, prefix+string(f.Name()), depth)
	}
}

// field makes every mistake in a field and in what it holds.
func (k *maker) field(m map[string]any, f protoreflect.FieldDescriptor, path string, depth int) {
	name := string(f.Name())
	before, there := m[name]
	if !there {
		before = value(f)
	}
	restore := promise(m, f)
	defer restore()
	if f.Cardinality() == protoreflect.Required {
		delete(m, name)
		k.make(Mistake{Kind: Missing, Path: path, What: "is missing", Error: "Missing required fields: " + path})
	}
	k.spoil(m, f, path)
	m[name] = before
	if depth > 0 {
		k.below(before, f, path, depth-1)
	}
	if !there {
		delete(m, name)
	}
}

// promise lets the type of a message be the one that promises a field, as LAUNCH promises launch.
func promise(m map[string]any, f protoreflect.FieldDescriptor) (restore func()) {
	kind, typed := m["type"]
	field := f.ContainingMessage().Fields().ByName("type")
	own := protoreflect.Name(strings.ToUpper(string(f.Name())))
	if !typed || field.Enum() == nil || field.Enum().Values().ByName(own) == nil {
		return func() {}
	}
	m["type"] = string(own)
	return func() { m["type"] = kind }
}

// spoil has a field hold what it should not.
func (k *maker) spoil(m map[string]any, f protoreflect.FieldDescriptor, path string) {
	name := string(f.Name())
	put := func(kind Kind, v any, what, complaint string) {
		m[name] = v
		k.make(Mistake{Kind: kind, Path: path, What: what, Error: complaint})
	}
	if f.Message() != nil {
		put(WrongType, true, "is a boolean", "Not expecting a JSON boolean for field '"+name+"'")
	} else {
		put(WrongType, map[string]any{}, "is an object", "Not expecting a JSON object for field '"+name+"'")
	}
	switch {
	case f.IsList():
		put(Odd, []any{}, "is empty", "")
		put(Odd, []any{one(f), one(f)}, "has everything twice", "")
	case f.Kind() == protoreflect.StringKind:
		put(Odd, "", "is empty", "")
		put(Odd, strings.Repeat("long/", 400), "has 2,000 bytes", "")
	case f.Kind() == protoreflect.BytesKind:
		put(Odd, "", "is empty", "")
	case f.Kind() == protoreflect.DoubleKind:
		put(Odd, json.Number("-1e300"), "is less than most", "")
		put(Odd, "NaN", "is no number", "")
	case f.Kind() == protoreflect.Int64Kind || f.Kind() == protoreflect.Int32Kind:
		put(Odd, -1, "is negative", "")
	case f.Kind() == protoreflect.EnumKind && f.Cardinality() != protoreflect.Required && path != "type":
		put(Odd, "NO_SUCH_NAME", "is unknown", "")
	}
}

// below makes the mistakes in what a field holds.
func (k *maker) below(v any, f protoreflect.FieldDescriptor, path string, depth int) {
	if f.IsMap() {
		f = f.MapValue()
		if f.Message() != nil {
			k.message(v.(map[string]any)["x"].(map[string]any), f.Message(), path+"[x].", depth)
		}
		return
	}
	if f.Message() == nil {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		k.message(v, f.Message(), path+".", depth)
	case []any:
		if len(v) > 0 {
			k.message(v[0].(map[string]any), f.Message(), path+"[0].", depth)
		}
	}
}

func (k *maker) make(m Mistake) {
	if k.over {
		return
	}
	body, err := json.Marshal(k.whole)
	if err != nil {
		panic(fmt.Sprintf("%s %s: %v", m.Path, m.What, err))
	}
	m.Body = body
	k.over = !k.yield(m)
}
