// Package spark has scripts that start and stop Meseta's Master and Worker of a Spark standalone cluster, with
// the names, arguments and variables of Spark's own in sbin/. There is no code; the test beside it runs them.
package spark
