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
