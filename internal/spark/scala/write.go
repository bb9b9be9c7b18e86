package scala

import (
	"fmt"

	"github.com/meseta/meseta/internal/spark/serial"
)

// Writer makes Scala's values for one version of Scala. It is immutable.
type Writer struct {
	Classes *serial.Classes
}

// proxies tells whether the other side is Scala 2.13, where collections and case objects are written by
// proxy.
func (w Writer) proxies() bool {
	_, ok := w.Classes.Lookup(classModuleProxy)
	return ok
}

// Box makes an object of a primitive; other values stay what they are.
func (w Writer) Box(v serial.Value) (serial.Value, error) {
	var class string
	switch v.(type) {
	case int32:
		class = "java.lang.Integer"
	case int64:
		class = "java.lang.Long"
	case float64:
		class = "java.lang.Double"
	case bool:
		class = "java.lang.Boolean"
	default:
		return v, nil
	}
	return w.Classes.New(class, map[string]serial.Value{"value": v})
}

// Module makes the singleton object of a class.
func (w Writer) Module(class string) (serial.Value, error) {
	if !w.proxies() {
		desc, ok := w.Classes.Lookup(class)
		if !ok {
			return nil, fmt.Errorf("class %s is not in the table of class facts", class)
		}
		return bare(desc), nil
	}
	c, err := w.Classes.Class(class)
	if err != nil {
		return nil, err
	}
	return w.Classes.New(classModuleProxy, map[string]serial.Value{"moduleClass": c})
}

// bare makes an instance of a singleton's class whose fields are left out of the stream. Its readResolve
// replaces it by the one that the reader has, so they would be of no use.
func bare(desc *serial.ClassDesc) *serial.Object {
	var bottom *serial.ClassDesc
	lineage := desc.Lineage()
	for _, d := range lineage {
		bottom = &serial.ClassDesc{Name: d.Name, UID: d.UID, Flags: d.Flags, Super: bottom}
	}
	return &serial.Object{Class: bottom, Data: make([]serial.ClassData, len(lineage))}
}

// None is scala.None.
func (w Writer) None() (serial.Value, error) { return w.Module(classNone) }

// Some makes a scala.Some; primitives are boxed.
func (w Writer) Some(v serial.Value) (serial.Value, error) {
	inner, err := w.Box(v)
	if err != nil {
		return nil, err
	}
	return w.Classes.New(classSome, map[string]serial.Value{"value": inner})
}

// List makes a List, which is a Seq of every kind; primitives are boxed.
func (w Writer) List(unboxed []serial.Value) (serial.Value, error) {
	items := make([]serial.Value, len(unboxed))
	for i, v := range unboxed {
		var err error
		if items[i], err = w.Box(v); err != nil {
			return nil, err
		}
	}
	if w.proxies() {
		return w.proxy(classSeqFactory, classList, items)
	}
	end, err := w.Module(classListEnd)
	if err != nil {
		return nil, err
	}
	list, err := w.Classes.New(classListProxy, nil)
	if err != nil {
		return nil, err
	}
	list.Data[0].Annotation = append(append(serial.Annotation{}, items...), end)
	return list, nil
}

// Map makes a HashMap, which is a Map of every kind; primitive keys and values are boxed.
func (w Writer) Map(entries []Pair) (serial.Value, error) {
	flat := make([]serial.Value, 0, 2*len(entries))
	for _, p := range entries {
		k, err := w.Box(p.Key)
		if err != nil {
			return nil, err
		}
		v, err := w.Box(p.Value)
		if err != nil {
			return nil, err
		}
		flat = append(flat, k, v)
	}
	if !w.proxies() {
		m, err := w.Classes.New(classHashProxy, nil)
		if err != nil {
			return nil, err
		}
		m.Data[0].Annotation = append(serial.Annotation{serial.AppendInt32(nil, int32(len(entries)))}, flat...)
		return m, nil
	}
	tuples := make([]serial.Value, len(entries))
	for i := range tuples {
		t, err := w.Classes.New(classTuple2, map[string]serial.Value{"_1": flat[2*i], "_2": flat[2*i+1]})
		if err != nil {
			return nil, err
		}
		tuples[i] = t
	}
	return w.proxy(classMapFactory, classHashMap, tuples)
}

// proxy makes the general proxy of a collection of Scala 2.13. It holds its factory as a field, and
// then the number of its elements and the elements.
func (w Writer) proxy(factory, companion string, items []serial.Value) (serial.Value, error) {
	module, err := w.Module(companion)
	if err != nil {
		return nil, err
	}
	f, err := w.Classes.New(factory, map[string]serial.Value{"factory": module})
	if err != nil {
		return nil, err
	}
	p, err := w.Classes.New(classProxy, map[string]serial.Value{"factory": f})
	if err != nil {
		return nil, err
	}
	p.Data[0].Annotation = append(serial.Annotation{serial.AppendInt32(nil, int32(len(items)))}, items...)
	return p, nil
}

// Enumeration makes the value with a number of an enumeration, which is an object with this class.
func (w Writer) Enumeration(module string, id int) (serial.Value, error) {
	outer, err := w.Module(module)
	if err != nil {
		return nil, err
	}
	return w.Classes.New(classEnumVal, map[string]serial.Value{
		"i": int32(id), "$outer": outer, "scala$Enumeration$$outerEnum": outer,
	})
}
