package scala

import (
	"fmt"
	"strings"

	"github.com/meseta/meseta/internal/spark/serial"
)

// Pair is an entry of a map.
type Pair struct{ Key, Value serial.Value }

// Map gives the entries of a map, in the order of the stream.
func Map(v serial.Value) ([]Pair, error) {
	if isModule(v, classEmptyMap) {
		return nil, nil
	}
	o, ok := v.(*serial.Object)
	if !ok || o.Class == nil {
		return nil, unknown("scala.collection.Map", v)
	}
	if strings.HasSuffix(o.Class.Name, "Map$WithDefault") { // of sys.env, for one; the default is code
		inner, err := serial.Get[*serial.Object](o, "underlying")
		if err != nil || inner.Class == nil || strings.HasSuffix(inner.Class.Name, "Map$WithDefault") {
			return nil, unknown("scala.collection.Map", v)
		}
		return Map(inner)
	}
	switch name := o.Class.Name; name {
	case classProxy:
		return tuples(o)
	case classHashProxy:
		r := o.Annotation().Reader()
		return pairs(r, r.Int32())
	case "scala.collection.mutable.HashMap":
		r := o.Annotation().Reader()
		r.Int32() // load factor
		n := r.Int32()
		r.Int32() // seed
		r.Bool()  // whether there is a map of sizes
		return pairs(r, n)
	default:
		if strings.HasPrefix(name, "scala.collection.immutable.Map$Map") {
			return small(o)
		}
	}
	return nil, unknown("scala.collection.Map", v)
}

func pairs(r *serial.AnnotationReader, n int32) ([]Pair, error) {
	var all []Pair
	for range n {
		p := Pair{r.Value(), r.Value()}
		if r.Err() != nil {
			break
		}
		all = append(all, p)
	}
	if r.Err() != nil {
		return nil, fmt.Errorf("map of %d entries: %w", n, r.Err())
	}
	return all, nil
}

func tuples(o *serial.Object) ([]Pair, error) {
	all, err := proxied(o)
	if err != nil {
		return nil, err
	}
	entries := make([]Pair, len(all))
	for i, v := range all {
		if !serial.Is(v, classTuple2) {
			return nil, unknown("an entry of a map", v)
		}
		t := v.(*serial.Object)
		if entries[i].Key, err = serial.Get[serial.Value](t, "_1"); err != nil {
			return nil, err
		}
		if entries[i].Value, err = serial.Get[serial.Value](t, "_2"); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// small reads Map1 to Map4, whose fields are key1, value1 and so on; Scala 2.13 puts the class before
// most of their names, with $$ between.
func small(o *serial.Object) ([]Pair, error) {
	if len(o.Data) != 1 || len(o.Class.Fields) != len(o.Data[0].Fields) {
		return nil, unknown("scala.collection.Map", o)
	}
	byName := make(map[string]serial.Value)
	for i, f := range o.Class.Fields {
		byName[f.Name[strings.LastIndexByte(f.Name, '$')+1:]] = o.Data[0].Fields[i]
	}
	var all []Pair
	for n := 1; n <= 4; n++ {
		key, ok := byName[fmt.Sprintf("key%d", n)]
		value, ok2 := byName[fmt.Sprintf("value%d", n)]
		if ok != ok2 {
			return nil, unknown("scala.collection.Map", o)
		}
		if ok {
			all = append(all, Pair{key, value})
		}
	}
	if 2*len(all) != len(byName) {
		return nil, unknown("scala.collection.Map", o)
	}
	return all, nil
}
