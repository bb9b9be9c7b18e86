// Classfacts reads jars and writes the table of class facts that serial.ParseClasses reads: for each
// class its serialVersionUID, its flags, its serializable fields in the order of a descriptor, and its
// serializable superclass. The tables in ../deploy/facts were made by it.
//
// It needs no JVM and loads no class: it parses class files, and where a class declares no
// serialVersionUID it computes the one that a JVM would (SHA-1 over names, modifiers and signatures, as
// the serialization specification has it, section 4.6). Classes that need more than that, whose UID or
// list of fields is the result of running code, are refused by name.
//
// To make a table, give it the name of a build, every jar of that build that matters, and the JDK's
// base module for the classes that come from there:
//
//	go run ./internal/spark/classfacts -tags 3.5,2.12 -o internal/spark/deploy/facts/spark-3.5-scala-2.12.txt \
//		$PYSPARK/jars/{spark-core,spark-common-utils,scala-library}*.jar $JAVA_HOME/jmods/java.base.jmod
//
// The jars of Spark 3.5 with Scala 2.12 and of Spark 4.0 are in the pyspark packages of PyPI; those of
// Spark 3.5 with Scala 2.13 (spark-core_2.13, spark-common-utils_2.13, scala-library 2.13.8) are on
// Maven Central. classes.txt lists the classes, and which build has them.
package main
