// Package serial reads and writes the Java Object Serialization Stream, version 5, the form in which
// JVMs put object graphs on a wire.
//
// It owns the grammar and nothing else: [Decode] turns bytes into a graph of plain Go values (see
// [Value]) without knowing any class, because a stream describes the classes it uses; [Encode] turns
// such a graph into bytes that a JVM reads. What a stream cannot say of itself, the facts of the
// classes that the *other* side has loaded (names, serialVersionUIDs, fields, superclasses), comes in
// as a table, [Classes], and [Classes.New] makes objects by it. What the classes mean is other
// packages' business: Scala's are in the sibling package scala, Spark's in deploy.
//
// It refuses to trust: nothing in a stream is loaded, called or resolved, and [Limits] bound the depth
// of a graph, its number of values and the length of strings and arrays before memory is spent on them,
// so that decoding costs at most a small multiple of the bytes that came in. Two kinds of stream cannot
// be read without the classes' code and are refused with a sentence: externalizable data of protocol
// version 1, and streams that end in the exception that broke their writer ([AbortedError]).
//
// Invariants: a graph that was decoded can be encoded again, shared and cyclic references included, and
// gives the same graph; no input makes Decode panic.
//
// Start with [Value], then [Object]; decode.go follows the grammar from top to bottom.
package serial
