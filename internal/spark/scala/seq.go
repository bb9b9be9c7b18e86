package scala

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meseta/meseta/internal/spark/serial"
)

// Seq gives the elements of a sequence: a List, Vector, Stream, ArrayBuffer, ListBuffer, wrapped array,
// or in 2.13 anything that comes by the general proxy.
func Seq(v serial.Value) ([]serial.Value, error) {
	o, ok := v.(*serial.Object)
	if !ok || o.Class == nil {
		return nil, unknown("scala.collection.Seq", v)
	}
	switch o.Class.Name {
	case classProxy:
		return proxied(o)
	case classListProxy, "scala.collection.mutable.ListBuffer":
		r := o.Annotation().Reader()
		return until(r, classListEnd)
	case "scala.collection.mutable.ArrayBuffer":
		return prefix(o, "size0")
	case "scala.collection.mutable.ArraySeq":
		return prefix(o, "length")
	case "scala.collection.immutable.Queue":
		return queue(o)
	case "scala.collection.mutable.WrappedArray$ofRef", "scala.collection.mutable.ArraySeq$ofRef":
		return items(o, "array")
	case "scala.collection.immutable.ArraySeq$ofRef":
		return items(o, "unsafeArray")
	case "scala.collection.immutable.Vector":
		return vector(o)
	case "scala.collection.immutable.Stream$Cons", "scala.collection.immutable.Stream$Empty$":
		return stream(o)
	case "scala.collection.immutable.Stream$SerializationProxy":
		return computed(o)
	}
	return nil, unknown("scala.collection.Seq", v)
}

// prefix gives the elements of an array of which not all may be in use.
func prefix(o *serial.Object, size string) ([]serial.Value, error) {
	n, err := serial.Get[int32](o, size)
	if err != nil {
		return nil, err
	}
	all, err := items(o, "array")
	if err != nil || n < 0 || int(n) > len(all) {
		return nil, fmt.Errorf("%v of %d elements, size %d: %w", o.Class, len(all), n, orMismatch(err))
	}
	return all[:n], nil
}

// queue reads a Queue of Scala 2.12: a list of what came first, and one of what came last, backwards.
func queue(o *serial.Object) ([]serial.Value, error) {
	var ends [2][]serial.Value
	for i, name := range []string{"out", "in"} {
		list, err := serial.Get[*serial.Object](o, name)
		if err != nil {
			return nil, err
		}
		if !serial.Is(list, classListProxy) {
			return nil, unknown("scala.collection.immutable.List", list)
		}
		if ends[i], err = Seq(list); err != nil {
			return nil, err
		}
	}
	slices.Reverse(ends[1])
	return slices.Concat(ends[0], ends[1]), nil
}

// orMismatch is err, or says that numbers do not fit.
func orMismatch(err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("size and elements do not fit")
}

// items gives the elements of a field that is an array of references.
func items(o *serial.Object, field string) ([]serial.Value, error) {
	a, err := serial.Get[*serial.Array](o, field)
	if err != nil {
		return nil, err
	}
	all, ok := a.Items.([]serial.Value)
	if !ok {
		return nil, fmt.Errorf("%v.%s is %v, expected an array of references", o.Class, field, a.Class)
	}
	return all, nil
}

// until reads elements up to an object that marks the end.
func until(r *serial.AnnotationReader, end string) ([]serial.Value, error) {
	var all []serial.Value
	for {
		v := r.Value()
		switch {
		case r.Err() != nil:
			return nil, r.Err()
		case isModule(v, end):
			return all, nil
		}
		all = append(all, v)
	}
}

// proxied reads the elements of a collection of Scala 2.13: the factory that would make it, and either
// their number or a mark at their end.
func proxied(o *serial.Object) ([]serial.Value, error) {
	r := o.Annotation().Reader()
	n := r.Int32()
	if r.Err() == nil && n < 0 {
		return until(r, classSerializeEnd)
	}
	var all []serial.Value
	for range n {
		v := r.Value()
		if r.Err() != nil {
			break
		}
		all = append(all, v)
	}
	if r.Err() != nil {
		return nil, fmt.Errorf("collection of %d elements: %w", n, r.Err())
	}
	return all, nil
}

// stream reads a Stream of Scala 2.12 that has been computed to its end.
func stream(o *serial.Object) ([]serial.Value, error) {
	var all []serial.Value
	for seen := make(map[*serial.Object]bool); o.Class.Name == "scala.collection.immutable.Stream$Cons"; {
		if seen[o] {
			return nil, fmt.Errorf("stream after %d elements leads back into itself", len(all))
		}
		seen[o] = true
		head, ok := o.Get("hd")
		if !ok {
			return nil, unknown("scala.collection.immutable.Stream", o)
		}
		all = append(all, head)
		tail, err := serial.Get[*serial.Object](o, "tlVal")
		if err != nil || tail.Class == nil {
			return nil, fmt.Errorf("stream after %d elements is not computed: %w", len(all), err)
		}
		o = tail
	}
	if !strings.HasSuffix(o.Class.Name, "Stream$Empty$") {
		return nil, unknown("scala.collection.immutable.Stream", o)
	}
	return all, nil
}

// computed reads a Stream of Scala 2.13: the elements that have been computed, a mark at their
// end, and what computes the rest, which has to be nothing.
func computed(o *serial.Object) ([]serial.Value, error) {
	r := o.Annotation().Reader()
	all, err := until(r, classSerializeEnd)
	if err != nil {
		return nil, err
	}
	if rest, _ := Module(r.Value()); r.Err() != nil || !strings.HasSuffix(rest, "$Empty$") {
		return nil, fmt.Errorf("stream after %d elements is not computed: %v, %w", len(all), rest, orMismatch(r.Err()))
	}
	return all, nil
}

// vector reads a Vector of Scala 2.12: a tree of arrays of 32, its levels in display0 to display5.
// While it is dirty, the branches that lead to focus are newer in the displays than in the tree.
func vector(o *serial.Object) ([]serial.Value, error) {
	var num [4]int32
	for i, name := range []string{"startIndex", "endIndex", "focus", "depth"} {
		var err error
		if num[i], err = serial.Get[int32](o, name); err != nil {
			return nil, err
		}
	}
	start, end, focus, depth := num[0], num[1], num[2], num[3]
	dirty, err := serial.Get[bool](o, "dirty")
	if err != nil {
		return nil, err
	}
	if start < 0 || end < start || depth < 0 || depth > 6 || depth == 0 && end > start {
		return nil, fmt.Errorf("vector from %d to %d of depth %d", start, end, depth)
	}
	var all []serial.Value
	for i := start; i < end; i++ {
		level := depth - 1
		if dirty {
			for level > 0 && (i^focus)>>(5*level) == 0 {
				level--
			}
		}
		v, err := leaf(o, level, i)
		if err != nil {
			return nil, fmt.Errorf("vector, element %d: %w", i-start, err)
		}
		all = append(all, v)
	}
	return all, nil
}

// leaf walks from display<level> down to the element with index i.
func leaf(o *serial.Object, level, i int32) (serial.Value, error) {
	node, err := items(o, fmt.Sprintf("display%d", level))
	for ; err == nil; level-- {
		at := int(i >> (5 * level) & 31)
		if at >= len(node) {
			return nil, fmt.Errorf("array of %d elements where %d is needed", len(node), at)
		}
		if level == 0 {
			return node[at], nil
		}
		below, ok := node[at].(*serial.Array)
		if !ok {
			return nil, fmt.Errorf("%s where an array is expected", serial.Describe(node[at]))
		}
		if node, ok = below.Items.([]serial.Value); !ok {
			return nil, fmt.Errorf("%v where an array of references is expected", below.Class)
		}
	}
	return nil, err
}
