package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meseta/meseta/internal/spark/serial"
)

//go:embed classes.txt
var classList string

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "classfacts:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("classfacts", flag.ContinueOnError)
	tags := flags.String("tags", "", "which lines of classes.txt to take besides those for all builds, as 3.5,2.12")
	output := flags.String("o", "", "file to write, standard output if empty")
	if err := flags.Parse(args); err != nil {
		return err
	}
	jars, err := openJars(flags.Args())
	if err != nil {
		return err
	}
	defer jars.close()
	names, err := wanted(classList, strings.Split(*tags, ","))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Class facts of Spark, build %s: made by internal/spark/classfacts, do not edit.\n", *tags)
	for _, path := range flags.Args() {
		fmt.Fprintf(&out, "# from %s\n", filepath.Base(path))
	}
	if err := describe(&out, jars, names); err != nil {
		return err
	}
	if *output == "" {
		_, err := stdout.Write(out.Bytes())
		return err
	}
	return os.WriteFile(*output, out.Bytes(), 0o644)
}

// describe writes the facts of the classes and of their superclasses.
func describe(w io.Writer, jars *jars, names []string) error {
	made := make(map[string]*serial.ClassDesc)
	for _, name := range names {
		if _, err := jars.desc(name, made); err != nil {
			return err
		}
	}
	var all []*serial.ClassDesc
	for _, d := range made {
		all = append(all, d)
	}
	return serial.WriteClasses(w, all)
}

// wanted picks the names for a build from the list of classes: a line is a name, which every build has,
// or a tag, a colon and a name.
func wanted(list string, tags []string) ([]string, error) {
	var names []string
	scan := bufio.NewScanner(strings.NewReader(list))
	for scan.Scan() {
		line, _, _ := strings.Cut(scan.Text(), "#")
		tag, name, tagged := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case tag == "":
		case !tagged:
			names = append(names, tag)
		case slices.Contains(tags, tag):
			names = append(names, strings.TrimSpace(name))
		}
	}
	if scan.Err() == nil && len(names) == 0 {
		return nil, fmt.Errorf("no classes for tags %v", tags)
	}
	return names, scan.Err()
}
