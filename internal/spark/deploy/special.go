package deploy

import (
	"fmt"
	"reflect"

	"github.com/meseta/meseta/internal/spark/scala"
	"github.com/meseta/meseta/internal/spark/serial"
)

// URI is a java.net.URI.
type URI string

const classURI = "java.net.URI"

func (u URI) toJava(b *Build) (serial.Value, error) {
	return b.classes().New(classURI, map[string]serial.Value{"string": string(u)})
}

func (u *URI) fromJava(v serial.Value, _ decoder) error {
	if !serial.Is(v, classURI) {
		return fmt.Errorf("%s, expected a %s", serial.Describe(v), classURI)
	}
	s, err := serial.Get[string](v.(*serial.Object), "string")
	*u = URI(s)
	return err
}

// Exception is what is known of a Java exception: its class, and what it says. Sent by us it is a plain
// java.lang.Exception, whose class the other side has for sure, that says both.
type Exception struct {
	Class   string
	Message string
}

const classException = "java.lang.Exception"

// Error is what Java's toString gives.
func (e Exception) Error() string {
	switch {
	case e.Class == "":
		return e.Message
	case e.Message == "":
		return e.Class
	}
	return e.Class + ": " + e.Message
}

// toJava leaves out the stack trace and what a reader can do without; they refer to classes of their own.
func (e Exception) toJava(b *Build) (serial.Value, error) {
	said := e.Error()
	if e.Class == classException {
		said = e.Message
	}
	exception, ok := b.classes().Lookup(classException)
	if !ok || exception.Super == nil {
		return nil, fmt.Errorf("class %s is not in the table of class facts", classException)
	}
	throwable := *exception.Super
	short := serial.ClassDesc{Name: throwable.Name, UID: throwable.UID, Flags: throwable.Flags,
		Fields: []serial.Field{{Type: 'L', Name: "detailMessage", Signature: "Ljava/lang/String;"}}}
	desc := serial.ClassDesc{Name: exception.Name, UID: exception.UID, Flags: exception.Flags, Super: &short}
	return &serial.Object{Class: &desc, Data: []serial.ClassData{{Fields: []serial.Value{said}}, {}}}, nil
}

func (e *Exception) fromJava(v serial.Value, _ decoder) error {
	o, ok := v.(*serial.Object)
	if !ok || o.Class == nil || !isA(o.Class, "java.lang.Throwable") {
		return fmt.Errorf("%s, expected an exception", serial.Describe(v))
	}
	e.Class = o.Class.Name
	if msg, ok := o.Get("detailMessage"); ok {
		e.Message, _ = msg.(string)
	}
	return nil
}

// ProfileTotals is how many executors are wanted for each resource profile: a Map from ResourceProfile
// to Int in Java. Profiles are told apart by their ids.
type ProfileTotals []ProfileTotal

// ProfileTotal is an entry of ProfileTotals.
type ProfileTotal struct {
	Profile ResourceProfile
	Total   int
}

func (p ProfileTotals) toJava(b *Build) (serial.Value, error) {
	var pairs []scala.Pair
	for _, entry := range p {
		profile, err := encoder{b}.value(reflect.ValueOf(entry.Profile))
		if err != nil {
			return nil, err
		}
		total, err := encoder{b}.value(reflect.ValueOf(entry.Total))
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, scala.Pair{Key: profile, Value: total})
	}
	return b.writer().Map(pairs)
}

func (p *ProfileTotals) fromJava(v serial.Value, d decoder) error {
	pairs, err := scala.Map(v)
	if err != nil {
		return err
	}
	for i, pair := range pairs {
		var entry ProfileTotal
		if err := d.value(reflect.ValueOf(&entry.Profile).Elem(), pair.Key); err != nil {
			return fmt.Errorf("profile %d: %w", i, err)
		}
		if err := d.value(reflect.ValueOf(&entry.Total).Elem(), pair.Value); err != nil {
			return fmt.Errorf("profile %d: %w", i, err)
		}
		*p = append(*p, entry)
	}
	return nil
}
