package serial

import (
	"errors"
	"fmt"
	"slices"
)

// Decode reads a whole stream: its header and everything that was written to it, in order.
func Decode(b []byte, limits Limits) ([]Value, error) {
	d := decoder{input: input{buf: b}, limits: limits.orDefault()}
	if err := d.header(); err != nil {
		return nil, err
	}
	var all Annotation
	for d.left() > 0 {
		v, err := d.content(true)
		switch {
		case errors.Is(err, errEndBlock):
			return nil, d.wrap(fmt.Errorf("end of block data outside an object"))
		case err != nil:
			return nil, d.wrap(err)
		}
		if v != reset {
			all = join(all, v)
		}
	}
	return all, nil
}

// DecodeOne reads a stream that holds exactly one object.
func DecodeOne(b []byte, limits Limits) (Value, error) {
	all, err := Decode(b, limits)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("stream holds %d objects, expected one", len(all))
	}
	return all[0], nil
}

// decoder reads one stream.
type decoder struct {
	input
	limits  Limits
	handles []Value // what has been given a handle, in order; nil while its descriptor is being read
	depth   int
	values  int
}

// markers that content gives besides values.
type marker int

const reset marker = 1

var errEndBlock = errors.New("end of block data")

// wrap says where in the stream it went wrong.
func (d *decoder) wrap(err error) error {
	if _, ok := errors.AsType[*AbortedError](err); ok {
		return err
	}
	return fmt.Errorf("java object stream, before byte %d: %w", d.pos, err)
}

func (d *decoder) header() error {
	magic, err := d.u16()
	if err != nil {
		return d.wrap(err)
	}
	version, err := d.u16()
	if err != nil {
		return d.wrap(err)
	}
	if magic != streamMagic || version != streamVersion {
		return fmt.Errorf("java object stream begins with %04x %04x, expected aced 0005", magic, version)
	}
	return nil
}

// spend counts n values against the limit.
func (d *decoder) spend(n int) error {
	if d.values += n; d.values > d.limits.Values {
		return fmt.Errorf("more than %d values: %w", d.limits.Values, ErrLimit)
	}
	return nil
}

// enter and leave count the depth.
func (d *decoder) enter() error {
	if d.depth++; d.depth > d.limits.Depth {
		return fmt.Errorf("nested more than %d deep: %w", d.limits.Depth, ErrLimit)
	}
	return nil
}

func (d *decoder) leave() { d.depth-- }

// newHandle gives v the next handle, by which the rest of the stream may refer to it.
func (d *decoder) newHandle(v Value) int {
	d.handles = append(d.handles, v)
	return len(d.handles) - 1
}

// content reads whatever comes next: a value, a block, or an end of block data (errEndBlock).
func (d *decoder) content(top bool) (Value, error) {
	tag, err := d.u8()
	if err != nil {
		return nil, err
	}
	switch tag {
	case tcBlockData, tcBlockDataLong:
		return d.block(tag)
	case tcEndBlockData:
		return nil, errEndBlock
	case tcReset:
		if !top {
			return nil, errors.New("reset inside an object")
		}
		d.handles = nil
		return reset, nil
	}
	return d.value(tag)
}

// object reads a value where the grammar allows no blocks.
func (d *decoder) object() (Value, error) {
	tag, err := d.u8()
	if err != nil {
		return nil, err
	}
	return d.value(tag)
}

func (d *decoder) value(tag byte) (Value, error) {
	if err := d.spend(1); err != nil {
		return nil, err
	}
	if tag == tcNull {
		return nil, nil
	}
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.leave()
	switch tag {
	case tcReference:
		return d.reference()
	case tcString, tcLongString:
		return d.string(tag)
	case tcObject:
		return d.instance()
	case tcArray:
		return d.array()
	case tcEnum:
		return d.enum()
	case tcClass:
		desc, err := d.someClassDesc("class object")
		if err != nil {
			return nil, err
		}
		c := &Class{Desc: desc}
		d.newHandle(c)
		return c, nil
	case tcClassDesc, tcProxyClassDesc:
		return d.newClassDesc(tag)
	case tcException:
		return nil, d.aborted()
	}
	return nil, fmt.Errorf("tag %#02x where a value is expected", tag)
}

func (d *decoder) reference() (Value, error) {
	h, err := d.i32()
	if err != nil {
		return nil, err
	}
	i := h - baseHandle
	if i < 0 || i >= len(d.handles) {
		return nil, fmt.Errorf("reference to handle %#x, of which there are %d", h, len(d.handles))
	}
	return d.handles[i], nil
}

func (d *decoder) string(tag byte) (string, error) {
	var n int
	var err error
	if tag == tcString {
		n, err = d.u16()
	} else {
		var long int64
		if long, err = d.i64(); err == nil && (long < 0 || long > int64(d.limits.String)) {
			return "", fmt.Errorf("string of %d bytes: %w (%d)", long, ErrLimit, d.limits.String)
		}
		n = int(long)
	}
	if err != nil {
		return "", err
	}
	if n > d.limits.String {
		return "", fmt.Errorf("string of %d bytes: %w (%d)", n, ErrLimit, d.limits.String)
	}
	b, err := d.take(n)
	if err != nil {
		return "", err
	}
	s, err := decodeModified(b)
	if err != nil {
		return "", err
	}
	d.newHandle(s)
	return s, nil
}

func (d *decoder) block(tag byte) (Value, error) {
	var n int
	if tag == tcBlockData {
		b, err := d.u8()
		if err != nil {
			return nil, err
		}
		n = int(b)
	} else {
		var err error
		if n, err = d.i32(); err != nil {
			return nil, err
		}
	}
	b, err := d.take(n)
	if err != nil {
		return nil, err
	}
	return Block(slices.Clone(b)), nil
}

// annotation reads blocks and values up to the end of block data.
func (d *decoder) annotation() (Annotation, error) {
	var a Annotation
	for {
		v, err := d.content(false)
		if errors.Is(err, errEndBlock) {
			return a, nil
		}
		if err != nil {
			return nil, err
		}
		a = join(a, v)
	}
}

// join appends v, and makes one block of two neighbours.
func join(a Annotation, v Value) Annotation {
	b, ok := v.(Block)
	if !ok {
		return append(a, v)
	}
	if len(b) == 0 {
		return a
	}
	if len(a) > 0 {
		if last, ok := a[len(a)-1].(Block); ok {
			a[len(a)-1] = append(last, b...)
			return a
		}
	}
	return append(a, b)
}

// aborted reads the exception that stopped the writer.
func (d *decoder) aborted() error {
	d.handles = nil
	v, err := d.object()
	if err != nil {
		return fmt.Errorf("reading the exception that aborted the stream: %w", err)
	}
	return &AbortedError{Exception: v}
}
