// Package replay sends the recorded calls of real Mesos clients to our servers and compares what comes
// back with what a real Mesos answered: status lines, headers, every field of every body and event, and
// how streams end. Ids, times and addresses are bound to ours where they first appear.
//
// testdata/recorded.md and operator.md are the recording, documents for people; parse.go reads them. session.go plays the
// scheduler and the executor, stream.go holds their event streams, play.go goes through a section,
// compare.go knows what is ours to choose, and intended.go lists, with a reason each, in what we mean to
// differ: a difference that no longer occurs fails the tests as well. What is not replayed yet stands in
// notYet, in replay_test.go.
package replay
