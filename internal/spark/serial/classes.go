package serial

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Classes is a table of facts about classes: what the descriptors in a stream must say for the other
// side to accept it. It is read-only once built.
type Classes struct {
	byName map[string]*ClassDesc
}

// Lookup finds a class.
func (c *Classes) Lookup(name string) (*ClassDesc, bool) {
	d, ok := c.byName[name]
	return d, ok
}

// Names lists the classes, sorted.
func (c *Classes) Names() []string {
	names := make([]string, 0, len(c.byName))
	for name := range c.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// New makes an object of a class. Fields that are not given are zero; fields that the class does not
// have, or a class that the table does not have, are errors. Whether each value is of its field's type
// is Encode's business.
func (c *Classes) New(class string, fields map[string]Value) (*Object, error) {
	desc, ok := c.byName[class]
	if !ok {
		return nil, fmt.Errorf("class %s is not in the table of class facts", class)
	}
	lineage := desc.Lineage()
	o := &Object{Class: desc, Data: make([]ClassData, len(lineage))}
	used := 0
	for i, d := range lineage {
		values := make([]Value, len(d.Fields))
		for j, f := range d.Fields {
			v, ok := fields[f.Name]
			if !ok {
				v = zero(f.Type)
			} else {
				used++
			}
			values[j] = v
		}
		o.Data[i].Fields = values
	}
	if used != len(fields) {
		for name := range fields {
			if _, ok := o.Get(name); !ok {
				return nil, fmt.Errorf("class %s has no field %s", class, name)
			}
		}
	}
	return o, nil
}

// Class makes a java.lang.Class object of a class in the table.
func (c *Classes) Class(name string) (*Class, error) {
	desc, ok := c.byName[name]
	if !ok {
		return nil, fmt.Errorf("class %s is not in the table of class facts", name)
	}
	return &Class{Desc: desc}, nil
}

// With gives a table that has the classes of both; those of other win.
func (c *Classes) With(other *Classes) *Classes {
	both := make(map[string]*ClassDesc, len(c.byName)+len(other.byName))
	for name, d := range c.byName {
		both[name] = d
	}
	for name, d := range other.byName {
		both[name] = d
	}
	return &Classes{byName: both}
}

// ParseClasses reads a table in the form that WriteClasses writes: for each class a line
//
//	<name> <serialVersionUID> <flags> <superclass or ->
//
// and below it, each indented by a tab, its fields in the order of its descriptor:
//
//	<name> <type>
//
// Flags are letters: s serializable, w with a writeObject of its own, x externalizable, b with block
// data, e enum, - none. Types are written as JVMs do, I or Ljava/lang/String;. Empty lines and those that begin
// with # are comments. A superclass must be in the table too.
func ParseClasses(r io.Reader) (*Classes, error) {
	c := &Classes{byName: make(map[string]*ClassDesc)}
	supers := make(map[*ClassDesc]string)
	var current *ClassDesc
	scan := bufio.NewScanner(r)
	for n := 1; scan.Scan(); n++ {
		line := scan.Text()
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		var err error
		if line[0] == '\t' {
			err = parseField(current, line[1:])
		} else if current, err = parseClass(line, supers); err == nil {
			if _, twice := c.byName[current.Name]; twice {
				err = fmt.Errorf("class %s is in the table twice", current.Name)
			}
			c.byName[current.Name] = current
		}
		if err != nil {
			return nil, fmt.Errorf("class facts, line %d: %w", n, err)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("class facts: %w", err)
	}
	return c, c.link(supers)
}

func parseClass(line string, supers map[*ClassDesc]string) (*ClassDesc, error) {
	words := strings.Fields(line)
	if len(words) != 4 {
		return nil, fmt.Errorf("%q has %d words, expected class, serialVersionUID, flags, superclass", line, len(words))
	}
	uid, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("serialVersionUID: %w", err)
	}
	d := &ClassDesc{Name: words[0], UID: uid}
	for _, letter := range strings.TrimPrefix(words[2], "-") {
		flag, ok := flagLetters[letter]
		if !ok {
			return nil, fmt.Errorf("flag %q of class %s", letter, d.Name)
		}
		d.Flags |= flag
	}
	if words[3] != "-" {
		supers[d] = words[3]
	}
	return d, nil
}

var flagLetters = map[rune]Flags{
	's': Serializable, 'w': WriteMethod, 'x': Externalizable, 'b': BlockData, 'e': EnumClass,
}

func parseField(class *ClassDesc, line string) error {
	words := strings.Fields(line)
	if class == nil || len(words) != 2 {
		return fmt.Errorf("%q is not a field of a class", line)
	}
	f := Field{Name: words[0], Type: words[1][0]}
	if !f.Primitive() {
		f.Signature = words[1]
	} else if _, ok := primitiveSize[f.Type]; !ok || len(words[1]) != 1 {
		return fmt.Errorf("field %s has type %q", f.Name, words[1])
	}
	class.Fields = append(class.Fields, f)
	return nil
}

// link joins classes to their superclasses and works out the lineages.
func (c *Classes) link(supers map[*ClassDesc]string) error {
	for d, name := range supers {
		super, ok := c.byName[name]
		if !ok {
			return fmt.Errorf("class facts: superclass %s of %s is not in the table", name, d.Name)
		}
		d.Super = super
	}
	for _, d := range c.byName {
		steps := 0
		for up := d; up != nil; up = up.Super {
			if steps++; steps > len(c.byName) {
				return fmt.Errorf("class facts: %s is its own superclass", d.Name)
			}
		}
	}
	for _, d := range c.byName {
		d.lineage = d.Lineage()
	}
	return nil
}

// WriteClasses writes descriptors in the form that ParseClasses reads, sorted by name.
func WriteClasses(w io.Writer, classes []*ClassDesc) error {
	out := bufio.NewWriter(w)
	sorted := slices.SortedFunc(slices.Values(classes), func(a, b *ClassDesc) int { return strings.Compare(a.Name, b.Name) })
	for _, d := range sorted {
		super := "-"
		if d.Super != nil {
			super = d.Super.Name
		}
		fmt.Fprintf(out, "%s %d %s %s\n", d.Name, d.UID, d.Flags.letters(), super)
		for _, f := range d.Fields {
			sig := f.Signature
			if f.Primitive() {
				sig = string(f.Type)
			}
			fmt.Fprintf(out, "\t%s %s\n", f.Name, sig)
		}
	}
	return out.Flush()
}

func (f Flags) letters() string {
	var s strings.Builder
	for _, letter := range "swxbe" {
		if f.Has(flagLetters[letter]) {
			s.WriteRune(letter)
		}
	}
	if s.Len() == 0 {
		return "-"
	}
	return s.String()
}
