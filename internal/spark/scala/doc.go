// Package scala translates between the standard values of Scala (Option, Seq, Map, Enumeration, case
// objects, boxed numbers) and their shapes in a Java object stream.
//
// The shapes differ between Scala 2.12 and 2.13, and the same static type arrives in many of them: a
// Seq may be a List, a Vector, an ArrayBuffer or a wrapped array, each with a form of its own. Reading
// ([Option], [Seq], [Map], [Enumeration], [Module]) accepts the forms of both versions, because a form
// names itself; what it does not know, it refuses by naming the class and its serialVersionUID. Writing
// goes through a [Writer], which knows the version of the other side, and needs one form for each type
// only: a List is a Seq everywhere, a HashMap a Map.
//
// Nothing here knows about Spark. Start with [Seq] to see how forms are told apart, and with [Writer].
package scala
