// Package e2e holds the tests that run the real binary as its users do: real processes, real sockets,
// kill -9 at the worst moment. It has no code of its own.
package e2e
