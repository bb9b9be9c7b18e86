// Package masterd is a Master of Spark's standalone cluster as a process: real Workers, applications and
// spark-submit take it for one of Spark's own.
//
// The rules are in package master. This package is the shell around them: one loop that owns the core
// (loop.go), the endpoint "Master" by which everybody reaches it (mailbox.go), what outlives it (store.go
// and what is in a directory, directory.go), the pages and the JSON (ui.go, json.go), and the HTTP server
// that takes submissions (rest.go, submission.go).
//
// Unlike Spark's, it serves several builds of Spark at once: it speaks to each peer in that one's classes,
// and gives applications only Workers of their build.
//
// Start with [Run], then loop.go.
package masterd
