package wire

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/meseta/meseta/internal/wire/mesosjson"
)

// Codec is one of the two encodings of a message. The zero value stands for
// "neither" and is what an Accept header comes to that allows none of them.
type Codec uint8

// The encodings of Mesos' v1 API.
const (
	JSON Codec = iota + 1
	Protobuf
)

const (
	jsonType     = "application/json"
	protobufType = "application/x-protobuf"
)

// ContentType is the media type of the codec, without parameters: there are
// clients that compare it as a string.
func (c Codec) ContentType() string {
	switch c {
	case JSON:
		return jsonType
	case Protobuf:
		return protobufType
	}
	return ""
}

// String names the codec as a command-line flag would.
func (c Codec) String() string {
	switch c {
	case JSON:
		return "json"
	case Protobuf:
		return "protobuf"
	}
	return fmt.Sprintf("Codec(%d)", uint8(c))
}

// Marshal encodes m.
func (c Codec) Marshal(m proto.Message) ([]byte, error) {
	return c.Append(nil, m)
}

// Append appends the encoding of m to dst. It fails on a message that lacks a
// required field.
func (c Codec) Append(dst []byte, m proto.Message) ([]byte, error) {
	switch c {
	case JSON:
		return mesosjson.Append(dst, m)
	case Protobuf:
		return proto.MarshalOptions{}.MarshalAppend(dst, m)
	}
	return dst, fmt.Errorf("no encoding for %s: codec is neither JSON nor protobuf", messageName(m))
}

// Unmarshal resets m and decodes data into it. Nothing of m refers to data
// afterwards.
func (c Codec) Unmarshal(data []byte, m proto.Message) error {
	switch c {
	case JSON:
		return mesosjson.Unmarshal(data, m)
	case Protobuf:
		return proto.Unmarshal(data, m)
	}
	return fmt.Errorf("no decoding for %s: codec is neither JSON nor protobuf", messageName(m))
}

// codecOf is the codec of a Content-Type. Mesos compares the whole header, so
// one with parameters names no codec.
func codecOf(contentType string) Codec {
	switch contentType {
	case jsonType:
		return JSON
	case protobufType:
		return Protobuf
	}
	return 0
}

// acceptedCodec is the codec that an Accept header asks for. As in Mesos, JSON
// wins wherever it is allowed, whatever the order and the quality values, and
// no header, or an empty one, allows everything. A quality of zero excludes a
// type.
func acceptedCodec(accept []string) Codec {
	if len(accept) == 0 || len(accept) == 1 && accept[0] == "" {
		return JSON
	}
	var best Codec
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			mediaType, params, _ := strings.Cut(item, ";")
			if refused(params) {
				continue
			}
			switch strings.TrimSpace(mediaType) {
			case jsonType, "*/*", "application/*":
				return JSON
			case protobufType:
				best = Protobuf
			}
		}
	}
	return best
}

// refused reports whether the parameters of a media range have a quality of 0.
func refused(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			value = strings.TrimSpace(value)
			return strings.HasPrefix(value, "0") && strings.Trim(value, "0.") == ""
		}
	}
	return false
}

// messageName is the last part of a message's name, as Mesos has it in its
// error answers: "Call".
func messageName(m proto.Message) string {
	if m == nil {
		return "no message"
	}
	return string(m.ProtoReflect().Descriptor().Name())
}
