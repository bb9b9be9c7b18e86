// Package stagetest is for the tests of the test kits: [Run] lets examples run, which show a test and are none, and
// [Complaints] tells what a test says that fails.
package stagetest

import (
	"flag"
	"testing"
	"testing/synctest"
)

// Run runs a test in a bubble, once, and prints nothing unless it fails.
func Run(test func(t *testing.T)) {
	for name, value := range map[string]string{"test.v": "false", "test.count": "1"} {
		f := flag.Lookup(name).Value
		defer f.Set(f.String())
		f.Set(value)
	}
	all := func(string, string) (bool, error) { return true, nil }
	testing.RunTests(all, []testing.InternalTest{{Name: "Example", F: func(t *testing.T) { synctest.Test(t, test) }}})
}
