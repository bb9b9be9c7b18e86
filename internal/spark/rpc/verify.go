package rpc

import (
	"context"
	"fmt"
	"strings"

	"github.com/meseta/meseta/internal/spark/endpoint"
	"github.com/meseta/meseta/internal/spark/serial"
)

// Every process has an endpoint that says which others it has; peers ask it before anything else.
const (
	verifierName = "endpoint-verifier"
	classExists  = "org.apache.spark.rpc.netty.RpcEndpointVerifier$CheckExistence"
)

// booleanClass is all that an answer of the verifier needs, and is the same in every JVM.
var booleanClass = func() *serial.Classes {
	c, err := serial.ParseClasses(strings.NewReader("java.lang.Boolean -3665804199014368530 s -\n\tvalue Z\n"))
	if err != nil {
		panic(err)
	}
	return c
}()

// Boolean makes a java.lang.Boolean.
func Boolean(b bool) serial.Value {
	o, err := booleanClass.New("java.lang.Boolean", map[string]serial.Value{"value": b})
	if err != nil {
		panic(err) // the table above has it
	}
	return o
}

// verify answers whether an endpoint is here.
func (e *Env) verify(m *Message) error {
	if !serial.Is(m.Content, classExists) {
		return m.Fail(fmt.Errorf("unsupported message %s to %s", serial.Describe(m.Content), verifierName))
	}
	name, err := serial.Get[string](m.Content.(*serial.Object), "name")
	if err != nil {
		return m.Fail(err)
	}
	e.mu.Lock()
	_, ok := e.endpoints[name]
	e.mu.Unlock()
	if !m.ask {
		return nil
	}
	return m.Reply(Boolean(ok || name == verifierName))
}

// Lookup asks the process at an address whether it has an endpoint, and gives a reference to it.
func (e *Env) Lookup(ctx context.Context, classes *serial.Classes, at endpoint.Address, name string) (endpoint.Ref, error) {
	ref := endpoint.Ref{Name: name, Address: at}
	q, err := classes.New(classExists, map[string]serial.Value{"name": name})
	if err != nil {
		return ref, err
	}
	reply, err := e.Ask(ctx, endpoint.Ref{Name: verifierName, Address: at}, q)
	if err != nil {
		return ref, fmt.Errorf("looking for %v: %w", ref, err)
	}
	o, ok := reply.Content.(*serial.Object)
	if !ok {
		return ref, fmt.Errorf("looking for %v: the answer is %s", ref, serial.Describe(reply.Content))
	}
	switch found, err := serial.Get[bool](o, "value"); {
	case err != nil:
		return ref, fmt.Errorf("looking for %v: %w", ref, err)
	case !found:
		return ref, fmt.Errorf("looking for %v: there is no such endpoint", ref)
	}
	return ref, nil
}
