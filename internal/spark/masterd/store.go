package masterd

import (
	"github.com/meseta/meseta/internal/spark/master"
)

// Store keeps what a Master has to leave to the one after it, and knows which Master of several leads. Its
// methods are called one after the other: Lead until it is true, Load, and then the rest as often as there
// is something.
type Store interface {
	// Lead tells whether this Master is the one that may lead. Once it does, it does to its end.
	Lead() (bool, error)

	// Load gives what is kept.
	Load() ([]master.Record, error)

	// Save keeps a record, durably, in place of one of the same key.
	Save(master.Record) error

	// Forget removes a record, if it is there.
	Forget(key string) error

	// Close ends the leadership.
	Close() error
}

// forgetful keeps nothing: a Master that starts knows nothing, as with Spark's recovery mode NONE.
type forgetful struct{}

func (forgetful) Lead() (bool, error)            { return true, nil }
func (forgetful) Load() ([]master.Record, error) { return nil, nil }
func (forgetful) Save(master.Record) error       { return nil }
func (forgetful) Forget(string) error            { return nil }
func (forgetful) Close() error                   { return nil }
