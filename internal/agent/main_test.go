package agent

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/meseta/meseta/internal/container/supervisor"
)

// TestMain lets the test binary be the supervisor of the agents under test.
func TestMain(m *testing.M) {
	if supervisor.Wanted(os.Args) {
		os.Exit(supervisor.Main(os.Args[2:], os.Stderr))
	}
	goleak.VerifyTestMain(m)
}
