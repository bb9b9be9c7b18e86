package fetch_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/fetch"
)

// entry is one entry of an archive to be made; the kind is tar's.
type entry struct {
	name    string
	kind    byte // zero is a file
	content string
	link    string
	mode    int64 // zero is 0644
}

func file(name, content string) entry { return entry{name: name, content: content} }
func dir(name string) entry           { return entry{name: name, kind: tar.TypeDir, mode: 0o755} }
func symlink(name, to string) entry   { return entry{name: name, kind: tar.TypeSymlink, link: to} }
func hardlink(name, to string) entry  { return entry{name: name, kind: tar.TypeLink, link: to} }
func (e entry) withMode(mode int64) entry {
	e.mode = mode
	return e
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Mode: e.mode, Size: int64(len(e.content))}
		if e.kind == 0 {
			header.Typeflag = tar.TypeReg
		}
		if e.mode == 0 {
			header.Mode = 0o644
		}
		if e.kind == tar.TypeXGlobalHeader {
			header = &tar.Header{Typeflag: e.kind, PAXRecords: map[string]string{"comment": e.name}}
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		mode := fs.FileMode(e.mode)
		content := e.content
		switch e.kind {
		case tar.TypeDir:
			mode |= fs.ModeDir
		case tar.TypeSymlink:
			mode, content = 0o777|fs.ModeSymlink, e.link
		case tar.TypeFifo:
			mode |= fs.ModeNamedPipe
		default:
			mode |= 0o644
		}
		header.SetMode(mode)
		entry, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(entry, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpack fetches data under the name, from a local file, into a sandbox of its own.
func unpack(t testing.TB, cfg fetch.Config, name string, data []byte) (box string, err error) {
	t.Helper()
	parent := t.TempDir()
	archive := filepath.Join(parent, name)
	box = filepath.Join(parent, "box")
	if err := os.WriteFile(archive, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(box, 0o700); err != nil {
		t.Fatal(err)
	}
	// With Cache the archive itself stays out of the sandbox.
	uri := fetch.URI{Value: archive, Extract: true, Cache: true}
	return box, newFetcher(t, cfg).Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{uri}})
}

func TestArchivesAreUnpacked(t *testing.T) {
	whole := map[string]string{
		"hello.txt":  "644 hello\n",
		"dir/":       "",
		"dir/run.sh": "755 #!/bin/sh\necho run\n",
		"link":       "-> hello.txt",
	}
	for _, c := range []struct {
		made, name string // the file in testdata, the name to fetch it under
		want       map[string]string
	}{
		{"tree.tar", "tree.tar", whole},
		{"tree.tar.bz2", "tree.tar.bz2", whole},
		{"tree.tar.bz2", "tree.tbz2", whole},
		{"tree.tar.xz", "tree.tar.xz", whole},
		{"tree.tar.xz", "tree.txz", whole},
		{"blocks.tar.xz", "blocks.tar.xz", whole},
		{"tree.zip", "tree.zip", whole},
		{"hello.txt.gz", "hello.txt.gz", map[string]string{"hello.txt": "644 hello\n"}},
		{"tree.zip", "tree.ZIP", nil},
		{"tree.zip", "tree.jar", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", c.made))
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil { // not known as an archive
				c.want = map[string]string{c.name: "644 " + string(data)}
			}
			box, err := unpack(t, fetch.Config{}, c.name, data)
			if err != nil {
				t.Fatal(err)
			}
			wantTree(t, box, c.want)
			if info, err := os.Stat(filepath.Join(box, "dir/run.sh")); err == nil {
				if want := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC); !info.ModTime().Equal(want) {
					t.Errorf("dir/run.sh was modified at %v, want the archive's %v", info.ModTime().UTC(), want)
				}
			}
		})
	}
}

func TestGzippedTarIsUnpacked(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(tarOf(t, file("a", "1")))
	w.Close()
	for _, name := range []string{"x.tgz", "x.tar.gz"} {
		box, err := unpack(t, fetch.Config{}, name, packed.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		wantTree(t, box, map[string]string{"a": "644 1"})
	}
}

func TestArchiveStaysUnlessItIsCached(t *testing.T) {
	data := string(tarOf(t, file("a", "1")))
	site := static(t, map[string]string{"/x.tar": data})
	for _, c := range []struct {
		name string
		uri  fetch.URI
		want map[string]string
	}{
		{"plain", fetch.URI{Extract: true}, map[string]string{"a": "644 1", "x.tar": "644 " + data}},
		{"cached", fetch.URI{Extract: true, Cache: true}, map[string]string{"a": "644 1"}},
		{"not to be extracted", fetch.URI{}, map[string]string{"x.tar": "644 " + data}},
		{"executable goes before extract", fetch.URI{Extract: true, Executable: true}, map[string]string{"x.tar": "755 " + data}},
		{"output file says that it is no archive", fetch.URI{Extract: true, OutputFile: "x"}, map[string]string{"x": "644 " + data}},
		{"output file in a directory", fetch.URI{Extract: true, OutputFile: "d/y.tar"},
			map[string]string{"a": "644 1", "d/": "", "d/y.tar": "644 " + data}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.uri.Value = site + "/x.tar"
			box := t.TempDir()
			f := newFetcher(t, fetch.Config{CacheDir: t.TempDir()})
			if err := f.Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{c.uri}}); err != nil {
				t.Fatal(err)
			}
			wantTree(t, box, c.want)
		})
	}
}

func TestEntriesOfAllKindsAreMade(t *testing.T) {
	box, err := unpack(t, fetch.Config{}, "x.tar", tarOf(t,
		file("./deep/er/file", "made without its directory"),
		dir("./"),
		file("twice", "first"), file("twice", "second"),
		dir("d").withMode(0o500), file("d/in a read-only directory", "x"),
		file("setuid", "x").withMode(0o4755),
		dir("lib"), symlink("lib64", "lib"), file("lib64/through.so", "inside"),
		dir("lib64"),
		hardlink("hard", "setuid"), hardlink("hard", "twice"),
		symlink("absolute", "/usr/bin/python3"), symlink("up", "../../elsewhere"),
		symlink("replaced", "/etc/passwd"), file("replaced", "a file again"),
		entry{name: "pax", kind: tar.TypeXGlobalHeader},
	))
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, box, map[string]string{
		"deep/": "", "deep/er/": "", "deep/er/file": "644 made without its directory",
		"twice": "644 second", "hard": "644 second",
		"d/": "", "d/in a read-only directory": "644 x",
		"setuid": "755 x",
		"lib/":   "", "lib/through.so": "644 inside", "lib64": "-> lib",
		"absolute": "-> /usr/bin/python3", "up": "-> ../../elsewhere",
		"replaced": "644 a file again",
	})
	if info, err := os.Stat(filepath.Join(box, "d")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("d has mode %v (%v), want one that its owner can clean up, 0700", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Join(box, "setuid")); err != nil || info.Mode()&fs.ModeSetuid != 0 {
		t.Errorf("setuid has mode %v (%v), want no setuid bit", info.Mode(), err)
	}
}

func TestArchiveCannotLeaveTheSandbox(t *testing.T) {
	tricks := map[string]struct {
		entries []entry
		want    string
	}{
		"dot-dot":                     {[]entry{file("../evil", "x")}, `"../evil" leads out`},
		"dot-dot inside":              {[]entry{file("a/../../evil", "x")}, "leads out"},
		"dot-dot that stays":          {[]entry{file("a/../evil", "x")}, "leads out"},
		"dot-dot directory":           {[]entry{dir("../evil/")}, "leads out"},
		"dot-dot link":                {[]entry{symlink("../evil", "x")}, "leads out"},
		"absolute":                    {[]entry{file("/evil", "x")}, "absolute path"},
		"absolute directory":          {[]entry{dir("/evil")}, "absolute path"},
		"through a link up":           {[]entry{symlink("up", ".."), file("up/evil", "x")}, "escapes"},
		"through an absolute link":    {[]entry{symlink("tmp", "/tmp"), file("tmp/evil", "x")}, "escapes"},
		"through two links":           {[]entry{symlink("a", "b"), symlink("b", ".."), file("a/evil", "x")}, "escapes"},
		"directory through a link":    {[]entry{symlink("up", ".."), dir("up/evil")}, "escapes"},
		"link through a link":         {[]entry{symlink("up", ".."), symlink("up/evil", "x")}, "escapes"},
		"link chain made by halves":   {[]entry{dir("d"), symlink("d/up", "../.."), file("d/up/evil", "x")}, "escapes"},
		"loop of links":               {[]entry{symlink("a", "b"), symlink("b", "a"), file("a/x", "x")}, "too many"},
		"directory that is a link up": {[]entry{symlink("up", ".."), dir("up")}, "file exists"},
	}
	onlyTar := map[string]struct {
		entries []entry
		want    string
	}{
		"hard link up":             {[]entry{hardlink("evil", "../x.tar")}, "leads out"},
		"absolute hard link":       {[]entry{hardlink("evil", "/etc/passwd")}, "absolute path"},
		"hard link through a link": {[]entry{symlink("up", ".."), hardlink("evil", "up/x.tar")}, "escapes"},
		"device":                   {[]entry{{name: "null", kind: tar.TypeChar}}, "neither file, directory nor link"},
		"pipe":                     {[]entry{{name: "pipe", kind: tar.TypeFifo}}, "neither file, directory nor link"},
		"empty link":               {[]entry{symlink("x", "")}, "0 bytes"},
		"file on a directory":      {[]entry{file("d/x", ""), file("d", "x")}, "not empty"},
	}
	try := func(name, archive string, data []byte, want string) {
		t.Run(archive+" "+name, func(t *testing.T) {
			box, err := unpack(t, fetch.Config{}, archive, data)
			wantError(t, err, archive, want)
			siblings, _ := os.ReadDir(filepath.Dir(box))
			if len(siblings) != 2 { // the archive and the sandbox
				t.Errorf("beside the sandbox there are now %v", siblings)
			}
			if _, err := os.Lstat("/tmp/evil"); err == nil {
				t.Error("/tmp/evil was written")
			}
		})
	}
	for name, trick := range tricks {
		try(name, "x.tar", tarOf(t, trick.entries...), trick.want)
		try(name, "x.zip", zipOf(t, trick.entries...), trick.want)
	}
	for name, trick := range onlyTar {
		try(name, "x.tar", tarOf(t, trick.entries...), trick.want)
	}
	try("pipe", "x.zip", zipOf(t, entry{name: "pipe", kind: tar.TypeFifo}), "neither file, directory nor link")
}

func TestLinkInTheSandboxDoesNotLeadAFileOut(t *testing.T) {
	site := static(t, map[string]string{"/x": "x"})
	parent := t.TempDir()
	box := filepath.Join(parent, "box")
	if err := os.Mkdir(box, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, link := range []struct{ name, to string }{{"up", ".."}, {"file", "../target"}} {
		if err := os.Symlink(link.to, filepath.Join(box, link.name)); err != nil {
			t.Fatal(err)
		}
	}
	f := newFetcher(t, fetch.Config{})
	err := f.Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{{Value: site + "/x", OutputFile: "up/evil"}}})
	wantError(t, err, "escapes")
	err = f.Fetch(t.Context(), fetch.Request{Sandbox: box, URIs: []fetch.URI{{Value: site + "/x", OutputFile: "file"}}})
	if err != nil {
		t.Errorf("a link in place of a file: %v, want it replaced", err)
	}
	wantTree(t, parent, map[string]string{"box/": "", "box/up": "-> ..", "box/file": "644 x"})
}

func TestBombsAreStopped(t *testing.T) {
	gz := func(data []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(data)
		w.Close()
		return b.Bytes()
	}
	zeros := strings.Repeat("\x00", 1<<20)
	var many []entry
	for i := range 101 {
		many = append(many, file(fmt.Sprint(i), ""))
	}
	var headers []entry
	for range 200 {
		headers = append(headers, entry{name: "g", kind: tar.TypeXGlobalHeader})
	}
	small := fetch.Config{MaxUnpacked: 1 << 18, MaxEntries: 100}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"big.gz", gz([]byte(zeros)), "more than the limit of 262144 bytes"},
		{"big.tar", tarOf(t, file("a", zeros)), "more than the limit of 262144 bytes"},
		{"big.tgz", gz(tarOf(t, file("a", zeros))), "more than the limit of 262144 bytes"},
		{"big.zip", zipOf(t, file("a", zeros)), "more than the limit of 262144 bytes"},
		{"sum.zip", zipOf(t, file("a", zeros[:1<<17]), file("b", zeros[:1<<17]), file("c", "x")), "more than the limit of 262144 bytes"},
		{"many.tar", tarOf(t, many...), "more than the limit of 100 entries"},
		{"many.zip", zipOf(t, many...), "more than the limit of 100 entries"},
		{"headers.tar", tarOf(t, headers...), "more than the limit of"},
		{"deep.tar", tarOf(t, file(strings.Repeat("a/", 300)+"x", "")), "directories deep"},
		{"long.tar", tarOf(t, file(strings.Repeat("a", 5000), "")), "is no file name"},
		{"link.tar", tarOf(t, symlink("x", strings.Repeat("a", 5000))), "5000 bytes"},
		{"link.zip", zipOf(t, symlink("x", strings.Repeat("a", 5000))), "4096 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			box, err := unpack(t, small, c.name, c.data)
			wantError(t, err, c.name, c.want)
			var written int64
			filepath.WalkDir(box, func(path string, d fs.DirEntry, err error) error {
				if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
					written += info.Size()
				}
				return nil
			})
			if written > small.MaxUnpacked {
				t.Errorf("%d bytes were written, the limit is %d", written, small.MaxUnpacked)
			}
		})
	}
}

func TestDamagedArchiveIsAnError(t *testing.T) {
	for _, made := range []string{"tree.tar.bz2", "tree.tar.xz", "tree.zip", "hello.txt.gz", "tree.tar"} {
		data, err := os.ReadFile(filepath.Join("testdata", made))
		if err != nil {
			t.Fatal(err)
		}
		cut := data[:min(len(data)*2/3, 300)]
		_, err = unpack(t, fetch.Config{}, made, cut)
		wantError(t, err, made, "unpack as")
		_, err = unpack(t, fetch.Config{}, made, []byte("this is something else entirely, and long enough to be read as a header"))
		wantError(t, err, made, "unpack as")
	}
}

// FuzzUnpack looks for archives that write outside the sandbox, or that break the unpacker.
func FuzzUnpack(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/*.*")
	for _, seed := range seeds {
		data, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(filepath.Base(seed), data)
	}
	f.Add("x.tar", tarOf(f, symlink("up", ".."), file("up/evil", "x"), hardlink("a", "up")))
	f.Add("x.zip", zipOf(f, symlink("up", "/tmp"), file("up/evil", "x"), dir("../d")))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		for _, suffix := range []string{".tar", ".tgz", ".tbz2", ".txz", ".zip", ".gz"} {
			if strings.HasSuffix(name, suffix) {
				checkInside(t, "x"+suffix, data)
			}
		}
	})
}

func checkInside(t *testing.T, name string, data []byte) {
	box, _ := unpack(t, fetch.Config{MaxUnpacked: 1 << 20, MaxEntries: 200}, name, data)
	siblings, err := os.ReadDir(filepath.Dir(box))
	if err != nil || len(siblings) != 2 {
		t.Fatalf("beside the sandbox there are now %v (%v)", siblings, err)
	}
	if info, err := os.Stat(filepath.Join(filepath.Dir(box), name)); err != nil || info.Size() != int64(len(data)) {
		t.Fatalf("the file beside the sandbox was changed: %v, %v", info, err)
	}
}
