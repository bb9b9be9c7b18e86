package fetch_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/fetch"
)

// BenchmarkBinary fetches a file of 40 MB, as large as an executor in Go, from a server on loopback.
func BenchmarkBinary(b *testing.B) {
	content := make([]byte, 40_000_000)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	site := serve(b, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
	for _, cached := range []bool{false, true} {
		b.Run(fmt.Sprintf("cached=%v", cached), func(b *testing.B) {
			f := newFetcher(b, fetch.Config{CacheDir: b.TempDir()})
			box := b.TempDir()
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				err := f.Fetch(b.Context(), fetch.Request{
					Sandbox: box, URIs: []fetch.URI{{Value: site + "/x", Cache: cached, Executable: true}},
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTree unpacks 5,000 files of 4 kB in 500 directories.
func BenchmarkTree(b *testing.B) {
	var entries []entry
	for i := range 5000 {
		entries = append(entries, file(fmt.Sprintf("some/dir/of/a/tree/%d/%d", i%500, i), strings.Repeat(fmt.Sprint(i), 1000)))
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(tarOf(b, entries...))
	w.Close()
	local := filepath.Join(b.TempDir(), "tree.tar.gz")
	if err := os.WriteFile(local, packed.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	f := newFetcher(b, fetch.Config{})
	for b.Loop() {
		err := f.Fetch(b.Context(), fetch.Request{
			Sandbox: b.TempDir(), URIs: []fetch.URI{{Value: local, Extract: true, Cache: true}},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
