// Package replay sends the recorded calls of real Mesos clients to our servers and compares what comes
// back with what a real Mesos answered: status lines, headers, every field of every
// body and event. Ids, times and addresses are bound to ours where they first appear.
//
// testdata/recorded.md is the recording, a document for people; parse.go reads it, compare.go knows what
// may differ, session.go plays the scheduler's part, and the tests say what is played where.
package replay
