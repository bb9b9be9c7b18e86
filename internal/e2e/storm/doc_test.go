// Package storm holds a real cluster to the promise that nothing is lost: 200 tasks run on it, and its
// processes are killed with SIGKILL and stopped with SIGSTOP at random moments, one after the other.
//
// The framework is a process of its own (framework_test.go), and so are its executors (executor_test.go):
// the test binary plays them when the environment says so. What really happened is what the tasks themselves
// have written into files; what the framework was told is in its journal. In the end both have to agree
// (verdict_test.go): whatever ran to its end has its true exit code, and nothing ran twice, or after its
// scheduler was told that it would not.
//
//	go test ./internal/e2e/storm -storm.each 50      # more of it
package storm

import (
	"context"
	"flag"
	"log"
	"os"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

var each = flag.Int("storm.each", 5, "how often each kind of process is killed, and stopped")

// The environment of the processes that the test binary plays.
const (
	roleVariable   = "STORM_ROLE" // framework or executor
	dirVariable    = "STORM_DIR"  // the test's; it marks all that belongs to one test
	masterVariable = "STORM_MASTER"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "framework":
		if err := runFramework(context.Background()); err != nil {
			log.Fatal(err)
		}
	case "executor":
		if err := runExecutor(context.Background()); err != nil {
			log.Fatal(err)
		}
	default:
		os.Exit(testcluster.Run(m))
	}
}
