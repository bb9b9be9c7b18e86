// Package operator is the read side of the operator API: it answers questions about the cluster from a
// frozen View, so that however much is asked, the master's loop goes on undisturbed.
//
// It owns the shape of answers. It refuses to change anything: calls that write go to the core.
//
// Start reading at ServeCall in master.go, then state.go; endpoints.go has what is older than the calls.
package operator
