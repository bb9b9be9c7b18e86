package serial

import "fmt"

// Value is one thing in a graph, and always one of these:
//
//	nil                         null
//	string                      java.lang.String
//	*Object                     an instance of a class
//	*Array                      an array
//	*Enum                       a constant of a Java enum
//	*Class                      a java.lang.Class
//	*ClassDesc                  a class descriptor, in its own right
//	Block                       raw bytes between objects (in an annotation, or between top-level objects)
//	bool int8 uint16 int16 int32 int64 float32 float64
//	                            boolean byte char short int long float double, as the value of a field
//
// A string may hold lone surrogates, which Java allows, as the three bytes that UTF-8 would give them
// were they characters; nothing is lost between reading and writing.
type Value = any

// Block is a run of raw bytes. Neighbouring blocks of a stream are joined.
type Block []byte

// Object is an instance of a class.
type Object struct {
	Class *ClassDesc
	// Data has one entry for each class of Class.Lineage, the topmost superclass first; for an
	// externalizable class it has one entry, whose annotation is all there is.
	Data []ClassData
}

// ClassData is what one class of an object's lineage contributed to it.
type ClassData struct {
	Fields     []Value    // in the order of the descriptor
	Annotation Annotation // what the class's own writeObject or writeExternal wrote after the fields
}

// Array is an array. Items is a []Value for references, and for primitives a slice of their Go type:
// []bool, []byte, []uint16, []int16, []int32, []int64, []float32 or []float64.
type Array struct {
	Class *ClassDesc
	Items any
}

// Enum is a constant of a Java enum.
type Enum struct {
	Class    *ClassDesc
	Constant string
}

// Class is a java.lang.Class object.
type Class struct {
	Desc *ClassDesc
}

// Flags of a class descriptor. They are part of the stream's grammar: never renumber.
type Flags byte

// The flags that exist.
const (
	WriteMethod    Flags = 0x01 // the class has a writeObject of its own: an annotation follows the fields
	Serializable   Flags = 0x02
	Externalizable Flags = 0x04
	BlockData      Flags = 0x08 // external data is in blocks and can be skipped (protocol version 2)
	EnumClass      Flags = 0x10
)

// Has tells whether all of the given flags are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// ClassDesc describes a class as it was when the object was written.
type ClassDesc struct {
	Name       string // with dots: java.lang.String, [I, [Ljava.lang.String;
	UID        int64
	Flags      Flags
	Fields     []Field
	Annotation Annotation // what annotateClass wrote; almost always empty
	Super      *ClassDesc // the next serializable superclass, or nil

	// Interfaces is not nil for a dynamic proxy class, which has interfaces in place of a name, a UID
	// and fields.
	Interfaces []string

	lineage []*ClassDesc // set once when the descriptor is complete; nil in one made by hand
}

// Field is one field of a class descriptor.
type Field struct {
	Type      byte // one of B C D F I J S Z for primitives, L for objects, [ for arrays
	Name      string
	Signature string // of L and [ only: Ljava/lang/String;
}

// Primitive tells whether the field holds a primitive, and not a reference.
func (f Field) Primitive() bool { return f.Type != 'L' && f.Type != '[' }

// Lineage lists the serializable classes from the topmost superclass down to d itself.
func (d *ClassDesc) Lineage() []*ClassDesc {
	if d.lineage != nil {
		return d.lineage
	}
	n := 0
	for c := d; c != nil; c = c.Super {
		n++
	}
	up := make([]*ClassDesc, n)
	for c := d; c != nil; c = c.Super {
		n--
		up[n] = c
	}
	return up
}

// isProxy tells whether d describes a dynamic proxy class.
func (d *ClassDesc) isProxy() bool { return d.Interfaces != nil }

// String names the class for people.
func (d *ClassDesc) String() string {
	switch {
	case d == nil:
		return "null"
	case d.isProxy():
		return fmt.Sprintf("proxy%v", d.Interfaces)
	}
	return d.Name
}

// Is tells whether v is an object of the class with this name.
func Is(v Value, class string) bool {
	o, ok := v.(*Object)
	return ok && o.Class != nil && o.Class.Name == class
}

// Describe names what v is, for error messages: the class of an object, the type of anything else.
func Describe(v Value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "java.lang.String"
	case *Object:
		if v.Class == nil {
			return "object without a class"
		}
		return fmt.Sprintf("%v (serialVersionUID %d)", v.Class, v.Class.UID)
	case *Array:
		return v.Class.String()
	case *Enum:
		return v.Class.String() + "." + v.Constant
	case *Class:
		return "class " + v.Desc.String()
	case *ClassDesc:
		return "descriptor of " + v.String()
	case Block:
		return fmt.Sprintf("%d raw bytes", len(v))
	}
	return fmt.Sprintf("%T", v)
}

// Get gives the value of a field, looked for in the object's class first and then upwards.
func (o *Object) Get(name string) (Value, bool) {
	if o == nil || o.Class == nil {
		return nil, false
	}
	up := o.Class.Lineage()
	if o.Class.Flags.Has(Externalizable) || len(up) != len(o.Data) {
		return nil, false
	}
	for i := len(up) - 1; i >= 0; i-- {
		for j, f := range up[i].Fields {
			if f.Name == name && j < len(o.Data[i].Fields) {
				return o.Data[i].Fields[j], true
			}
		}
	}
	return nil, false
}

// Annotation gives what the object's own class wrote after its fields.
func (o *Object) Annotation() Annotation {
	if len(o.Data) == 0 {
		return nil
	}
	return o.Data[len(o.Data)-1].Annotation
}

// Get gives a field as a T. A field that is missing or is not a T is an error that names both.
func Get[T any](o *Object, name string) (T, error) {
	var zero T
	if o == nil {
		return zero, fmt.Errorf("field %s of null", name)
	}
	v, ok := o.Get(name)
	if !ok {
		return zero, fmt.Errorf("%v has no field %s", o.Class, name)
	}
	t, ok := v.(T)
	if !ok {
		return zero, fmt.Errorf("%v.%s is %s, expected %T", o.Class, name, Describe(v), zero)
	}
	return t, nil
}
