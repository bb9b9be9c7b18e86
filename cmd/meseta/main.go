// Command meseta is the whole of Meseta in one binary: master, agent, supervisor and command line.
package main

func main() {}
