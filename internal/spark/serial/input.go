package serial

import (
	"encoding/binary"
	"fmt"
	"io"
)

// input is the bytes not read yet. Nothing is taken from it before it is known to be there, and so no
// length in a stream makes us allocate more than came in.
type input struct {
	buf []byte
	pos int
}

func (in *input) left() int { return len(in.buf) - in.pos }

func (in *input) take(n int) ([]byte, error) {
	if n < 0 || n > in.left() {
		return nil, fmt.Errorf("stream ends at byte %d, %d more expected there: %w", len(in.buf), n-in.left(), io.ErrUnexpectedEOF)
	}
	b := in.buf[in.pos : in.pos+n]
	in.pos += n
	return b, nil
}

func (in *input) u8() (byte, error) {
	b, err := in.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (in *input) u16() (int, error) {
	b, err := in.take(2)
	if err != nil {
		return 0, err
	}
	return int(binary.BigEndian.Uint16(b)), nil
}

func (in *input) i32() (int, error) {
	b, err := in.take(4)
	if err != nil {
		return 0, err
	}
	return int(int32(binary.BigEndian.Uint32(b))), nil
}

func (in *input) i64() (int64, error) {
	b, err := in.take(8)
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}

// name reads a short string that gets no handle: the name of a class or a field.
func (in *input) name() (string, error) {
	n, err := in.u16()
	if err != nil {
		return "", err
	}
	b, err := in.take(n)
	if err != nil {
		return "", err
	}
	return decodeModified(b)
}
