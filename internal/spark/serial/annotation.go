package serial

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Annotation is what a class's own code wrote: blocks of raw bytes and objects, in order.
type Annotation []Value

// Reader reads the annotation as the class's readObject would.
func (a Annotation) Reader() *AnnotationReader {
	return &AnnotationReader{rest: a}
}

// AnnotationReader reads primitives and objects in the order in which they were written. The first
// error sticks: readers check Err once at the end.
type AnnotationReader struct {
	rest  Annotation
	block Block
	err   error
}

var errAnnotationEnd = errors.New("annotation ends too early")

// Err is the first thing that went wrong.
func (r *AnnotationReader) Err() error { return r.err }

// More tells whether anything is left.
func (r *AnnotationReader) More() bool {
	return r.err == nil && (len(r.block) > 0 || len(r.rest) > 0)
}

// Value reads one object. Raw bytes where an object is expected are an error.
func (r *AnnotationReader) Value() Value {
	switch {
	case r.err != nil:
		return nil
	case len(r.block) > 0:
		r.err = fmt.Errorf("annotation has %d raw bytes where an object is expected", len(r.block))
		return nil
	case len(r.rest) == 0:
		r.err = errAnnotationEnd
		return nil
	}
	v := r.rest[0]
	if b, ok := v.(Block); ok {
		r.err = fmt.Errorf("annotation has %d raw bytes where an object is expected", len(b))
		return nil
	}
	r.rest = r.rest[1:]
	return v
}

// Bytes reads n raw bytes.
func (r *AnnotationReader) Bytes(n int) []byte {
	if r.err != nil {
		return nil
	}
	if len(r.block) == 0 && len(r.rest) > 0 {
		if b, ok := r.rest[0].(Block); ok {
			r.block, r.rest = b, r.rest[1:]
		}
	}
	if len(r.block) < n {
		r.err = fmt.Errorf("annotation has %d raw bytes where %d are expected", len(r.block), n)
		return nil
	}
	b := r.block[:n]
	r.block = r.block[n:]
	return b
}

// Int32 reads an int.
func (r *AnnotationReader) Int32() int32 {
	if b := r.Bytes(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// Int64 reads a long.
func (r *AnnotationReader) Int64() int64 {
	if b := r.Bytes(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// Bool reads a boolean.
func (r *AnnotationReader) Bool() bool {
	b := r.Bytes(1)
	return b != nil && b[0] != 0
}

// AppendInt32 appends an int to raw bytes that will become a Block.
func AppendInt32(b Block, n int32) Block {
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

// AppendFloat64 appends a double.
func AppendFloat64(b Block, f float64) Block {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(f))
}

// AppendInt64 appends a long.
func AppendInt64(b Block, n int64) Block {
	return binary.BigEndian.AppendUint64(b, uint64(n))
}
