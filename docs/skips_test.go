package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEverySkipIsListed holds the list of skips in testing.md to the code: what may be skipped is named
// there, and what is named there may be skipped. (When tests run, internal/house/testlog lets those fail
// that were skipped and are not named.)
func TestEverySkipIsListed(t *testing.T) {
	_, list, ok := strings.Cut(page(t, "docs/testing.md"), "\n## Skips\n")
	if !ok {
		t.Fatal("docs/testing.md has no section on skips")
	}
	var listed []string
	for _, m := range inCode.FindAllStringSubmatch(list, -1) {
		if strings.HasPrefix(m[1], "Test") {
			listed = append(listed, m[1])
		}
	}
	may := skippable(t)
	for _, name := range may {
		if !slices.Contains(listed, name) {
			t.Errorf("%s may be skipped, and docs/testing.md does not list it", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(may, name) {
			t.Errorf("docs/testing.md says that %s may be skipped, but nothing in it does that", name)
		}
	}
}

// skippable are the tests that call Skip, or a function of their package that does.
func skippable(t *testing.T) (tests []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return err
		case path != root && (d.Name()[0] == '.' || d.Name() == "interop"):
			return fs.SkipDir
		}
		for _, f := range skipping(t, path) {
			if strings.HasPrefix(f, "Test") {
				tests = append(tests, f)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(tests)
	return slices.Compact(tests)
}

// function is what a function of a test does, as far as skipping goes.
type function struct {
	skips bool
	calls map[string]bool // functions of the package
}

// skipping are the functions in a package's tests that may skip.
func skipping(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	decls := make(map[string]*ast.FuncDecl)
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				decls[f.Name.Name] = f
			}
		}
	}
	all := make(map[string]*function)
	for name, d := range decls {
		all[name] = look(d, decls)
	}
	for again := true; again; {
		again = false
		for _, f := range all {
			for callee := range f.calls {
				if !f.skips && all[callee].skips {
					f.skips, again = true, true
				}
			}
		}
	}
	for name, f := range all {
		if f.skips {
			names = append(names, name)
		}
	}
	return names
}

// look finds out what one function does.
func look(d *ast.FuncDecl, decls map[string]*ast.FuncDecl) *function {
	f := &function{calls: make(map[string]bool)}
	testing := testingParams(d.Type)
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit: // a parameter of the same name may be something else, as with rapid
			for name, is := range testingParams(n.Type) {
				testing[name] = is
			}
		case *ast.CallExpr:
			switch callee := n.Fun.(type) {
			case *ast.Ident:
				if to := decls[callee.Name]; to != nil && enough(to.Type, n) {
					f.calls[callee.Name] = true
				}
			case *ast.SelectorExpr:
				x, ok := callee.X.(*ast.Ident)
				if ok && testing[x.Name] && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, callee.Sel.Name) {
					f.skips = true
				}
			}
		}
		return true
	})
	return f
}

// enough says whether a call gives optional parameters, if there are any: without the flags that ask for
// something rare, nothing can be missing on this machine.
func enough(to *ast.FuncType, call *ast.CallExpr) bool {
	n, variadic := 0, false
	for _, p := range to.Params.List {
		n += max(1, len(p.Names))
		_, variadic = p.Type.(*ast.Ellipsis)
	}
	return !variadic || len(call.Args) >= n
}

// testingParams are a function's parameters, and whether they are a *testing.T or the like.
func testingParams(f *ast.FuncType) map[string]bool {
	params := make(map[string]bool)
	for _, p := range f.Params.List {
		of := p.Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		is := false
		if sel, ok := of.(*ast.SelectorExpr); ok {
			pkg, ok := sel.X.(*ast.Ident)
			is = ok && pkg.Name == "testing"
		}
		for _, name := range p.Names {
			params[name.Name] = is
		}
	}
	return params
}
