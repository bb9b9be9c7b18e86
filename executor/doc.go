// Package executor is the SDK for people who write executors: programs that an agent starts and that run
// a framework's tasks.
package executor
