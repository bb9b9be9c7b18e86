package mesosjson

import (
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
