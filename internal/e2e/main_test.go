package e2e

import (
	"os"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestMain(m *testing.M) { os.Exit(testcluster.Run(m)) }
