package deploy

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/scala"
	"github.com/meseta/meseta/internal/spark/serial"
)

// How Go's types and Java's belong together, in both directions:
//
//	int, int64, float64, bool, string   the primitive or boxed number, java.lang.String (null is "")
//	*T                                  scala.Option of T
//	[]T                                 a Seq of T, or an array of Strings
//	map[string]T                        a Map from String to T
//	ExecutorState, DriverState          a value of Spark's enumeration
//	endpoint.Ref, endpoint.Address      RpcEndpointRef, RpcAddress
//	a struct of this package            its class, field by field
//	URI, Exception, ProfileTotals       by hand, see special.go
//
// A struct's fields without a tag are Go's own business; fields of the class without a struct field are
// None if they are options, and otherwise zero.

// enumeration is a Scala enumeration: the class of its object and how many values it has.
type enumeration interface {
	enumeration() (module string, size int)
}

// special is a type that reads and writes itself. fromJava is on the pointer.
type special interface {
	toJava(*Build) (serial.Value, error)
}

type fromJava interface {
	fromJava(serial.Value, decoder) error
}

const tagName = "java"

// encoder makes graphs for a build.
type encoder struct {
	build *Build
}

func (e encoder) object(v reflect.Value, class string) (serial.Value, error) {
	if app, ok := v.Interface().(ApplicationDescription); ok && app.Origin != nil {
		return app.Origin, nil
	}
	desc, ok := e.build.classes().Lookup(class)
	if !ok {
		return nil, fmt.Errorf("%v does not have %s", e.build, class)
	}
	fields := make(map[string]serial.Value)
	for _, f := range desc.Fields {
		if f.Signature == "Lscala/Option;" {
			none, err := e.build.writer().None()
			if err != nil {
				return nil, err
			}
			fields[f.Name] = none
		}
	}
	for i := range v.NumField() {
		name, ok := v.Type().Field(i).Tag.Lookup(tagName)
		if !ok {
			continue
		}
		value, err := e.value(v.Field(i))
		if err == nil {
			fields[name], err = fit(desc, name, value)
		}
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", class, name, err)
		}
	}
	return e.build.classes().New(class, fields)
}

// fit turns a list into an array where the class has one.
func fit(desc *serial.ClassDesc, name string, v serial.Value) (serial.Value, error) {
	for _, f := range desc.Fields {
		if f.Name != name || f.Type != '[' {
			continue
		}
		items, err := scala.Seq(v)
		if err != nil {
			return nil, err
		}
		if items == nil {
			items = []serial.Value{}
		}
		return &serial.Array{Class: stringArray, Items: items}, nil
	}
	return v, nil
}

var stringArray = &serial.ClassDesc{Name: "[Ljava.lang.String;", UID: -5921575005990323385, Flags: serial.Serializable}

func (e encoder) value(v reflect.Value) (serial.Value, error) {
	w := e.build.writer()
	if v.Kind() == reflect.Pointer { // before all others: *T has the methods of T
		if v.IsNil() {
			return w.None()
		}
		inner, err := e.value(v.Elem())
		if err != nil {
			return nil, err
		}
		return w.Some(inner)
	}
	switch x := v.Interface().(type) {
	case enumeration:
		module, size := x.enumeration()
		if n := v.Int(); n < 0 || n >= int64(size) {
			return nil, fmt.Errorf("%s has no value %d", module, n)
		}
		return w.Enumeration(module, int(v.Int()))
	case endpoint.Ref:
		return x.Object(e.build.classes())
	case endpoint.Address:
		return x.Object(e.build.classes())
	case special:
		return x.toJava(e.build)
	case Message:
		return e.object(v, x.class())
	}
	switch v.Kind() {
	case reflect.Int:
		if n := v.Int(); n < math.MinInt32 || n > math.MaxInt32 {
			return nil, fmt.Errorf("%d is too large for a Java int", n)
		}
		return int32(v.Int()), nil
	case reflect.Int64, reflect.Float64, reflect.Bool, reflect.String:
		return v.Interface(), nil
	case reflect.Slice:
		items, err := e.items(v)
		if err != nil {
			return nil, err
		}
		return w.List(items)
	case reflect.Map:
		return e.entries(v)
	}
	return nil, fmt.Errorf("Go type %v has no Java type", v.Type())
}

func (e encoder) items(v reflect.Value) ([]serial.Value, error) {
	items := make([]serial.Value, v.Len())
	for i := range items {
		var err error
		if items[i], err = e.value(v.Index(i)); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (e encoder) entries(v reflect.Value) (serial.Value, error) {
	var pairs []scala.Pair
	for _, key := range sortedKeys(v) {
		value, err := e.value(v.MapIndex(reflect.ValueOf(key)))
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", key, err)
		}
		pairs = append(pairs, scala.Pair{Key: key, Value: value})
	}
	return e.build.writer().Map(pairs)
}

// decoder reads graphs that came by a connection.
type decoder struct {
	via endpoint.ConnID
}

// object reads the fields of an object of the class that belongs to v's type, or of a subclass.
func (d decoder) object(v reflect.Value, from serial.Value) error {
	class := v.Interface().(Message).class()
	o, ok := from.(*serial.Object)
	if !ok || o.Class == nil || !isA(o.Class, class) {
		return fmt.Errorf("%s, expected %s", serial.Describe(from), class)
	}
	for i := range v.NumField() {
		name, ok := v.Type().Field(i).Tag.Lookup(tagName)
		if !ok {
			continue
		}
		field, ok := o.Get(name)
		if !ok {
			return fmt.Errorf("%s has no field %s: it is of a Spark that is not supported", serial.Describe(from), name)
		}
		if err := d.value(v.Field(i), field); err != nil {
			return fmt.Errorf("%s.%s: %w", class, name, err)
		}
	}
	if app, ok := v.Addr().Interface().(*ApplicationDescription); ok {
		app.Origin = o
	}
	return nil
}

func isA(desc *serial.ClassDesc, class string) bool {
	for ; desc != nil; desc = desc.Super {
		if desc.Name == class {
			return true
		}
	}
	return false
}

func (d decoder) value(v reflect.Value, from serial.Value) (err error) {
	if v.Kind() == reflect.Pointer {
		inner, some, err := scala.Option(from)
		if err != nil || !some {
			return err
		}
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(v.Elem(), inner)
	}
	switch x := v.Addr().Interface().(type) {
	case *endpoint.Ref:
		*x, err = endpoint.Read(from, d.via)
		return err
	case *endpoint.Address:
		*x, err = endpoint.ReadAddress(from)
		return err
	case fromJava:
		return x.fromJava(from, d)
	}
	switch x := v.Interface().(type) {
	case enumeration:
		return d.state(v, x, from)
	case Message:
		return d.object(v, from)
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int64, reflect.Float64, reflect.Bool, reflect.String:
		return primitive(v, scala.Unbox(from))
	case reflect.Slice:
		return d.items(v, from)
	case reflect.Map:
		return d.entries(v, from)
	}
	return fmt.Errorf("Go type %v has no Java type", v.Type())
}

func (d decoder) state(v reflect.Value, of enumeration, from serial.Value) error {
	module, id, err := scala.Enumeration(from)
	if err != nil {
		return err
	}
	if want, size := of.enumeration(); module != want || id < 0 || id >= size {
		return fmt.Errorf("value %d of %s, expected one of %s below %d", id, module, want, size)
	}
	v.SetInt(int64(id))
	return nil
}

// primitive sets a number, a truth or a text.
func primitive(v reflect.Value, from serial.Value) error {
	switch x := from.(type) {
	case int32:
		if v.Kind() == reflect.Int {
			v.SetInt(int64(x))
			return nil
		}
	case int64, float64, bool, string:
		if r := reflect.ValueOf(x); r.Kind() == v.Kind() {
			v.Set(r.Convert(v.Type()))
			return nil
		}
	case nil:
		if v.Kind() == reflect.String {
			v.SetString("")
			return nil
		}
	}
	return fmt.Errorf("%s, expected %v", serial.Describe(from), v.Type())
}

func (d decoder) items(v reflect.Value, from serial.Value) error {
	items, err := elements(from)
	if err != nil || len(items) == 0 {
		return err
	}
	all := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if err := d.value(all.Index(i), item); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	v.Set(all)
	return nil
}

// elements reads a sequence or an array.
func elements(from serial.Value) ([]serial.Value, error) {
	a, ok := from.(*serial.Array)
	if !ok {
		return scala.Seq(from)
	}
	items, ok := a.Items.([]serial.Value)
	if !ok {
		return nil, fmt.Errorf("%v, expected an array of references", a.Class)
	}
	return items, nil
}

func (d decoder) entries(v reflect.Value, from serial.Value) error {
	pairs, err := scala.Map(from)
	if err != nil || len(pairs) == 0 {
		return err
	}
	all := reflect.MakeMapWithSize(v.Type(), len(pairs))
	for _, p := range pairs {
		key, ok := p.Key.(string)
		if !ok {
			return errors.New("a key is " + serial.Describe(p.Key) + ", expected a string")
		}
		value := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(value, p.Value); err != nil {
			return fmt.Errorf("entry %q: %w", key, err)
		}
		all.SetMapIndex(reflect.ValueOf(key), value)
	}
	v.Set(all)
	return nil
}

// sortedKeys are the keys of a map from strings, in order: equal messages have equal bytes.
func sortedKeys(v reflect.Value) []string {
	keys := make([]string, 0, v.Len())
	for _, k := range v.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	return keys
}
