package serial

import (
	"errors"
	"fmt"
)

// Limits bound what a stream may ask for. The zero value of each means its default.
type Limits struct {
	Depth  int // of nested objects, arrays and class descriptors; 512
	Values int // objects, fields, array elements and levels of classes, all together; 1 << 20
	String int // bytes of one string; 8 MiB
	Array  int // elements of one array; 1 << 20 references, or bytes of primitives eight times that
}

// DefaultLimits are generous for messages of a control protocol: the largest legitimate ones, an
// application's description or a full list of executors, stay under a hundredth of them.
var DefaultLimits = Limits{Depth: 512, Values: 1 << 20, String: 8 << 20, Array: 1 << 20}

func (l Limits) orDefault() Limits {
	set := func(n *int, def int) {
		if *n <= 0 {
			*n = def
		}
	}
	set(&l.Depth, DefaultLimits.Depth)
	set(&l.Values, DefaultLimits.Values)
	set(&l.String, DefaultLimits.String)
	set(&l.Array, DefaultLimits.Array)
	return l
}

// ErrLimit is in every error about a stream that asks for more than its Limits.
var ErrLimit = errors.New("stream exceeds a limit")

// AbortedError says that the writer of the stream failed half way and wrote the exception instead.
type AbortedError struct {
	Exception Value
}

// Error names the exception.
func (e *AbortedError) Error() string {
	if o, ok := e.Exception.(*Object); ok {
		if msg, err := Get[string](o, "detailMessage"); err == nil {
			return fmt.Sprintf("writing the stream was aborted by %v: %s", o.Class, msg)
		}
	}
	return "writing the stream was aborted by " + Describe(e.Exception)
}
