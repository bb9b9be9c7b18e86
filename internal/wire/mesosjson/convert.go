package mesosjson

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"
)

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
		s := scanner{data: text}
		b, err := s.bool()
		if err == nil {
			err = s.end()
		}
		if err != nil {
			return protoreflect.Value{}, textError(text, f, "boolean")
		}
		return protoreflect.ValueOfBool(b), nil
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		if special, ok := specialFloats[string(text)]; ok {
			return floatValue(special, kind), nil
		}
	}
	s := scanner{data: text}
	digits, err := s.number()
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return protoreflect.Value{}, textError(text, f, "number")
	}
	return convertNumber(digits, f, kind)
}

// specialFloats are the doubles that JSON has no number for.
var specialFloats = map[string]float64{
	"Infinity":  math.Inf(1),
	"-Infinity": math.Inf(-1),
	"NaN":       math.NaN(),
}

func floatValue(n float64, kind protoreflect.Kind) protoreflect.Value {
	if kind == protoreflect.FloatKind {
		return protoreflect.ValueOfFloat32(float32(n))
	}
	return protoreflect.ValueOfFloat64(n)
}

// convertNumber makes a value of f out of a JSON number.
func convertNumber(digits []byte, f *field, kind protoreflect.Kind) (protoreflect.Value, error) {
	outOfRange := func() error {
		return convertErrorf("Number %s for field '%s' is not in the range of %v", quotable(digits), f.name, kind)
	}
	switch kind {
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		bits := 64
		if kind == protoreflect.FloatKind {
			bits = 32
		}
		n, err := strconv.ParseFloat(string(digits), bits)
		if err != nil {
			return protoreflect.Value{}, outOfRange()
		}
		return floatValue(n, kind), nil
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
