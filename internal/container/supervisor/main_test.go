package supervisor_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/meseta/meseta/internal/container/supervisor"
)

// The test binary is also the supervisor that the tests start, through
// /proc/self/exe.
func TestMain(m *testing.M) {
	if supervisor.Wanted(os.Args) {
		os.Exit(supervisor.Main(os.Args[2:], os.Stderr))
	}
	goleak.VerifyTestMain(m)
}
