package serial

import (
	"errors"
	"fmt"
	"slices"
)

// classDesc reads a descriptor where the grammar wants one: new, by reference, or null.
func (d *decoder) classDesc() (*ClassDesc, error) {
	tag, err := d.u8()
	if err != nil {
		return nil, err
	}
	switch tag {
	case tcNull:
		return nil, nil
	case tcReference:
		v, err := d.reference()
		if err != nil {
			return nil, err
		}
		desc, ok := v.(*ClassDesc)
		if !ok {
			return nil, fmt.Errorf("reference to %s where a class descriptor is expected", Describe(v))
		}
		// A descriptor that refers to itself while it is being read could become its own superclass.
		if desc.lineage == nil {
			return nil, fmt.Errorf("class descriptor of %v is used inside itself", desc)
		}
		return desc, nil
	case tcClassDesc, tcProxyClassDesc:
		if err := d.spend(1); err != nil {
			return nil, err
		}
		if err := d.enter(); err != nil {
			return nil, err
		}
		defer d.leave()
		return d.newClassDesc(tag)
	}
	return nil, fmt.Errorf("tag %#02x where a class descriptor is expected", tag)
}

// someClassDesc is classDesc where null makes no sense.
func (d *decoder) someClassDesc(of string) (*ClassDesc, error) {
	desc, err := d.classDesc()
	if err == nil && desc == nil {
		err = fmt.Errorf("%s without a class descriptor", of)
	}
	return desc, err
}

func (d *decoder) newClassDesc(tag byte) (*ClassDesc, error) {
	desc := &ClassDesc{}
	var err error
	if tag == tcProxyClassDesc {
		err = d.proxyClassDesc(desc)
	} else {
		err = d.plainClassDesc(desc)
	}
	if err != nil {
		return nil, err
	}
	if desc.Annotation, err = d.annotation(); err != nil {
		return nil, err
	}
	if desc.Super, err = d.classDesc(); err != nil {
		return nil, err
	}
	desc.lineage = desc.Lineage()
	return desc, d.spend(len(desc.lineage))
}

func (d *decoder) plainClassDesc(desc *ClassDesc) error {
	var err error
	if desc.Name, err = d.name(); err != nil {
		return err
	}
	if desc.UID, err = d.i64(); err != nil {
		return err
	}
	d.newHandle(desc)
	flags, err := d.u8()
	if err != nil {
		return err
	}
	desc.Flags = Flags(flags)
	if desc.Flags.Has(Serializable | Externalizable) {
		return fmt.Errorf("class %s is both serializable and externalizable", desc.Name)
	}
	n, err := d.u16()
	if err != nil {
		return err
	}
	if err := d.spend(n); err != nil {
		return err
	}
	for range n {
		f, err := d.field()
		if err != nil {
			return fmt.Errorf("fields of class %s: %w", desc.Name, err)
		}
		desc.Fields = append(desc.Fields, f)
	}
	return nil
}

func (d *decoder) field() (Field, error) {
	var f Field
	var err error
	if f.Type, err = d.u8(); err != nil {
		return f, err
	}
	if f.Name, err = d.name(); err != nil {
		return f, err
	}
	switch f.Type {
	case 'B', 'C', 'D', 'F', 'I', 'J', 'S', 'Z':
		return f, nil
	case 'L', '[':
	default:
		return f, fmt.Errorf("field %s has type code %#02x", f.Name, f.Type)
	}
	sig, err := d.object()
	if err != nil {
		return f, err
	}
	var ok bool
	if f.Signature, ok = sig.(string); !ok {
		return f, fmt.Errorf("signature of field %s is %s, expected a string", f.Name, Describe(sig))
	}
	return f, nil
}

func (d *decoder) proxyClassDesc(desc *ClassDesc) error {
	d.newHandle(desc)
	desc.Flags = Serializable
	n, err := d.i32()
	if err != nil {
		return err
	}
	if n < 0 || n > d.left()/2 {
		return fmt.Errorf("proxy class with %d interfaces in a stream of %d more bytes", n, d.left())
	}
	if err := d.spend(n); err != nil {
		return err
	}
	desc.Interfaces = make([]string, n)
	for i := range n {
		if desc.Interfaces[i], err = d.name(); err != nil {
			return err
		}
	}
	return nil
}

// fieldless are classes whose writeObject never writes the fields that their descriptors list. A stream
// does not tell; whoever reads it has to know.
var fieldless = map[string]bool{
	"scala.collection.mutable.ListBuffer": true,
}

func (d *decoder) instance() (Value, error) {
	desc, err := d.someClassDesc("object")
	if err != nil {
		return nil, err
	}
	if desc.Flags.Has(EnumClass) {
		return nil, fmt.Errorf("object of enum class %v", desc)
	}
	o := &Object{Class: desc}
	d.newHandle(o)
	if desc.Flags.Has(Externalizable) {
		return o, d.external(o)
	}
	lineage := desc.lineage
	if err := d.spend(len(lineage)); err != nil {
		return nil, err
	}
	o.Data = make([]ClassData, len(lineage))
	for i, c := range lineage {
		if err := d.classData(&o.Data[i], c); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (d *decoder) external(o *Object) error {
	if !o.Class.Flags.Has(BlockData) {
		return fmt.Errorf("class %v is externalizable by protocol version 1, which only its own code can read", o.Class)
	}
	a, err := d.annotation()
	o.Data = []ClassData{{Annotation: a}}
	return err
}

func (d *decoder) classData(data *ClassData, c *ClassDesc) error {
	if !c.Flags.Has(Serializable) {
		return fmt.Errorf("class %v is not serializable (flags %#02x)", c, byte(c.Flags))
	}
	if len(c.Fields) > 0 && !fieldless[c.Name] {
		if err := d.spend(len(c.Fields)); err != nil {
			return err
		}
		if len(c.Fields) > d.left() { // each takes a byte at least
			return errors.New("stream ends inside an object")
		}
		data.Fields = make([]Value, len(c.Fields))
		for i, f := range c.Fields {
			var err error
			if data.Fields[i], err = d.fieldValue(f.Type); err != nil {
				return err
			}
		}
	}
	if !c.Flags.Has(WriteMethod) {
		return nil
	}
	var err error
	data.Annotation, err = d.annotation()
	return err
}

func (d *decoder) fieldValue(code byte) (Value, error) {
	if code == 'L' || code == '[' {
		return d.object()
	}
	b, err := d.take(primitiveSize[code])
	if err != nil {
		return nil, err
	}
	return decodePrimitive(code, b), nil
}

func (d *decoder) array() (Value, error) {
	desc, err := d.someClassDesc("array")
	if err != nil {
		return nil, err
	}
	if len(desc.Name) < 2 || desc.Name[0] != '[' {
		return nil, fmt.Errorf("array of class %v, whose name is not an array's", desc)
	}
	a := &Array{Class: desc}
	d.newHandle(a)
	n, err := d.i32()
	if err != nil {
		return nil, err
	}
	code := desc.Name[1]
	if code == 'L' || code == '[' {
		a.Items, err = d.references(n)
		return a, err
	}
	size, ok := primitiveSize[code]
	if !ok {
		return nil, fmt.Errorf("array of class %v, whose elements are nothing known", desc)
	}
	if n < 0 || n > 8*d.limits.Array/size {
		return nil, fmt.Errorf("array of %d elements of %d bytes: %w", n, size, ErrLimit)
	}
	b, err := d.take(n * size)
	if err != nil {
		return nil, err
	}
	a.Items = decodePrimitives(code, slices.Clone(b))
	return a, nil
}

func (d *decoder) references(n int) ([]Value, error) {
	if n < 0 || n > d.limits.Array {
		return nil, fmt.Errorf("array of %d references: %w (%d)", n, ErrLimit, d.limits.Array)
	}
	if n > d.left() { // each takes a byte at least
		return nil, fmt.Errorf("array of %d references in a stream of %d more bytes", n, d.left())
	}
	if d.values+n > d.limits.Values {
		return nil, d.spend(n)
	}
	items := make([]Value, n)
	for i := range items {
		var err error
		if items[i], err = d.object(); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (d *decoder) enum() (Value, error) {
	desc, err := d.someClassDesc("enum constant")
	if err != nil {
		return nil, err
	}
	if !desc.Flags.Has(EnumClass) {
		return nil, fmt.Errorf("enum constant of class %v, which is no enum", desc)
	}
	e := &Enum{Class: desc}
	d.newHandle(e)
	v, err := d.object()
	if err != nil {
		return nil, err
	}
	var ok bool
	if e.Constant, ok = v.(string); !ok {
		return nil, fmt.Errorf("name of a constant of enum %v is %s, expected a string", desc, Describe(v))
	}
	return e, nil
}
