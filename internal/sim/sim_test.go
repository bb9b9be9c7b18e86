package sim

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var (
	oneSeed = flag.Uint64("sim.seed", 0, "run this seed only, and print its history")
	seeds   = flag.Uint64("sim.seeds", 200, "how many seeds TestSeeds runs")
	first   = flag.Uint64("sim.first", 1, "the first seed that TestSeeds runs")
)

func TestOne(t *testing.T) {
	r := Run(Options{Seed: max(*oneSeed, 1), Record: *oneSeed != 0})
	if *oneSeed != 0 {
		os.WriteFile("/tmp/sim-history.txt", []byte(strings.Join(r.History, "\n")), 0o644)
	}
	fmt.Println(r.Err, r.Tasks, r.Steps, r.Lasted, r.Settled, r.Emptied)
	if r.Err != nil {
		t.Error(r.Err)
	}
}

func TestMany(t *testing.T) {
	for s := *first; s < *first+*seeds; s++ {
		r := Run(Options{Seed: s})
		fmt.Println(s, r.Err, r.Tasks, r.Steps, r.Lasted, r.Settled, r.Emptied)
	}
}
