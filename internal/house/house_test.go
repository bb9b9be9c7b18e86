package house

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/meseta/meseta/"

// root is the top of the module, seen from this package.
const root = "../.."

// cores are pure: same inputs, same outputs, always. Everything they need comes in as an input.
var cores = []string{
	"internal/allocator",
	"internal/cluster",
	"internal/container/ledger",
	"internal/core",
	"internal/demand",
	"internal/detached",
	"internal/ids",
	"internal/node",
	"internal/resources",
	"internal/retention",
	"internal/sdk/executorcore",
	"internal/sdk/schedulercore",
	"internal/spark/deploy",
	"internal/spark/endpoint",
	"internal/spark/master",
	"internal/spark/scala",
	"internal/spark/serial",
	"internal/spark/worker",
}

// impure are the packages that a core may not import, and why.
var impure = map[string]string{
	"sync":         "a core is owned by one goroutine and needs no lock",
	"sync/atomic":  "a core is owned by one goroutine and needs no lock",
	"os":           "a core touches no file and no environment",
	"net":          "a core has no socket",
	"net/http":     "a core has no socket",
	"log":          "shells log; a core returns what is worth saying",
	"log/slog":     "shells log; a core returns what is worth saying",
	"math/rand":    "random numbers come in as inputs, so that a seed replays",
	"math/rand/v2": "random numbers come in as inputs, so that a seed replays",
	"crypto/rand":  "random numbers come in as inputs, so that a seed replays",
	"context":      "a core is never cancelled: it is given another input",
	"syscall":      "a core does not know its machine",
}

// messageless are the cores that hold plain structs: a task is 300 bytes and not 2.4 kB. The drivers'
// cores are left out, because messages are what their users hold.
var messageless = []string{"internal/allocator", "internal/cluster", "internal/detached", "internal/node", "internal/resources"}

// imports gives what the files of a package import, tests left out.
func imports(t *testing.T, pkg string) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	for path, file := range parseDir(t, pkg) {
		for _, spec := range file.Imports {
			name := strings.Trim(spec.Path.Value, `"`)
			found[name] = append(found[name], path)
		}
	}
	return found
}

func parseDir(t *testing.T, pkg string) map[string]*ast.File {
	t.Helper()
	files := make(map[string]*ast.File)
	paths, err := filepath.Glob(filepath.Join(root, pkg, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Go files in %s: %v", pkg, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = file
	}
	return files
}

// lateConstants has tables that are large and seldom needed: sync.OnceValue makes them at their first use, and
// is all of sync that it may have.
const lateConstants = "internal/spark/deploy"

func TestCoresArePure(t *testing.T) {
	for _, core := range cores {
		t.Run(strings.ReplaceAll(core, "/", "."), func(t *testing.T) {
			for name, files := range imports(t, core) {
				if why, bad := impure[name]; bad && !(name == "sync" && core == lateConstants) {
					t.Errorf("%v imports %s, but %s", files, name, why)
				}
			}
			for path, file := range parseDir(t, core) {
				ast.Inspect(file, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.GoStmt:
						t.Errorf("%s starts a goroutine, but a core is owned by one", path)
					case *ast.SelectorExpr:
						x, ok := n.X.(*ast.Ident)
						switch {
						case ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name):
							t.Errorf("%s calls time.%s, but time comes in as a value (core.Time)", path, n.Sel.Name)
						case ok && x.Name == "sync" && n.Sel.Name != "OnceValue":
							t.Errorf("%s uses sync.%s: only OnceValue makes a constant", path, n.Sel.Name)
						}
					}
					return true
				})
			}
		})
	}
}

// clock are the parts of package time that look at the clock or wait for it.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// mayNot says who must not be able to reach whom, and why.
var mayNot = []struct{ from, to, why string }{
	{"internal/cluster", "internal/node", "a core does not know another daemon's core"},
	{"internal/node", "internal/cluster", "a core does not know another daemon's core"},
	{"internal/cluster", "internal/wire", "a core does not know how it is reached"},
	{"internal/node", "internal/wire", "a core does not know how it is reached"},
	{"internal/agent", "internal/registry", "an agent carries no etcd"},
	{"internal/agent", "internal/master", "shells do not know each other"},
	{"internal/master", "internal/agent", "shells do not know each other"},
	{"scheduler", "internal/registry", "importing the SDK must not pull in a cluster"},
	{"scheduler", "internal/master", "importing the SDK must not pull in a cluster"},
	{"executor", "internal/registry", "importing the SDK must not pull in a cluster"},
	{"executor", "internal/agent", "importing the SDK must not pull in a cluster"},
	{"scheduler/schedulertest", "internal/registry", "a test kit holds the rules of a cluster, and neither etcd nor processes"},
	{"scheduler/schedulertest", "internal/container", "a test kit holds the rules of a cluster, and neither etcd nor processes"},
	{"internal/container/supervisor", "google.golang.org/protobuf/proto", "the supervisor stays small"},
	{"internal/container/supervisor", "net/http", "the supervisor stays small"},
}

func TestCoresHoldNoMessages(t *testing.T) {
	for _, core := range messageless {
		if files := imports(t, core)["google.golang.org/protobuf/proto"]; files != nil {
			t.Errorf("%v import proto, but a core holds plain structs, never messages: clusterpb and its like translate", files)
		}
	}
}

func TestImportsPointDown(t *testing.T) {
	for _, rule := range mayNot {
		out, err := exec.Command("go", "list", "-deps", module+rule.from).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", rule.from, err)
		}
		target := rule.to
		if !strings.Contains(target, ".") && target != "net/http" {
			target = module + target
		}
		if slices.Contains(strings.Fields(string(out)), target) {
			t.Errorf("%s depends on %s, but %s", rule.from, rule.to, rule.why)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for dir, pkg := range packages(t) {
		if pkg.Doc == "" && !strings.HasPrefix(pkg.ImportPath, module+"api") { // generated, or tests only
			t.Errorf("%s has no package comment: what does it own, what does it refuse, where does one begin to read?", dir)
		}
	}
}

// packages lists the packages of the module by directory.
func packages(t *testing.T) map[string]struct{ ImportPath, Doc string } {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Dir", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := make(map[string]struct{ ImportPath, Doc string })
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p struct{ ImportPath, Doc, Dir string }
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		found[p.Dir] = struct{ ImportPath, Doc string }{p.ImportPath, p.Doc}
	}
	return found
}

// hiding are names behind which anything can hide.
var hiding = []string{"util", "utils", "common", "helper", "helpers", "misc", "lib", "types", "structs"}

func TestPackagesAreNamedAfterWhatTheyAre(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains(hiding, d.Name()) {
			t.Errorf("%s: a package that cannot be named after what it is, is not one yet", path)
		}
		if d != nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && path != root {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
