// Package cli is what the command line does once its flags are read: it asks a master or an agent over
// the public APIs, like any other client, and prints the answer for a person or for a program.
//
// Every error that a user can do something about says what.
package cli
