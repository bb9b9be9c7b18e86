package mesosjson

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func appendMessage(dst []byte, m protoreflect.Message, p *plan) ([]byte, error) {
	dst = append(dst, '{')
	start := len(dst)
	for i := range p.fields {
		f := &p.fields[i]
		switch {
		case m.Has(f.desc) && !f.nameless(m):
			dst = separate(dst, start)
			dst = append(dst, f.key...)
			var err error
			if dst, err = appendField(dst, m.Get(f.desc), f); err != nil {
				return nil, err
			}
		case f.required:
			return nil, fmt.Errorf("required field %s is not set", f.desc.FullName())
		case f.unset != "":
			dst = separate(dst, start)
			dst = append(dst, f.unset...)
		}
	}
	return append(dst, '}'), nil
}

// nameless tells whether the field holds a number that its enum has no name for, and may be left out.
func (f *field) nameless(m protoreflect.Message) bool {
	if f.value.enum == nil || f.shape != single || f.required {
		return false
	}
	return f.value.enum.quoted[m.Get(f.desc).Enum()] == ""
}

// separate appends a comma unless nothing was appended since start.
func separate(dst []byte, start int) []byte {
	if len(dst) > start {
		dst = append(dst, ',')
	}
	return dst
}

func appendField(dst []byte, v protoreflect.Value, f *field) ([]byte, error) {
	var err error
	switch f.shape {
	case list:
		dst, err = appendList(dst, v.List(), f.value)
	case dict:
		dst, err = appendMap(dst, v.Map(), f.value)
	default:
		dst, err = appendValue(dst, v, f.value)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return dst, nil
}

func appendList(dst []byte, l protoreflect.List, element value) ([]byte, error) {
	dst = append(dst, '[')
	for i := range l.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendValue(dst, l.Get(i), element); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// appendMap writes a map as an object, sorted by key: the same message always gives the same bytes.
func appendMap(dst []byte, m protoreflect.Map, element value) ([]byte, error) {
	dst = append(dst, '{')
	for i, key := range sortedKeys(m) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, key.String())
		dst = append(dst, ':')
		var err error
		if dst, err = appendValue(dst, m.Get(key), element); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func sortedKeys(m protoreflect.Map) []protoreflect.MapKey {
	keys := make([]protoreflect.MapKey, 0, m.Len())
	for key := range m.Range {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return cmp.Compare(a.String(), b.String()) })
	return keys
}

func appendValue(dst []byte, v protoreflect.Value, how value) ([]byte, error) {
	if how.message != nil {
		return appendMessage(dst, v.Message(), how.message)
	}
	return appendScalar(dst, v, how)
}

func appendScalar(dst []byte, v protoreflect.Value, how value) ([]byte, error) {
	switch how.kind {
	case protoreflect.StringKind:
		return appendString(dst, v.String()), nil
	case protoreflect.BytesKind:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.Bytes())
		return append(dst, '"'), nil
	case protoreflect.EnumKind:
		if name := how.enum.quoted[v.Enum()]; name != "" {
			return append(dst, name...), nil
		}
		return strconv.AppendInt(dst, int64(v.Enum()), 10), nil
	case protoreflect.BoolKind:
		return strconv.AppendBool(dst, v.Bool()), nil
	case protoreflect.DoubleKind:
		return appendFloat(dst, v.Float(), 64), nil
	case protoreflect.FloatKind:
		return appendFloat(dst, v.Float(), 32), nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	default: // what is left are the signed integers
		return strconv.AppendInt(dst, v.Int(), 10), nil
	}
}
