// Package workerd is a Worker of Spark's standalone cluster as a process: real Masters take it for one
// of Spark's own, and it runs Spark's own executors and drivers.
//
// The rules are in package worker. This package is the shell around them: one loop that owns the core
// (loop.go), the endpoint "Worker" by which Masters, executors and drivers reach it, the processes
// (executor.go, driver.go, command.go for their command lines), the directories they work in, and the
// pages that show them (ui.go).
//
// The executors are JVMs of the Spark in SPARK_HOME, and so the Worker is of that Spark's build: Masters
// and drivers of another cannot use it. The external shuffle service, which in Spark is a part of the
// Worker, is JVM code; a configuration that asks for it is refused.
//
// Executors and cluster-mode drivers keep a connection to the Worker and end when it is gone; that is
// Spark's design, and the Worker keeps its side of it.
//
// Start with [Run], then loop.go.
package workerd
