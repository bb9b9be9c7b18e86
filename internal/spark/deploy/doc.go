// Package deploy holds the messages by which the parts of a standalone Spark cluster talk: Worker and
// Master, Master and application, Master and submission client.
//
// Each message is a plain Go struct, named as Spark names it; [Message] is their closed sum. [Decode]
// makes one of the object graph that came in, whichever build of Spark sent it; [Build.Encode] makes a
// graph for one build, by the table of facts about its classes (facts/, made by ../classfacts from the
// real jars). Field names and their Java types are not written down twice: the struct's tags give the
// name, the table gives the type, and codec.go brings Go's types and Java's together.
//
// It refuses messages of a shape that its structs do not have, by naming the class and the field: a
// Spark whose messages changed is told apart from one that we know, and never half understood.
//
// Everything here is a value. The package knows no connection, clock or log, so that the cores of Worker
// and Master can be made of it.
//
// Begin with worker.go, the messages of a Worker.
package deploy
