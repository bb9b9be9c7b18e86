// Package operator is the read side of the operator API: it answers questions about the cluster from a
// frozen View, so that however much is asked, the master's loop goes on undisturbed.
//
// It owns the shape of questions and answers. It refuses to change anything: what an operator wants changed is
// an order, which the core carries out.
//
// Start reading at ServeCall in master.go, then state.go; own.go has the calls that Mesos has not, endpoints.go
// what is older than the calls.
package operator
