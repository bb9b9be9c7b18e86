package serial

import "iter"

// Descriptors gives every class descriptor in a graph once, in no particular order.
func Descriptors(v Value) iter.Seq[*ClassDesc] {
	return func(yield func(*ClassDesc) bool) {
		seen := make(map[any]bool)
		todo := []Value{v}
		for len(todo) > 0 {
			v := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			switch v.(type) {
			case *Object, *Array, *Enum, *Class, *ClassDesc:
				if seen[v] {
					continue
				}
				seen[v] = true
			}
			if d, ok := v.(*ClassDesc); ok && d != nil && !yield(d) {
				return
			}
			todo = below(todo, v)
		}
	}
}

// below appends what a value refers to.
func below(todo []Value, v Value) []Value {
	switch v := v.(type) {
	case *Object:
		todo = append(todo, v.Class)
		for _, data := range v.Data {
			todo = append(append(todo, data.Fields...), data.Annotation...)
		}
	case *Array:
		todo = append(todo, v.Class)
		if items, ok := v.Items.([]Value); ok {
			todo = append(todo, items...)
		}
	case *Enum:
		todo = append(todo, v.Class)
	case *Class:
		todo = append(todo, v.Desc)
	case *ClassDesc:
		if v == nil {
			return todo
		}
		todo = append(todo, v.Annotation...)
		if v.Super != nil {
			todo = append(todo, v.Super)
		}
	}
	return todo
}
