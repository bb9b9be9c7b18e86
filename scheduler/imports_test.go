package scheduler_test

import (
	"testing"

	"github.com/meseta/meseta/internal/sdk/imports"
)

// People import this package into programs of their own. It must not bring a cluster along.
func TestImportsLittle(t *testing.T) { imports.Check(t, "github.com/meseta/meseta/scheduler") }
