// Command testlog reads the output of go test -json, shows it the way people like to read it, and fails
// when a test failed or was skipped without permission: every skip must be listed, in backquotes, in
// the document that is named by -skips.
//
//	go test -json ./... | testlog -skips docs/testing.md
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	skips := flag.String("skips", "docs/testing.md", "document that lists the tests that may be skipped")
	flag.Parse()
	allowed, err := os.ReadFile(*skips)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testlog:", err)
		os.Exit(2)
	}
	r := report{out: os.Stdout, allowed: string(allowed), output: make(map[string][]string)}
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testlog:", err)
		os.Exit(2)
	}
	if !r.close() {
		os.Exit(1)
	}
}

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

type report struct {
	out     io.Writer
	allowed string
	output  map[string][]string // of tests and packages that have not ended

	passed, failed int
	skipped        []string
	forbidden      []string
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(r.out, lines.Text()) // what is no event is said by the go command
			continue
		}
		r.take(e)
	}
	return lines.Err()
}

func (r *report) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "build-fail":
		r.failed++
	case "pass", "fail", "skip":
		r.end(key, e)
		delete(r.output, key)
	}
}

func (r *report) end(key string, e event) {
	switch {
	case e.Test == "" && e.Action == "fail":
		fmt.Fprint(r.out, strings.Join(r.output[key], ""))
	case e.Test == "" && e.Action == "pass":
		fmt.Fprintf(r.out, "ok    %s  %.1fs\n", e.Package, e.Elapsed)
	case e.Test == "": // no test files
	case e.Action == "pass":
		r.passed++
	case e.Action == "fail":
		r.failed++
		fmt.Fprintf(r.out, "FAIL  %s\n%s", key, strings.Join(r.output[key], ""))
	case e.Action == "skip":
		r.skipped = append(r.skipped, key)
		if name, _, _ := strings.Cut(e.Test, "/"); !strings.Contains(r.allowed, "`"+name+"`") {
			r.forbidden = append(r.forbidden, key)
		}
	}
}

// close prints the summary and tells whether all is well.
func (r *report) close() bool {
	slices.Sort(r.skipped)
	for _, s := range r.skipped {
		fmt.Fprintf(r.out, "skip  %s\n", s)
	}
	for _, s := range r.forbidden {
		fmt.Fprintf(r.out, "FAIL  %s was skipped, which the list of skips does not allow\n", s)
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed+len(r.forbidden), len(r.skipped))
	return r.failed+len(r.forbidden) == 0 && r.passed > 0
}
