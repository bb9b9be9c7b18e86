package serial

import (
	"encoding/binary"
	"fmt"
	"math"
)

// primitiveSize gives the bytes of a primitive by its type code.
var primitiveSize = map[byte]int{'B': 1, 'C': 2, 'D': 8, 'F': 4, 'I': 4, 'J': 8, 'S': 2, 'Z': 1}

func decodePrimitive(code byte, b []byte) Value {
	switch code {
	case 'B':
		return int8(b[0])
	case 'C':
		return binary.BigEndian.Uint16(b)
	case 'D':
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	case 'F':
		return math.Float32frombits(binary.BigEndian.Uint32(b))
	case 'I':
		return int32(binary.BigEndian.Uint32(b))
	case 'J':
		return int64(binary.BigEndian.Uint64(b))
	case 'S':
		return int16(binary.BigEndian.Uint16(b))
	}
	return b[0] != 0
}

// decodePrimitives reads the elements of an array; bytes stay the slice they are.
func decodePrimitives(code byte, b []byte) any {
	switch code {
	case 'B':
		return b
	case 'C':
		return each[uint16](code, b)
	case 'D':
		return each[float64](code, b)
	case 'F':
		return each[float32](code, b)
	case 'I':
		return each[int32](code, b)
	case 'J':
		return each[int64](code, b)
	case 'S':
		return each[int16](code, b)
	}
	return each[bool](code, b)
}

func each[T any](code byte, b []byte) []T {
	size := primitiveSize[code]
	items := make([]T, len(b)/size)
	for i := range items {
		items[i] = decodePrimitive(code, b[i*size:]).(T)
	}
	return items
}

// zero is the value of a field that nobody set.
func zero(code byte) Value {
	if size, ok := primitiveSize[code]; ok {
		return decodePrimitive(code, make([]byte, size))
	}
	return nil
}

// appendPrimitive appends v, which must be of the Go type that belongs to the type code.
func appendPrimitive(b []byte, code byte, v Value) ([]byte, error) {
	var got byte
	switch v := v.(type) {
	case int8:
		got, b = 'B', append(b, byte(v))
	case uint16:
		got, b = 'C', binary.BigEndian.AppendUint16(b, v)
	case float64:
		got, b = 'D', binary.BigEndian.AppendUint64(b, math.Float64bits(v))
	case float32:
		got, b = 'F', binary.BigEndian.AppendUint32(b, math.Float32bits(v))
	case int32:
		got, b = 'I', binary.BigEndian.AppendUint32(b, uint32(v))
	case int64:
		got, b = 'J', binary.BigEndian.AppendUint64(b, uint64(v))
	case int16:
		got, b = 'S', binary.BigEndian.AppendUint16(b, uint16(v))
	case bool:
		got, b = 'Z', append(b, 0)
		if v {
			b[len(b)-1] = 1
		}
	}
	if got != code {
		return nil, fmt.Errorf("%s as a primitive of type %c", Describe(v), code)
	}
	return b, nil
}

// appendPrimitives appends the elements of an array of primitives and gives their number.
func appendPrimitives(b []byte, code byte, items any) ([]byte, int, error) {
	switch items := items.(type) {
	case []byte:
		if code == 'B' {
			return append(b, items...), len(items), nil
		}
	case []bool:
		return appendEach(b, code, items)
	case []uint16:
		return appendEach(b, code, items)
	case []int16:
		return appendEach(b, code, items)
	case []int32:
		return appendEach(b, code, items)
	case []int64:
		return appendEach(b, code, items)
	case []float32:
		return appendEach(b, code, items)
	case []float64:
		return appendEach(b, code, items)
	}
	return nil, 0, fmt.Errorf("%T as the elements of an array of type %c", items, code)
}

func appendEach[T any](b []byte, code byte, items []T) ([]byte, int, error) {
	for _, v := range items {
		var err error
		if b, err = appendPrimitive(b, code, v); err != nil {
			return nil, 0, err
		}
	}
	return b, len(items), nil
}
