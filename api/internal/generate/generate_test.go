package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGeneratedCodeIsCurrent(t *testing.T) {
	if err := run(t.Context(), "../..", true); err != nil {
		t.Error(err)
	}
}

func TestCheckNamesStaleAndOrphanedFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/a.proto", `syntax = "proto3"; package a; option go_package = "example.org/a;a"; message A { string name = 1; }`)
	write(t, dir, "a/gone.pb.go", "package a")

	err := run(t.Context(), dir, true)
	for _, name := range []string{"a/a.pb.go", "a/gone.pb.go"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("check says %v, want it to name %s", err, name)
		}
	}

	if err := run(t.Context(), dir, false); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), dir, true); err != nil {
		t.Errorf("after generating: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a/gone.pb.go")); !os.IsNotExist(err) {
		t.Errorf("gone.pb.go is still there (%v), though nothing generates it", err)
	}
}

func TestCommentOfThePackageStatementBecomesPackageDoc(t *testing.T) {
	dir := t.TempDir()
	const statement = `package a; option go_package = "example.org/a;a";`
	write(t, dir, "doc.proto", "// File.\nsyntax = \"proto3\";\n// Package a is documented.\n"+statement)
	write(t, dir, "more.proto", "syntax = \"proto3\";\n// Not the package.\n"+statement)

	files, err := generate(t.Context(), dir, []string{"doc.proto", "more.proto"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"doc.pb.go": "Package a is documented.\n", "more.pb.go": ""} {
		file, err := parser.ParseFile(token.NewFileSet(), name, files[name], parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if doc := file.Doc.Text(); doc != want {
			t.Errorf("%s: package comment %q, want %q", name, doc, want)
		}
	}
}

func TestBrokenProtoIsReportedWithItsPlace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.proto", "syntax = \"proto3\";\nmessage A { string name = 0; }")

	err := run(t.Context(), dir, false)
	if err == nil || !strings.Contains(err.Error(), "a.proto:2:") {
		t.Errorf("got %v, want an error at a.proto:2", err)
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
