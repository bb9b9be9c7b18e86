// Package imports keeps the SDK light: it holds what a package may depend on.
package imports

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed is what the SDK may consist of beside the standard library, with everything below it.
var allowed = []string{
	"github.com/meseta/meseta/api/mesos/v1",
	"github.com/meseta/meseta/executor",
	"github.com/meseta/meseta/internal/core",
	"github.com/meseta/meseta/internal/duration",
	"github.com/meseta/meseta/internal/ids",
	"github.com/meseta/meseta/internal/sdk",
	"github.com/meseta/meseta/internal/wire",
	"github.com/meseta/meseta/scheduler",

	"github.com/google/uuid",
	"google.golang.org/protobuf",
}

// Check lets a test fail if a package depends on anything else.
func Check(t *testing.T, pkg string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", pkg).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if !slices.ContainsFunc(allowed, func(root string) bool { return dep == root || strings.HasPrefix(dep, root+"/") }) {
			t.Errorf("%s depends on %s: people import the SDK into programs of their own, and it must not bring a cluster along", pkg, dep)
		}
	}
}
