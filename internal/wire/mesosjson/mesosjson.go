// Package mesosjson writes and reads protobuf messages as the JSON that Mesos speaks.
//
// It owns one mapping, driven by descriptors, for every message of the API. It is not the mapping of
// protojson, and clients notice: names are the snake_case names of the .proto file, 64-bit integers are
// plain numbers, a double always has a decimal point ("15.0"), bytes are padded base64, enums are names.
//
// # Writing
//
// Members come in the order in which the .proto file declares them, on one line, without spaces. What is
// not set is left out, with two exceptions that Mesos makes: a field with a declared default that is not
// deprecated is written with that default, and the few lists of [alwaysListed] are written as [] when
// empty. A number that an enum has no name for, which a peer of another version may have sent, is not set, as
// for Mesos; where the field is required the number itself is written, so that one strange value does not
// make a whole answer unreadable. A double that JSON has no number for is one of the strings "Infinity", which is a legal limit of
// a task, "-Infinity" and "NaN". Strings that are not UTF-8 get U+FFFD for each wrong byte. Unknown fields
// and extensions are not written.
//
// # Reading
//
// Reading is as lenient as Mesos and a little more, because clients stringify: unknown members are
// ignored, null is unset, "true" and "17" are accepted for a bool and a number, an unknown name of an
// enum counts as unset unless the field is required, a bare value stands for a list of one, base64 may
// be URL-safe and unpadded, the last of repeated members wins. An integer may be written as a double that
// has no fraction, but is never cut to fit. Input is bounded in depth and otherwise by its own size; it never panics.
//
// Errors have the texts that Mesos answers with. A [SyntaxError] (not JSON) takes precedence over a
// [ConvertError] (JSON, but not this message), because Mesos parses the whole body first.
//
// Start reading at [plan], what is known about a message type before any instance is seen.
package mesosjson

import (
	"errors"

	"google.golang.org/protobuf/proto"
)

// Marshal returns m as JSON. See [Append].
func Marshal(m proto.Message) ([]byte, error) {
	return Append(nil, m)
}

// Append appends m as JSON to dst. It fails when a required field is not set, which is a mistake of the
// caller; dst is then returned as it was.
func Append(dst []byte, m proto.Message) ([]byte, error) {
	message := m.ProtoReflect()
	out, err := appendMessage(dst, message, planOf(message.Descriptor()))
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Unmarshal replaces m by what data says. The error is a *[SyntaxError] or a *[ConvertError]; m is then
// left in an unspecified state.
func Unmarshal(data []byte, m proto.Message) error {
	proto.Reset(m)
	message := m.ProtoReflect()

	err := decode(data, message, planOf(message.Descriptor()))
	if _, conversion := errors.AsType[*ConvertError](err); conversion {
		if syntax := check(data); syntax != nil {
			return syntax
		}
	}
	return err
}
