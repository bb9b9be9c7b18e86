package serial

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Encode writes a whole stream that holds the given values. What is shared in the graph (the same
// pointer) is shared in the stream; equal strings are written once. An error means that the graph is
// not one: a field of the wrong type, an object whose data does not fit its class.
func Encode(values ...Value) ([]byte, error) {
	e := encoder{handles: make(map[any]uint32)}
	e.u16(streamMagic)
	e.u16(streamVersion)
	for _, v := range values {
		if err := e.content(v); err != nil {
			return nil, fmt.Errorf("java object stream: %w", err)
		}
	}
	return e.out, nil
}

// maxEncodeDepth keeps a graph that is a very long chain from exhausting the stack of whoever reads it:
// a JVM gives up after a few thousand levels.
const maxEncodeDepth = 2000

// encoder writes one stream.
type encoder struct {
	out     []byte
	handles map[any]uint32 // by string, or by pointer to what was written
	next    uint32         // handle, counted from the base
	depth   int
}

func (e *encoder) u8(b byte)    { e.out = append(e.out, b) }
func (e *encoder) u16(n uint16) { e.out = binary.BigEndian.AppendUint16(e.out, n) }
func (e *encoder) u32(n uint32) { e.out = binary.BigEndian.AppendUint32(e.out, n) }

func (e *encoder) newHandle(v any) {
	e.handles[v] = baseHandle + e.next
	e.next++
}

// seen writes a reference if v has been written before.
func (e *encoder) seen(v any) bool {
	h, ok := e.handles[v]
	if ok {
		e.u8(tcReference)
		e.u32(h)
	}
	return ok
}

// content writes a value or a block.
func (e *encoder) content(v Value) error {
	if b, ok := v.(Block); ok {
		return e.block(b)
	}
	return e.value(v)
}

func (e *encoder) block(b Block) error {
	switch n := len(b); {
	case n <= math.MaxUint8:
		e.u8(tcBlockData)
		e.u8(byte(n))
	case n <= math.MaxInt32:
		e.u8(tcBlockDataLong)
		e.u32(uint32(n))
	default:
		return fmt.Errorf("block of %d bytes", n)
	}
	e.out = append(e.out, b...)
	return nil
}

func (e *encoder) value(v Value) error {
	if e.depth++; e.depth > maxEncodeDepth {
		return fmt.Errorf("graph is more than %d deep", maxEncodeDepth)
	}
	defer func() { e.depth-- }()
	switch v := v.(type) {
	case nil:
		e.u8(tcNull)
		return nil
	case string:
		return e.string(v)
	case *Object:
		return e.object(v)
	case *Array:
		return e.array(v)
	case *Enum:
		return e.enum(v)
	case *Class:
		return e.class(v)
	case *ClassDesc:
		return e.classDesc(v)
	}
	return fmt.Errorf("%T where a reference is expected", v)
}

func (e *encoder) string(s string) error {
	if !e.seen(s) {
		e.newString(s)
	}
	return nil
}

// newString writes a string even if it has been written before.
func (e *encoder) newString(s string) {
	e.newHandle(s)
	start := len(e.out)
	e.out = append(e.out, tcString, 0, 0)
	e.out = appendModified(e.out, s)
	n := len(e.out) - start - 3
	if n <= math.MaxUint16 {
		binary.BigEndian.PutUint16(e.out[start+1:], uint16(n))
		return
	}
	e.out = append(e.out[:start], tcLongString)
	e.out = binary.BigEndian.AppendUint64(e.out, uint64(n))
	e.out = appendModified(e.out, s)
}

// name writes a short string without a handle.
func (e *encoder) name(s string) error {
	out, err := AppendName(e.out, s)
	if err == nil {
		e.out = out
	}
	return err
}

func (e *encoder) annotation(a Annotation) error {
	for _, v := range a {
		if err := e.content(v); err != nil {
			return err
		}
	}
	e.u8(tcEndBlockData)
	return nil
}

func (e *encoder) classDesc(d *ClassDesc) error {
	if d == nil {
		e.u8(tcNull)
		return nil
	}
	if e.seen(d) {
		return nil
	}
	var err error
	if d.isProxy() {
		err = e.proxyClassDesc(d)
	} else {
		err = e.plainClassDesc(d)
	}
	if err != nil {
		return fmt.Errorf("class %v: %w", d, err)
	}
	if err := e.annotation(d.Annotation); err != nil {
		return fmt.Errorf("class %v: %w", d, err)
	}
	return e.classDesc(d.Super)
}

func (e *encoder) plainClassDesc(d *ClassDesc) error {
	e.u8(tcClassDesc)
	if err := e.name(d.Name); err != nil {
		return err
	}
	e.out = binary.BigEndian.AppendUint64(e.out, uint64(d.UID))
	e.newHandle(d)
	e.u8(byte(d.Flags))
	if len(d.Fields) > math.MaxUint16 {
		return fmt.Errorf("%d fields", len(d.Fields))
	}
	e.u16(uint16(len(d.Fields)))
	for _, f := range d.Fields {
		e.u8(f.Type)
		if err := e.name(f.Name); err != nil {
			return err
		}
		if f.Primitive() {
			continue
		}
		if err := e.string(f.Signature); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) proxyClassDesc(d *ClassDesc) error {
	e.u8(tcProxyClassDesc)
	e.newHandle(d)
	e.u32(uint32(len(d.Interfaces)))
	for _, name := range d.Interfaces {
		if err := e.name(name); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) object(o *Object) error {
	if o == nil || o.Class == nil {
		return fmt.Errorf("object without a class")
	}
	if e.seen(o) {
		return nil
	}
	e.u8(tcObject)
	if err := e.classDesc(o.Class); err != nil {
		return err
	}
	e.newHandle(o)
	if o.Class.Flags.Has(Externalizable) {
		return e.annotation(o.Annotation())
	}
	lineage := o.Class.Lineage()
	if len(lineage) != len(o.Data) {
		return fmt.Errorf("object of %v has data for %d classes of %d", o.Class, len(o.Data), len(lineage))
	}
	for i, c := range lineage {
		if err := e.classData(c, o.Data[i]); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) classData(c *ClassDesc, data ClassData) error {
	if !fieldless[c.Name] {
		if len(c.Fields) != len(data.Fields) {
			return fmt.Errorf("object of %v has %d fields of %d", c, len(data.Fields), len(c.Fields))
		}
		for i, f := range c.Fields {
			if err := e.fieldValue(f.Type, data.Fields[i]); err != nil {
				return fmt.Errorf("%v.%s: %w", c, f.Name, err)
			}
		}
	}
	if !c.Flags.Has(WriteMethod) {
		return nil
	}
	if err := e.annotation(data.Annotation); err != nil {
		return fmt.Errorf("%v: %w", c, err)
	}
	return nil
}

func (e *encoder) fieldValue(code byte, v Value) error {
	if code == 'L' || code == '[' {
		return e.value(v)
	}
	out, err := appendPrimitive(e.out, code, v)
	if err == nil {
		e.out = out
	}
	return err
}

func (e *encoder) array(a *Array) error {
	if a == nil || a.Class == nil || len(a.Class.Name) < 2 || a.Class.Name[0] != '[' {
		return fmt.Errorf("array whose class is not an array's")
	}
	if e.seen(a) {
		return nil
	}
	e.u8(tcArray)
	if err := e.classDesc(a.Class); err != nil {
		return err
	}
	e.newHandle(a)
	if items, ok := a.Items.([]Value); ok {
		e.u32(uint32(len(items)))
		for _, v := range items {
			if err := e.value(v); err != nil {
				return err
			}
		}
		return nil
	}
	at := len(e.out)
	e.u32(0)
	out, n, err := appendPrimitives(e.out, a.Class.Name[1], a.Items)
	if err != nil {
		return err
	}
	e.out = out
	binary.BigEndian.PutUint32(e.out[at:], uint32(n))
	return nil
}

func (e *encoder) enum(c *Enum) error {
	if e.seen(c) {
		return nil
	}
	e.u8(tcEnum)
	if err := e.classDesc(c.Class); err != nil {
		return err
	}
	e.newHandle(c)
	e.newString(c.Constant) // JVMs take no reference here
	return nil
}

func (e *encoder) class(c *Class) error {
	if e.seen(c) {
		return nil
	}
	e.u8(tcClass)
	if err := e.classDesc(c.Desc); err != nil {
		return err
	}
	e.newHandle(c)
	return nil
}
