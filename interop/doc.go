// Package interop runs clients that nobody of Meseta wrote against a real Meseta cluster. Each is built,
// unmodified, from the exact version that go.mod names, and what it says happened is compared with what
// the master says.
//
// It is a module of its own that does not require Meseta: if it did, the strangers would be built with our
// versions of what they stand on, and not with those of their time. The cluster is the meseta binary, built
// from the directory above, and all that the tests know of it is what a stranger could: command line and
// HTTP.
//
// Begin with mesosgo_test.go; cluster_test.go starts clusters.
package interop
