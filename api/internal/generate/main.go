// Generate turns every .proto file under api into Go, without protoc.
//
// The .proto files are compiled by protocompile, a pure-Go compiler, and handed to the code generator
// that stands behind protoc-gen-go. go.mod pins both, so everyone who generates gets the same bytes and
// needs nothing but Go. Each x.proto gets its x.pb.go beside it; a .pb.go whose .proto is gone is removed.
//
// Run it from the module's root:
//
//	go run ./api/internal/generate          # write what changed
//	go run ./api/internal/generate -check   # change nothing; exit 1 and name the stale files
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	dir := flag.String("dir", "api", "directory that holds the .proto files; imports are relative to it")
	check := flag.Bool("check", false, "change nothing; exit 1 and name the files that are not current")
	flag.Parse()

	if err := run(context.Background(), *dir, *check); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, check bool) error {
	stale, err := plan(ctx, dir)
	if err != nil {
		return err
	}
	if check {
		if len(stale) == 0 {
			return nil
		}
		names := slices.Sorted(maps.Keys(stale))
		return fmt.Errorf("not current, run `make generate`:\n\t%s", strings.Join(names, "\n\t"))
	}
	return apply(stale)
}

// plan returns the files that differ from what the .proto files in dir say, by path, with the content
// they should have. No content means that the file should not exist.
func plan(ctx context.Context, dir string) (map[string][]byte, error) {
	protos, err := find(dir, ".proto")
	if err != nil {
		return nil, err
	}
	if len(protos) == 0 {
		return nil, fmt.Errorf("no .proto file in %q", dir)
	}
	generated, err := generate(ctx, dir, protos)
	if err != nil {
		return nil, err
	}
	present, err := find(dir, ".pb.go")
	if err != nil {
		return nil, err
	}

	stale := make(map[string][]byte)
	for name, want := range generated {
		path := filepath.Join(dir, filepath.FromSlash(name))
		have, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(have, want):
			stale[path] = want
		case err != nil:
			return nil, err
		}
	}
	for _, name := range present {
		if _, ok := generated[name]; !ok {
			stale[filepath.Join(dir, filepath.FromSlash(name))] = nil
		}
	}
	return stale, nil
}

func apply(stale map[string][]byte) error {
	for path, content := range stale {
		var err error
		if content == nil {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, content, 0o644)
		}
		if err != nil {
			return err
		}
		fmt.Println(path)
	}
	return nil
}

// find returns the files below dir that end in suffix, sorted, as slash-separated paths relative to dir.
func find(dir, suffix string) ([]string, error) {
	var found []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, suffix) {
			found = append(found, path)
		}
		return err
	})
	return found, err
}
