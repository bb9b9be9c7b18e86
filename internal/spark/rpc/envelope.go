package rpc

import (
	"encoding/binary"
	"fmt"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/serial"
)

// envelope is the body of a request or one-way message:
//
//	sender    address: byte 0, or byte 1, host, int32 port
//	receiver  address
//	endpoint  name
//	content   a Java object stream with one object
//
// Hosts and names are in modified UTF-8 with a uint16 length. The sender is what it advertises, not
// where its packets come from; the receiver's address is of no use and nobody looks at it.
type envelope struct {
	sender   endpoint.Address
	receiver endpoint.Address
	name     string
	content  []byte
}

func (e envelope) encode() ([]byte, error) {
	var b []byte
	for _, a := range []endpoint.Address{e.sender, e.receiver} {
		if a.IsZero() {
			b = append(b, 0)
			continue
		}
		var err error
		if b, err = serial.AppendName(append(b, 1), a.Host); err != nil {
			return nil, err
		}
		b = binary.BigEndian.AppendUint32(b, uint32(a.Port))
	}
	b, err := serial.AppendName(b, e.name)
	return append(b, e.content...), err
}

func parseEnvelope(b []byte) (envelope, error) {
	h := header{b: b}
	e := envelope{sender: h.address(), receiver: h.address(), name: h.name()}
	e.content = h.b
	if h.err != nil {
		return envelope{}, fmt.Errorf("envelope of a message: %w", h.err)
	}
	return e, nil
}

func (h *header) name() string {
	b := h.take(h.u16())
	if h.err != nil {
		return ""
	}
	s, err := serial.ParseName(b)
	h.failIf(err != nil, "%w", err)
	return s
}

func (h *header) address() endpoint.Address {
	switch present := h.u8(); present {
	case 0:
		return endpoint.Address{}
	case 1:
	default:
		h.failIf(true, "address begins with %#02x, expected 0 or 1", present)
	}
	a := endpoint.Address{Host: h.name(), Port: int(h.i32())}
	h.failIf(a.Port < 0 || a.Port > 65535, "address %s has port %d", a.Host, a.Port)
	return a
}
