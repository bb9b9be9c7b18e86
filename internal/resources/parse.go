package resources

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/meseta/meseta/internal/ids"
)

// Parse reads what an operator gives an agent, in Mesos' flag syntax
//
//	cpus:8;mem:8192;cpus(dev):2;ports:[31000-32000, 33000-33005];set:{a,b}
//
// where a name in parentheses reserves statically to that role, or as a JSON
// array of resources, which can say more.
func Parse(text string) (List, error) {
	specs, err := parseSpecs(text)
	if err != nil {
		return List{}, err
	}
	var list []Resource
	kinds := map[string]Kind{}
	for _, spec := range specs {
		r, err := New(spec)
		if err != nil {
			return List{}, err
		}
		if kind, seen := kinds[r.name]; seen && kind != r.kind {
			return List{}, fmt.Errorf("resource '%s' is given once as %s and once as %s", r.name, kind, r.kind)
		}
		kinds[r.name] = r.kind
		list = append(list, r)
	}
	return ListOf(list...), nil
}

// MustParse is Parse for text that is known to be right, as in tests.
func MustParse(text string) List {
	list, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return list
}

func parseSpecs(text string) ([]Spec, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return parseJSON(text)
	}
	var specs []Spec
	for token := range tokens(text, ";") {
		if len(specs) == MaxResources {
			return nil, fmt.Errorf("more than %d resources are given", MaxResources)
		}
		spec, err := parseSpec(token)
		if err != nil {
			return nil, err
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

// tokens yields the parts of text between separators, trimmed, without empty
// ones.
func tokens(text, separators string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for token := range strings.FieldsFuncSeq(text, func(c rune) bool { return strings.ContainsRune(separators, c) }) {
			if token = strings.TrimSpace(token); token != "" && !yield(token) {
				return
			}
		}
	}
}

func parseSpec(token string) (Spec, error) {
	head, text, ok := strings.Cut(token, ":")
	if !ok || strings.Contains(text, ":") {
		return Spec{}, fmt.Errorf("resource %q is not written as name:value", token)
	}
	name, role, err := parseHead(head)
	if err != nil {
		return Spec{}, fmt.Errorf("resource %q: %w", token, err)
	}
	v, err := parseValue(text)
	if err != nil {
		return Spec{}, fmt.Errorf("resource %q: %w", token, err)
	}
	spec := Spec{Name: name, Kind: v.Kind, Ranges: v.Ranges, Set: v.Set}
	switch v.Kind {
	case KindText:
		return Spec{}, fmt.Errorf("resource %q: %q is not a number from 0, ranges in [] or a set in {}", token, v.Text)
	case KindScalar:
		if spec.Scalar, err = AmountOf(v.Number); err != nil {
			return Spec{}, fmt.Errorf("resource %q: %w", token, err)
		}
	}
	if role != ids.AnyRole {
		spec.Reservations = []Reservation{{Kind: Static, Role: role}}
	}
	return spec, nil
}

// parseHead reads "name" or "name(role)".
func parseHead(head string) (name string, role ids.Role, err error) {
	name, rest, reserved := strings.Cut(strings.TrimSpace(head), "(")
	if name = strings.TrimSpace(name); name == "" {
		return "", "", fmt.Errorf("the name is missing")
	}
	if !reserved {
		return name, ids.AnyRole, nil
	}
	text, closed := strings.CutSuffix(rest, ")")
	if !closed {
		return "", "", fmt.Errorf("the parenthesis that begins the role is not closed")
	}
	role = ids.Role(strings.TrimSpace(text))
	return name, role, role.Validate()
}

// parseValue tells the kind of a value by its looks. What looks like nothing
// else is a text.
func parseValue(text string) (Value, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Value{}, fmt.Errorf("the value is missing")
	case text[0] == '[':
		ranges, err := parseRanges(text)
		return Value{Kind: KindRanges, Ranges: ranges}, err
	case text[0] == '{':
		set, err := parseSet(text)
		return Value{Kind: KindSet, Set: set}, err
	}
	if v, ok := parseNumber(text); ok {
		return Value{Kind: KindScalar, Number: v}, nil
	}
	return Value{Kind: KindText, Text: text}, nil
}

// parseRanges reads "[1-5, 9-9]". Ranges may overlap here, as they may in
// Mesos' flags.
func parseRanges(text string) (Ranges, error) {
	inside, ok := strings.CutSuffix(text[1:], "]")
	if !ok {
		return Ranges{}, fmt.Errorf("the ranges %q do not end with a bracket", text)
	}
	var ranges []Range
	for token := range tokens(inside, ",\n") {
		if len(ranges) == MaxRanges {
			return Ranges{}, fmt.Errorf("more than %d ranges are given", MaxRanges)
		}
		first, last, ok := strings.Cut(token, "-")
		begin, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 64)
		end, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 64)
		if !ok || err1 != nil || err2 != nil {
			return Ranges{}, fmt.Errorf("range %q is not two whole numbers with a dash between", token)
		}
		ranges = append(ranges, Range{begin, end})
	}
	return unionOf(ranges)
}

// parseSet reads "{a, b}".
func parseSet(text string) (Set, error) {
	inside, ok := strings.CutSuffix(text[1:], "}")
	if !ok {
		return Set{}, fmt.Errorf("the set %q does not end with a brace", text)
	}
	var items []string
	for token := range tokens(inside, ",\n") {
		if len(items) == MaxItems {
			return Set{}, fmt.Errorf("more than %d items are given", MaxItems)
		}
		items = append(items, token)
	}
	return NewSet(items...)
}
