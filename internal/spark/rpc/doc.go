// Package rpc speaks the RPC of Spark's processes over TCP: the frames of its transport and the
// envelope in which one endpoint writes to another.
//
// An [Env] is this process's end of it. It owns the connections, those it accepted and those it dialled
// (one for each peer, used for everything that goes there), and knows the endpoints that live here by
// name. [Env.Send] and [Env.Ask] write to an endpoint elsewhere; what others write comes in through
// [Endpoint]. A connection is symmetric: a reference that came in a message is answered on the
// connection it came by, in either direction, whoever dialled.
//
// What messages mean is not its business, they are object graphs here (package serial). It looks into
// two kinds only: the question whether an endpoint exists, which every peer asks first and [Env] answers
// by itself, and the exception that an ask may return in place of an answer ([RemoteError]).
//
// It refuses what it cannot read: a frame that is too long, of an unknown kind or with a broken body
// costs the peer its connection, or its ask when one is there to fail, and one log line. With a secret,
// it requires and gives proof of it by SASL (DIGEST-MD5); encryption it does not speak, and says so.
//
// Invariants: every ask ends, with an answer, an error or its context; messages of one connection are
// received in the order in which they were sent; when Run returns, no goroutine of the Env is left.
//
// Start with [Env]; frame.go and envelope.go have the bytes.
package rpc
