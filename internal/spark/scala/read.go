package scala

import (
	"fmt"

	"github.com/meseta/meseta/internal/spark/serial"
)

// The classes by which forms are told apart.
const (
	classNone         = "scala.None$"
	classSome         = "scala.Some"
	classTuple2       = "scala.Tuple2"
	classEnumVal      = "scala.Enumeration$Val"
	classModuleProxy  = "scala.runtime.ModuleSerializationProxy"                // 2.13: a case object
	classProxy        = "scala.collection.generic.DefaultSerializationProxy"    // 2.13: a collection
	classSeqFactory   = "scala.collection.IterableFactory$ToFactory"            // 2.13: how to make it
	classMapFactory   = "scala.collection.MapFactory$ToFactory"                 // 2.13
	classSerializeEnd = "scala.collection.generic.SerializeEnd$"                // 2.13: the end of its elements
	classListProxy    = "scala.collection.immutable.List$SerializationProxy"    // 2.12
	classListEnd      = "scala.collection.immutable.ListSerializeEnd$"          // 2.12
	classHashProxy    = "scala.collection.immutable.HashMap$SerializationProxy" // 2.12
	classList         = "scala.collection.immutable.List$"
	classHashMap      = "scala.collection.immutable.HashMap$"
	classEmptyMap     = "scala.collection.immutable.Map$EmptyMap$"
)

// unknown refuses a value whose form is not known.
func unknown(what string, v serial.Value) error {
	return fmt.Errorf("%s is no form of %s that is known", serial.Describe(v), what)
}

// Unbox gives the primitive in a java.lang.Integer, Long, Double or Boolean, and anything else as it is.
func Unbox(v serial.Value) serial.Value {
	o, ok := v.(*serial.Object)
	if !ok || o.Class == nil {
		return v
	}
	switch o.Class.Name {
	case "java.lang.Integer", "java.lang.Long", "java.lang.Double", "java.lang.Boolean":
		if inner, ok := o.Get("value"); ok {
			return inner
		}
	}
	return v
}

// Module gives the class of the singleton object that v is: directly in 2.12 (any object without
// fields may be one), by proxy in 2.13.
func Module(v serial.Value) (class string, ok bool) {
	o, isObject := v.(*serial.Object)
	switch {
	case !isObject || o.Class == nil:
		return "", false
	case o.Class.Name != classModuleProxy:
		return o.Class.Name, true
	}
	c, err := serial.Get[*serial.Class](o, "moduleClass")
	if err != nil {
		return "", false
	}
	return c.Desc.Name, true
}

func isModule(v serial.Value, class string) bool {
	name, ok := Module(v)
	return ok && name == class
}

// Option gives what is in a scala.Option, and whether there is anything.
func Option(v serial.Value) (inner serial.Value, some bool, err error) {
	switch {
	case serial.Is(v, classSome):
		inner, err := serial.Get[serial.Value](v.(*serial.Object), "value")
		return inner, true, err
	case isModule(v, classNone):
		return nil, false, nil
	}
	return nil, false, unknown("scala.Option", v)
}

// Enumeration gives the class of the enumeration that a value belongs to, and its number there.
func Enumeration(v serial.Value) (module string, id int, err error) {
	if !serial.Is(v, classEnumVal) {
		return "", 0, unknown("scala.Enumeration.Value", v)
	}
	o := v.(*serial.Object)
	n, err := serial.Get[int32](o, "i")
	if err != nil {
		return "", 0, err
	}
	outer, ok := o.Get("$outer")
	if !ok {
		return "", 0, unknown("scala.Enumeration.Value", v)
	}
	if module, ok = Module(outer); !ok {
		return "", 0, unknown("an enumeration", outer)
	}
	return module, int(n), nil
}
