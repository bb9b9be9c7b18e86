// Package spark runs real Spark against Meseta's Master and Worker, in every mixture with Spark's own: the
// tests start processes as a user would, and look at what users see. Spark comes from PyPI by ./get.
//
// By default the tests are few and quick; with -full they are all there are, for all versions.
package spark
