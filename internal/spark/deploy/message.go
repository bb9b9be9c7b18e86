package deploy

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/scala"
	"github.com/meseta/meseta/internal/spark/serial"
)

// Message is one of the messages in this package: a struct whose tagged fields are those of a Java
// class.
type Message interface {
	class() string // the Java class
}

const messagePrefix = "org.apache.spark.deploy.DeployMessages$"

// messages are all messages, by class.
var messages = sync.OnceValue(func() map[string]reflect.Type {
	all := make(map[string]reflect.Type)
	for _, list := range [][]Message{workerMessages, applicationMessages, clientMessages} {
		for _, m := range list {
			all[m.class()] = reflect.TypeOf(m)
		}
	}
	return all
})

// Decode makes a message of a graph that came by a connection. References inside will be reached by it.
func Decode(v serial.Value, via endpoint.ConnID) (Message, error) {
	class, ok := scala.Module(v)
	t := messages()[class]
	if !ok || t == nil {
		return nil, fmt.Errorf("%s is no message of Spark's deploy protocol", serial.Describe(v))
	}
	m := reflect.New(t).Elem()
	if t.NumField() > 0 {
		if err := (decoder{via}).object(m, v); err != nil {
			return nil, err
		}
	}
	return m.Interface().(Message), nil
}

// Encode makes the graph of a message for processes of a build.
func (b *Build) Encode(m Message) (serial.Value, error) {
	v := reflect.ValueOf(m)
	if v.NumField() == 0 {
		return b.writer().Module(m.class())
	}
	return encoder{b}.object(v, m.class())
}
