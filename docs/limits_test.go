package docs_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/node"
)

// wholly are the files in which everything that is constant is a limit.
var wholly = map[string]string{
	"internal/cluster":  "bounds.go",
	"internal/detached": "bounds.go",
	"internal/wire":     "server.go",
}

// TestLimitsAreThoseOfTheCode holds the tables of limits.md against the constants that they name.
func TestLimitsAreThoseOfTheCode(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| ([^|]*) \\| ([^|]*) \\| [^|]* \\| `([^`]+)` `([^`]+)` \\|$")
	named := make(map[string]bool)
	packages := make(map[string]*constants)
	for _, m := range row.FindAllStringSubmatch(page(t, "docs/limits.md"), -1) {
		what, limit, pkg, name := m[1], m[2], m[3], m[4]
		named[pkg+" "+name] = true
		if packages[pkg] == nil {
			packages[pkg] = readConstants(t, pkg)
		}
		got, err := packages[pkg].value(name)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if want, err := readLimit(limit); err != nil || want != got {
			t.Errorf("%s: limits.md says %s, which is %d (%v); %s.%s is %d", what, limit, want, err, pkg, name, got)
		}
	}
	if len(named) < 40 {
		t.Errorf("only %d limits were found in limits.md: are its tables as they should be?", len(named))
	}
	for pkg, file := range wholly {
		for _, name := range packages[pkg].inFile[file] {
			if !named[pkg+" "+name] {
				t.Errorf("%s in %s/%s is not in limits.md", name, pkg, file)
			}
		}
	}
}

// readLimit reads "64 MiB", "1,024 bytes", "30 min" or "10,000": bytes, nanoseconds, or a number.
func readLimit(text string) (n int64, err error) {
	digits, unit, _ := strings.Cut(text, " ")
	if _, err := fmt.Sscan(strings.ReplaceAll(digits, ",", ""), &n); err != nil {
		return 0, err
	}
	units := map[string]int64{"": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
		"s": int64(time.Second), "min": int64(time.Minute), "d": 24 * int64(time.Hour)}
	if units[unit] == 0 {
		return 0, fmt.Errorf("unit %q is none of those that are known", unit)
	}
	return n * units[unit], nil
}

// constants are those that a package declares, as expressions.
type constants struct {
	all    map[string]ast.Expr
	inFile map[string][]string
}

func readConstants(t *testing.T, pkg string) *constants {
	t.Helper()
	c := &constants{all: make(map[string]ast.Expr), inFile: make(map[string][]string)}
	paths, err := filepath.Glob(filepath.Join(root, pkg, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Go files in %s: %v", pkg, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.CONST {
				c.add(filepath.Base(path), d)
			}
		}
	}
	return c
}

func (c *constants) add(file string, d *ast.GenDecl) {
	for _, s := range d.Specs {
		s := s.(*ast.ValueSpec)
		for i, name := range s.Names {
			if i < len(s.Values) {
				c.all[name.Name] = s.Values[i]
				c.inFile[file] = append(c.inFile[file], name.Name)
			}
		}
	}
}

// value is what a constant is worth; a time is worth its nanoseconds.
func (c *constants) value(name string) (int64, error) {
	e, ok := c.all[name]
	if !ok {
		return 0, fmt.Errorf("there is no constant %s", name)
	}
	v, err := c.evaluate(e)
	if err != nil {
		return 0, fmt.Errorf("constant %s: %w", name, err)
	}
	n, exact := constant.Int64Val(constant.ToInt(v))
	if !exact {
		return 0, fmt.Errorf("constant %s is %s, expected a whole number", name, v)
	}
	return n, nil
}

var durations = map[string]time.Duration{"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}

func (c *constants) evaluate(e ast.Expr) (constant.Value, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0), nil
	case *ast.ParenExpr:
		return c.evaluate(e.X)
	case *ast.Ident:
		if other, ok := c.all[e.Name]; ok {
			return c.evaluate(other)
		}
	case *ast.SelectorExpr:
		if d, ok := durations[e.Sel.Name]; ok {
			return constant.MakeInt64(int64(d)), nil
		}
	case *ast.BinaryExpr:
		x, err := c.evaluate(e.X)
		if err != nil {
			return nil, err
		}
		y, err := c.evaluate(e.Y)
		if err != nil {
			return nil, err
		}
		if e.Op == token.SHL {
			n, _ := constant.Uint64Val(y)
			return constant.Shift(x, token.SHL, uint(n)), nil
		}
		return constant.BinaryOp(x, e.Op, y), nil
	}
	return nil, fmt.Errorf("%T is not understood", e)
}

// TestSubscriptionsFitIntoTheirMessage does the arithmetic: whatever may live on an agent, with its history and the
// machine itself, can be described to a master in one message.
func TestSubscriptionsFitIntoTheirMessage(t *testing.T) {
	record, err := readConstants(t, "internal/master").value("maxAgentRecord")
	if err != nil {
		t.Fatal(err)
	}
	machine, err := readConstants(t, "internal/cluster").value("maxAgentInfo")
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(node.Config{}.MaxSubscribe()) + machine; most > record {
		t.Errorf("a subscription may have %d bytes, its message at most %d", most, record)
	}
}
