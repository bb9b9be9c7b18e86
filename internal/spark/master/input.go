package master

import (
	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Input is one thing that happened. The variants of this file are all there are.
type Input interface{ input() }

// Elected says that this Master is the one that leads, and what the last one knew. Before it, the Master
// stands by.
type Elected struct{ Known []Record }

// Tick says that time has passed.
type Tick struct{}

// Received is a message. Builds are those that its sender may be of; it matters for Workers and
// applications, which have to be of one.
type Received struct {
	Message deploy.Message
	Builds  []*deploy.Build
}

// CallID names a question that waits for its [Reply].
type CallID uint64

// Asked is a message whose sender waits for an answer.
type Asked struct {
	Call    CallID
	Message deploy.Message
	Builds  []*deploy.Build
}

// Disconnected says that a connection is gone, by which the address was reached.
type Disconnected struct {
	Conn    endpoint.ConnID
	Address endpoint.Address
}

// KillApplication is a person's word that an application is to end.
type KillApplication struct{ ID string }

func (Elected) input()         {}
func (Tick) input()            {}
func (Received) input()        {}
func (Asked) input()           {}
func (Disconnected) input()    {}
func (KillApplication) input() {}
