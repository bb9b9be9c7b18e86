// Package endpoint names what can be sent to in Spark's RPC: an endpoint has a name, and lives in a
// process that has an address, or at the other end of a connection, or both.
//
// It holds plain values only, so that pure cores may keep them; package rpc does the sending. The
// shapes of these values in a Java object stream are here too ([Ref.Object], [Read]), because every
// message that carries one needs them.
package endpoint

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/meseta/meseta/internal/spark/serial"
)

// Address is where a process listens, as it advertises itself. Spark compares hosts by their text, so a
// name and its IP are two addresses. The zero Address belongs to processes that do not listen.
type Address struct {
	Host string
	Port int
}

// IsZero tells whether there is no address.
func (a Address) IsZero() bool { return a == Address{} }

// HostPort is host:port, with brackets around an IPv6 host.
func (a Address) HostPort() string {
	host := a.Host
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(a.Port)
}

// URL is spark://host:port, the form in which people name a Master.
func (a Address) URL() string { return "spark://" + a.HostPort() }

// String is host:port.
func (a Address) String() string { return a.HostPort() }

// ParseMasters reads spark://host1:port1,host2:port2, the Masters that stand by for each other.
func ParseMasters(s string) ([]Address, error) {
	list, ok := strings.CutPrefix(s, "spark://")
	if !ok {
		return nil, fmt.Errorf("master %q: expected spark://host:port[,host:port…]", s)
	}
	var all []Address
	for one := range strings.SplitSeq(list, ",") {
		u, err := url.Parse("spark://" + one)
		if err != nil {
			return nil, fmt.Errorf("master %q: %w", s, err)
		}
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || port == 0 || u.Hostname() == "" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("master %q: %q is not host:port", s, one)
		}
		all = append(all, Address{Host: u.Hostname(), Port: int(port)})
	}
	return all, nil
}

// ConnID names a connection of this process while it lasts. 0 is none.
type ConnID uint64

// Ref is a reference to an endpoint. One that came in a message remembers the connection it came by,
// and what is sent to it goes there: that is how a Master talks to Workers and drivers whose ports it
// cannot reach, and the only way to an endpoint without an address.
type Ref struct {
	Name    string
	Address Address
	Via     ConnID
}

// Same tells whether two references mean the same endpoint, however they are reached.
func (r Ref) Same(other Ref) bool { return r.Name == other.Name && r.Address == other.Address }

// String is the endpoint's URI.
func (r Ref) String() string {
	if r.Address.IsZero() {
		return "spark-client://" + r.Name
	}
	return "spark://" + r.Name + "@" + r.Address.HostPort()
}

// The classes of references.
const (
	classRef      = "org.apache.spark.rpc.netty.NettyRpcEndpointRef"
	classEndpoint = "org.apache.spark.rpc.RpcEndpointAddress"
	classAddress  = "org.apache.spark.rpc.RpcAddress"
	classTimeout  = "org.apache.spark.rpc.RpcTimeout"
	classDuration = "scala.concurrent.duration.FiniteDuration"
	classTimeUnit = "java.util.concurrent.TimeUnit"
)

// askTimeout is what whoever asks through our references waits for an answer: Spark's default. It has
// to be there, a reference without one makes the asking side fail.
const (
	askTimeoutSeconds = 120
	askTimeoutName    = "spark.rpc.askTimeout"
)

// Object makes the object that stands for an address in a stream; null for none.
func (a Address) Object(classes *serial.Classes) (serial.Value, error) {
	if a.IsZero() {
		return nil, nil
	}
	return classes.New(classAddress, map[string]serial.Value{"host": a.Host, "port": int32(a.Port)})
}

// Object makes the object that stands for a reference in a stream; null for none.
func (r Ref) Object(classes *serial.Classes) (serial.Value, error) {
	if r == (Ref{}) {
		return nil, nil
	}
	address, err := r.Address.Object(classes)
	if err != nil {
		return nil, err
	}
	name, err := classes.New(classEndpoint, map[string]serial.Value{
		"name": r.Name, "rpcAddress": address, "toString": r.String(),
	})
	if err != nil {
		return nil, err
	}
	timeout, err := timeout(classes)
	if err != nil {
		return nil, err
	}
	return classes.New(classRef, map[string]serial.Value{"endpointAddress": name, "defaultAskTimeout": timeout})
}

func timeout(classes *serial.Classes) (serial.Value, error) {
	unit, ok := classes.Lookup(classTimeUnit)
	if !ok {
		return nil, fmt.Errorf("class %s is not in the table of class facts", classTimeUnit)
	}
	duration, err := classes.New(classDuration, map[string]serial.Value{
		"length": int64(askTimeoutSeconds), "unit": &serial.Enum{Class: unit, Constant: "SECONDS"},
	})
	if err != nil {
		return nil, err
	}
	return classes.New(classTimeout, map[string]serial.Value{"duration": duration, "timeoutProp": askTimeoutName})
}

// ReadAddress reads an RpcAddress; null is the zero Address.
func ReadAddress(v serial.Value) (Address, error) {
	if v == nil {
		return Address{}, nil
	}
	if !serial.Is(v, classAddress) {
		return Address{}, fmt.Errorf("%s is no RpcAddress", serial.Describe(v))
	}
	o := v.(*serial.Object)
	host, err := serial.Get[string](o, "host")
	port, err2 := serial.Get[int32](o, "port")
	if err := errors.Join(err, err2); err != nil {
		return Address{}, err
	}
	if port < 0 || port > 65535 {
		return Address{}, fmt.Errorf("address %s has port %d", host, port)
	}
	return Address{Host: host, Port: int(port)}, nil
}

// Read reads a reference that came by a connection; null is the zero Ref.
func Read(v serial.Value, via ConnID) (Ref, error) {
	if v == nil {
		return Ref{}, nil
	}
	if !serial.Is(v, classRef) {
		return Ref{}, fmt.Errorf("%s is no reference to an endpoint", serial.Describe(v))
	}
	name, err := serial.Get[*serial.Object](v.(*serial.Object), "endpointAddress")
	if err != nil {
		return Ref{}, err
	}
	r := Ref{Via: via}
	if r.Name, err = serial.Get[string](name, "name"); err != nil {
		return Ref{}, err
	}
	address, _ := name.Get("rpcAddress")
	r.Address, err = ReadAddress(address)
	return r, err
}
