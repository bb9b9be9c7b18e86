package mesosjson

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// decoder fills messages from JSON text.
type decoder struct{ scanner }

func decode(data []byte, m protoreflect.Message, p *plan) error {
	d := decoder{scanner{data: data}}
	if d.peek() != '{' {
		return convertErrorf("Expecting a JSON object")
	}
	if err := d.message(m, p); err != nil {
		return err
	}
	if err := d.end(); err != nil {
		return err
	}
	if proto.CheckInitialized(m.Interface()) != nil {
		return missingError(m, p)
	}
	return nil
}

func (d *decoder) message(m protoreflect.Message, p *plan) error {
	return d.object(func(name []byte) error {
		f, known := p.byName[string(name)]
		if !known {
			return d.skip()
		}
		return d.field(m, f)
	})
}

// field consumes the value of f. What m had there before came from a repeated member, which loses.
func (d *decoder) field(m protoreflect.Message, f *field) error {
	if m.Has(f.desc) {
		m.Clear(f.desc)
	}
	c := d.peek()
	if c == 'n' {
		return d.word("null")
	}
	switch {
	case f.shape == list:
		return d.list(m.Mutable(f.desc).List(), f)
	case f.shape == dict:
		if c != '{' {
			return unexpected(c, f)
		}
		return d.entries(m.Mutable(f.desc).Map(), f)
	case f.value.message != nil:
		if c != '{' {
			return unexpected(c, f)
		}
		return d.message(m.Mutable(f.desc).Message(), f.value.message)
	}
	v, err := d.scalar(f)
	if err == nil && v.IsValid() {
		m.Set(f.desc, v)
	}
	return err
}

// list consumes the elements of a list, or the only one without brackets around it.
func (d *decoder) list(l protoreflect.List, f *field) error {
	element := func() error {
		switch c := d.peek(); {
		case c == 'n':
			return d.word("null")
		case f.value.message == nil:
			v, err := d.scalar(f)
			if err == nil && v.IsValid() {
				l.Append(v)
			}
			return err
		case c != '{':
			return unexpected(c, f)
		default:
			return d.message(l.AppendMutable().Message(), f.value.message)
		}
	}
	if d.peek() == '[' {
		return d.array(element)
	}
	return element()
}

// entries consumes the object that a map is written as.
func (d *decoder) entries(m protoreflect.Map, f *field) error {
	return d.object(func(name []byte) error {
		key, err := mapKey(name, f)
		if err != nil {
			return err
		}
		m.Clear(key)
		switch c := d.peek(); {
		case c == 'n':
			return d.word("null")
		case f.value.message == nil:
			v, err := d.scalar(f)
			if err == nil && v.IsValid() {
				m.Set(key, v)
			}
			return err
		case c != '{':
			return unexpected(c, f)
		default:
			return d.message(m.Mutable(key).Message(), f.value.message)
		}
	})
}

func mapKey(name []byte, f *field) (protoreflect.MapKey, error) {
	kind := f.desc.MapKey().Kind()
	if kind == protoreflect.StringKind {
		return protoreflect.ValueOfString(string(name)).MapKey(), nil
	}
	v, err := convertText(name, f, kind)
	if err != nil {
		return protoreflect.MapKey{}, err
	}
	return v.MapKey(), nil
}

// scalar consumes a value that is not a message. The result is invalid if the field is to stay unset.
func (d *decoder) scalar(f *field) (protoreflect.Value, error) {
	switch c := d.peek(); c {
	case '"':
		text, err := d.text()
		if err != nil {
			return protoreflect.Value{}, err
		}
		return convertText(text, f, f.value.kind)
	case 't', 'f':
		b, err := d.bool()
		if err == nil && f.value.kind != protoreflect.BoolKind {
			err = unexpected(c, f)
		}
		return protoreflect.ValueOfBool(b), err
	case '{', '[':
		return protoreflect.Value{}, unexpected(c, f)
	default:
		digits, err := d.number()
		if err != nil {
			return protoreflect.Value{}, err
		}
		return convertNumber(digits, f, f.value.kind)
	}
}

// convertText makes a value of f out of a string.
func convertText(text []byte, f *field, kind protoreflect.Kind) (protoreflect.Value, error) {
	switch kind {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(string(text)), nil
	case protoreflect.BytesKind:
		decoded, err := decodeBase64(text)
		if err != nil {
			err = convertErrorf("Failed to base64 decode bytes field '%s': %v", f.name, err)
		}
		return protoreflect.ValueOfBytes(decoded), err
	case protoreflect.EnumKind:
		number, ok := f.value.enum.numbers[string(text)]
		switch {
		case ok:
			return protoreflect.ValueOfEnum(number), nil
		case f.required:
			return protoreflect.Value{}, convertErrorf("Failed to find enum for '%s'", quotable(text))
		default:
			return protoreflect.Value{}, nil
		}
	case protoreflect.BoolKind:
		switch string(text) {
		case "true":
			return protoreflect.ValueOfBool(true), nil
		case "false":
			return protoreflect.ValueOfBool(false), nil
		}
	default:
		if len(text) > 0 && numberLen(text) == len(text) {
			return convertNumber(text, f, kind)
		}
	}
	return protoreflect.Value{}, unexpected('"', f)
}

// convertNumber makes a value of f out of a JSON number.
func convertNumber(digits []byte, f *field, kind protoreflect.Kind) (protoreflect.Value, error) {
	outOfRange := func() error {
		return convertErrorf("Number %s for field '%s' is not in the range of %v", quotable(digits), f.name, kind)
	}
	switch kind {
	case protoreflect.DoubleKind:
		n, err := strconv.ParseFloat(string(digits), 64)
		if err != nil {
			return protoreflect.Value{}, outOfRange()
		}
		return protoreflect.ValueOfFloat64(n), nil
	case protoreflect.FloatKind:
		n, err := strconv.ParseFloat(string(digits), 32)
		if err != nil {
			return protoreflect.Value{}, outOfRange()
		}
		return protoreflect.ValueOfFloat32(float32(n)), nil
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, ok := parseInt(digits)
		if !ok || n != int64(int32(n)) {
			return protoreflect.Value{}, outOfRange()
		}
		return protoreflect.ValueOfInt32(int32(n)), nil
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		n, ok := parseInt(digits)
		if !ok {
			return protoreflect.Value{}, outOfRange()
		}
		return protoreflect.ValueOfInt64(n), nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, ok := parseUint(digits)
		if !ok || n > math.MaxUint32 {
			return protoreflect.Value{}, outOfRange()
		}
		return protoreflect.ValueOfUint32(uint32(n)), nil
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		n, ok := parseUint(digits)
		if !ok {
			return protoreflect.Value{}, outOfRange()
		}
		return protoreflect.ValueOfUint64(n), nil
	}
	return protoreflect.Value{}, unexpected('0', f)
}

// parseInt reads an integer, which may be written like 5.0 or 1e3.
func parseInt(digits []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(digits), 10, 64); err == nil {
		return n, true
	}
	f, whole := parseWhole(digits)
	if !whole || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

func parseUint(digits []byte) (uint64, bool) {
	if n, err := strconv.ParseUint(string(digits), 10, 64); err == nil {
		return n, true
	}
	f, whole := parseWhole(digits)
	if !whole || f < 0 || f >= 1<<64 {
		return 0, false
	}
	return uint64(f), true
}

// parseWhole reads a number in the notation of a double, without a fraction. A number in the notation
// of an integer that parseInt could not read is out of range, and must not come back rounded.
func parseWhole(digits []byte) (float64, bool) {
	if !bytes.ContainsAny(digits, ".eE") {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(digits), 64)
	return f, err == nil && f == math.Trunc(f)
}

// decodeBase64 accepts both alphabets, with and without padding.
func decodeBase64(text []byte) ([]byte, error) {
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	if len(text)%4 == 0 {
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("=")), []byte("="))
	}
	return encoding.AppendDecode([]byte{}, text)
}
