package deploy

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/meseta/meseta/internal/spark/scala"
	"github.com/meseta/meseta/internal/spark/serial"
)

//go:embed facts/*.txt
var facts embed.FS

// Build is a build of Spark whose processes we can talk to: a version of Spark together with one of
// Scala. Processes of different builds do not understand each other.
type Build struct {
	Spark string // 3.5, 4.0
	Scala string // 2.12, 2.13

	classes func() *serial.Classes // read when first needed: most processes of this binary never do
}

// The builds that exist.
var (
	Spark35Scala212 = newBuild("3.5", "2.12")
	Spark35Scala213 = newBuild("3.5", "2.13")
	Spark40Scala213 = newBuild("4.0", "2.13")
)

// Builds lists them.
func Builds() []*Build {
	return []*Build{Spark35Scala212, Spark35Scala213, Spark40Scala213}
}

func newBuild(spark, scala string) *Build {
	return &Build{Spark: spark, Scala: scala, classes: sync.OnceValue(func() *serial.Classes { return mustLoad(spark, scala) })}
}

func mustLoad(spark, scala string) *serial.Classes {
	f, err := facts.Open("facts/spark-" + spark + "-scala-" + scala + ".txt")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	classes, err := serial.ParseClasses(f)
	if err != nil {
		panic(err)
	}
	return classes
}

// String names the build for people.
func (b *Build) String() string { return "Spark " + b.Spark + " (Scala " + b.Scala + ")" }

// Classes is the table of facts about the build's classes.
func (b *Build) Classes() *serial.Classes { return b.classes() }

func (b *Build) writer() scala.Writer { return scala.Writer{Classes: b.classes()} }

var coreJar = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^spark-core_(\d+\.\d+)-(\d+\.\d+)\..*\.jar$`)
})

// BuildOfJar tells the build of a Spark from the name of its spark-core jar.
func BuildOfJar(name string) (*Build, error) {
	m := coreJar().FindStringSubmatch(name)
	if m == nil {
		return nil, fmt.Errorf("%q is not the name of a spark-core jar", name)
	}
	for _, b := range Builds() {
		if b.Scala == m[1] && b.Spark == m[2] {
			return b, nil
		}
	}
	return nil, fmt.Errorf("Spark %s (Scala %s) is not supported, only %v are", m[2], m[1], Builds())
}

// BuildsOf tells which builds may have written a graph: those whose facts agree with every class
// descriptor in it that they know. It is empty for a Spark that is none of ours.
func BuildsOf(v serial.Value) []*Build {
	left := Builds()
	for d := range serial.Descriptors(v) {
		left = slices.DeleteFunc(left, func(b *Build) bool {
			known, ok := b.classes().Lookup(d.Name)
			return ok && known.UID != d.UID
		})
	}
	return left
}
