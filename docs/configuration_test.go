package docs_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

var update = flag.Bool("update", false, "write what is generated into the pages")

// generated is a part of a page that the binary writes: its arguments, and the text.
var generated = regexp.MustCompile(`(?s)<!-- generated: ([a-z ]+) -->\n.*?<!-- end -->`)

func TestTablesOfSettingsAreCurrent(t *testing.T) {
	const name = "configuration.md"
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	after := generated.ReplaceAllStringFunc(string(before), func(part string) string {
		arguments := generated.FindStringSubmatch(part)[1]
		r := testcluster.Meseta(t, append([]string{"settings-tables"}, strings.Fields(arguments)...)...)
		if r.Code != 0 {
			t.Fatalf("%s: %+v", arguments, r)
		}
		return "<!-- generated: " + arguments + " -->\n\n" + r.Stdout + "<!-- end -->"
	})
	switch {
	case after == string(before):
	case *update:
		if err := os.WriteFile(name, []byte(after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("docs/configuration.md is not what the commands' flags say: make generate")
	}
}
