package mesosjson

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// SyntaxError says that the input is not a JSON document. Mesos' servers answer with it after
// "Failed to parse body into JSON: ".
type SyntaxError struct{ reason string }

func (e *SyntaxError) Error() string { return e.reason }

// ConvertError says that the input is JSON but not the message that was asked for. Mesos' servers answer
// with it after "Failed to convert JSON into Call protobuf: ".
type ConvertError struct{ reason string }

func (e *ConvertError) Error() string { return e.reason }

func convertErrorf(format string, args ...any) error {
	return &ConvertError{reason: fmt.Sprintf(format, args...)}
}

// maxQuoted bounds how much of the input an error repeats.
const maxQuoted = 80

// quotable is the part of the input that an error may repeat: not much, and printable.
func quotable(input []byte) string {
	cut := input[:min(len(input), maxQuoted)]
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, string(cut)), "\uFFFD")
}

// syntaxErrorAt says that the input cannot go on as it does at pos, and repeats the rest of that line.
func syntaxErrorAt(input []byte, pos int) error {
	line := 1 + bytes.Count(input[:pos], []byte("\n"))
	near, _, _ := bytes.Cut(input[pos:], []byte("\n"))
	return &SyntaxError{reason: fmt.Sprintf("syntax error at line %d near: %s", line, quotable(near))}
}

// unexpected says that a JSON value that begins with c does not belong into f.
func unexpected(c byte, f *field) error {
	kind := "number"
	switch c {
	case '{':
		kind = "object"
	case '[':
		kind = "array"
	case '"':
		kind = "string"
	case 't', 'f':
		kind = "boolean"
	}
	return convertErrorf("Not expecting a JSON %s for field '%s'", kind, f.name)
}

// textError says that a string does not hold the kind of literal that may be written as a string in f.
func textError(text []byte, f *field, kind string) error {
	reason := "Unexpected JSON type parsed"
	if err := check(text); err != nil {
		reason = err.Error()
	}
	return convertErrorf("Failed to parse '%s' as a JSON %s for field '%s': %s", quotable(text), kind, f.name, reason)
}

// maxMissing bounds how many missing fields one error names.
const maxMissing = 100

// missingError names the required fields that m lacks, in the order in which Mesos does: of each
// message first its own, as declared, then those of the messages in it, by field number.
func missingError(m protoreflect.Message, p *plan) error {
	names := appendMissing(nil, "", m, p)
	if len(names) > maxMissing {
		names = append(names[:maxMissing], "...")
	}
	return &ConvertError{reason: "Missing required fields: " + strings.Join(names, ", ")}
}

func appendMissing(names []string, path string, m protoreflect.Message, p *plan) []string {
	var set []*field // of those with messages in them
	for i := range p.fields {
		f := &p.fields[i]
		switch has := m.Has(f.desc); {
		case f.required && !has:
			names = append(names, path+f.name)
		case has && f.value.message != nil:
			set = append(set, f)
		}
	}
	slices.SortFunc(set, func(a, b *field) int { return cmp.Compare(a.desc.Number(), b.desc.Number()) })

	for _, f := range set {
		if len(names) > maxMissing {
			break
		}
		names = appendMissingIn(names, path+f.name, m.Get(f.desc), f)
	}
	return names
}

func appendMissingIn(names []string, path string, v protoreflect.Value, f *field) []string {
	switch f.shape {
	case list:
		for l, i := v.List(), 0; i < l.Len() && len(names) <= maxMissing; i++ {
			names = appendMissing(names, fmt.Sprintf("%s[%d].", path, i), l.Get(i).Message(), f.value.message)
		}
	case dict:
		for _, key := range sortedKeys(v.Map()) {
			if len(names) > maxMissing {
				break
			}
			names = appendMissing(names, fmt.Sprintf("%s[%s].", path, key.String()), v.Map().Get(key).Message(), f.value.message)
		}
	default:
		names = appendMissing(names, path+".", v.Message(), f.value.message)
	}
	return names
}
