package resources

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxAttributes bounds what one agent says about itself.
const maxAttributes = 1024

// Attribute is something that an agent says about itself, for frameworks to
// choose by: its rack, its zone.
type Attribute struct {
	Name  string
	Value Value
}

// Value is that of an attribute, in the field that Kind names. A number is not
// rounded as the amount of a resource is: nobody adds attributes up.
type Value struct {
	Kind   Kind
	Number float64
	Ranges Ranges
	Set    Set
	Text   string
}

// ParseAttributes reads Mesos' flag syntax:
//
//	rack:abc;zone:west;level:10;ports:[1-2];keys:{a,b}
//
// A value that is no number, ranges or set is a text, and may contain colons.
func ParseAttributes(text string) ([]Attribute, error) {
	var list []Attribute
	for token := range tokens(text, ";\n") {
		if len(list) == maxAttributes {
			return nil, fmt.Errorf("more than %d attributes are given", maxAttributes)
		}
		name, value, ok := strings.Cut(token, ":")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, fmt.Errorf("attribute %q is not written as name:value", token)
		}
		v, err := parseValue(value)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", token, err)
		}
		list = append(list, Attribute{Name: name, Value: v})
	}
	return list, nil
}

// EqualAttributes says whether a and b say the same, in whatever order.
func EqualAttributes(a, b []Attribute) bool {
	if len(a) != len(b) {
		return false
	}
	rest := slices.Clone(b)
	for _, attribute := range a {
		i := slices.IndexFunc(rest, attribute.Equal)
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return true
}

// Equal says whether a and b are the same attribute with the same value.
func (a Attribute) Equal(b Attribute) bool { return a.Name == b.Name && a.Value.Equal(b.Value) }

// String prints a as it is written in the flag: "rack:abc".
func (a Attribute) String() string { return a.Name + ":" + a.Value.String() }

// Equal says whether v and w are the same value.
func (v Value) Equal(w Value) bool {
	return v.Kind == w.Kind && v.Number == w.Number && v.Text == w.Text && v.Ranges.Equal(w.Ranges) && v.Set.Equal(w.Set)
}

// String prints v as it is written in a flag.
func (v Value) String() string {
	switch v.Kind {
	case KindScalar:
		return strconv.FormatFloat(v.Number, 'f', -1, 64)
	case KindRanges:
		return v.Ranges.String()
	case KindSet:
		return v.Set.String()
	}
	return v.Text
}
