package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/meseta/meseta/internal/wire"
)

// maxRead is the most that one read returns, as in Mesos: 16 pages.
const maxRead = 64 << 10

// files lets people read sandboxes: /files/browse, /files/read and /files/download, with paths as they
// stand in the sandbox's own environment. Nothing outside the sandboxes can be named: every path is
// resolved beneath them, links included.
type files struct {
	root *os.Root // of the sandboxes of all agents that lived in this work directory
	base string   // its absolute path, with which paths in requests begin
}

// sandboxRoot is the directory below the work directory that holds every sandbox.
const sandboxRoot = "slaves"

func openFiles(workDir string) (*files, error) {
	base := filepath.Join(workDir, sandboxRoot)
	if err := os.MkdirAll(base, 0o755); err != nil {
		return nil, fmt.Errorf("sandboxes: %w", err)
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, fmt.Errorf("sandboxes: %w", err)
	}
	return &files{root: root, base: base}, nil
}

func (f *files) close() { f.root.Close() }

// routes adds the endpoints, and their older names.
func (f *files) routes(handle func(path string, h http.HandlerFunc)) {
	for name, h := range map[string]http.HandlerFunc{"browse": f.browse, "read": f.read, "download": f.download} {
		handle("/files/"+name, h)
		handle("/files/"+name+".json", h)
	}
}

// open opens what a request names. It has answered if it cannot.
func (f *files) open(w http.ResponseWriter, r *http.Request) (*os.File, string) {
	name := r.FormValue("path")
	if name == "" {
		wire.Answer(w, http.StatusBadRequest, "Expecting 'path=value' in query.\n")
		return nil, ""
	}
	inside, ok := below(f.base, path.Clean(name))
	if !ok {
		inside, ok = f.virtual(path.Clean(name))
	}
	if !ok {
		wire.Answer(w, http.StatusNotFound, "")
		return nil, ""
	}
	file, err := f.root.OpenFile(inside, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		wire.Answer(w, http.StatusNotFound, "")
		return nil, ""
	}
	return file, path.Clean(name)
}

// virtual finds a path that begins at /frameworks, as Mesos serves them (and `meseta logs` asks for them):
// in each agent that lived in this work directory.
func (f *files) virtual(name string) (string, bool) {
	parts := strings.SplitN(name, "/", 6) // "", frameworks, F, executors, E, …
	if len(parts) < 5 || parts[1] != "frameworks" {
		return "", false
	}
	agents, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return "", false
	}
	for _, a := range agents {
		if _, err := f.root.Stat(path.Join(append([]string{a.Name()}, parts[1:5]...)...)); err == nil {
			return path.Join(a.Name(), name), true
		}
	}
	return "", false
}

// below gives the part of a path below the sandboxes.
func below(base, name string) (string, bool) {
	if name == base {
		return ".", true
	}
	return strings.CutPrefix(name, base+"/")
}

// read answers with a piece of a file. Offset -1 asks how long it is. Where the beginning of an output is gone, the
// piece begins with what there is, and its offset says so.
func (f *files) read(w http.ResponseWriter, r *http.Request) {
	offset, err := number(r, "offset", -1)
	if err != nil {
		wire.Answer(w, http.StatusBadRequest, err.Error())
		return
	}
	length, err := number(r, "length", maxRead)
	if err != nil {
		wire.Answer(w, http.StatusBadRequest, err.Error())
		return
	}
	file, _ := f.open(w, r)
	if file == nil {
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		wire.Answer(w, http.StatusBadRequest, "Cannot read from anything but a regular file.\n")
		return
	}
	piece := struct {
		Data   string `json:"data"`
		Offset int64  `json:"offset"`
	}{Offset: offset}
	if offset < 0 {
		piece.Offset = info.Size()
	} else {
		offset = max(offset, min(goneOf(file), info.Size()))
		piece.Offset = offset
		if length < 0 || length > maxRead {
			length = maxRead
		}
		data := make([]byte, length)
		n, err := file.ReadAt(data, offset)
		if err != nil && !errors.Is(err, io.EOF) {
			wire.Answer(w, http.StatusInternalServerError, "Failed to read: "+err.Error())
			return
		}
		piece.Data = string(data[:wholeText(data[:n], n < len(data))])
	}
	answerJSON(w, piece)
}

// goneOf is how much of the beginning of a task's output was given back to the disk. Holes in other files are what
// their writers wanted.
func goneOf(file *os.File) int64 {
	if name := path.Base(file.Name()); name != "stdout" && name != "stderr" {
		return 0
	}
	first, err := file.Seek(0, unix.SEEK_DATA)
	if err != nil {
		return 0 // nothing in it, or a file system that does not tell
	}
	return first
}

// wholeText is how much of a piece to give: all but a character at the end of which only the beginning is there.
// JSON would replace it by another one of another length, and a reader that counts bytes goes on in the wrong
// place. Its rest comes with the next piece; unless there is room for no more than its beginning.
func wholeText(piece []byte, ends bool) int {
	for i := len(piece) - 1; i >= max(0, len(piece)-utf8.UTFMax); i-- {
		if !utf8.RuneStart(piece[i]) {
			continue
		}
		if !utf8.FullRune(piece[i:]) && (i > 0 || ends) {
			return i
		}
		break
	}
	return len(piece)
}

func number(r *http.Request, name string, otherwise int64) (int64, error) {
	text := r.FormValue(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < -1 {
		return 0, fmt.Errorf("Failed to parse %s: expected a number of at least -1, got '%.40s'.\n", name, text)
	}
	return n, nil
}

// entry is one file in an answer of browse.
type entry struct {
	GID   string  `json:"gid"`
	Mode  string  `json:"mode"`
	Mtime float64 `json:"mtime"`
	Nlink uint64  `json:"nlink"`
	Path  string  `json:"path"`
	Size  int64   `json:"size"`
	UID   string  `json:"uid"`
}

// browse lists a directory.
func (f *files) browse(w http.ResponseWriter, r *http.Request) {
	dir, name := f.open(w, r)
	if dir == nil {
		return
	}
	defer dir.Close()
	found, err := dir.ReadDir(-1)
	if err != nil {
		wire.Answer(w, http.StatusNotFound, "")
		return
	}
	slices.SortFunc(found, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	entries := []entry{}
	for _, e := range found {
		if info, err := e.Info(); err == nil {
			entries = append(entries, entryOf(path.Join(name, e.Name()), info))
		}
	}
	answerJSON(w, entries)
}

func entryOf(name string, info fs.FileInfo) entry {
	e := entry{
		Mode:  modeText(info.Mode()),
		Mtime: float64(info.ModTime().Unix()),
		Nlink: 1,
		Path:  name,
		Size:  info.Size(),
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		e.Nlink = uint64(s.Nlink)
		e.UID, e.GID = userName(s.Uid), groupName(s.Gid)
	}
	return e
}

// modeText is what ls(1) shows.
func modeText(m fs.FileMode) string {
	kind := "-"
	switch {
	case m.IsDir():
		kind = "d"
	case m&fs.ModeSymlink != 0:
		kind = "l"
	case m&fs.ModeNamedPipe != 0:
		kind = "p"
	case m&fs.ModeSocket != 0:
		kind = "s"
	case m&fs.ModeCharDevice != 0:
		kind = "c"
	case m&fs.ModeDevice != 0:
		kind = "b"
	}
	return kind + m.Perm().String()[1:]
}

func userName(uid uint32) string {
	if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
		return u.Username
	}
	return strconv.FormatUint(uint64(uid), 10)
}

func groupName(gid uint32) string {
	if g, err := user.LookupGroupId(strconv.FormatUint(uint64(gid), 10)); err == nil {
		return g.Name
	}
	return strconv.FormatUint(uint64(gid), 10)
}

// download answers with a whole file.
func (f *files) download(w http.ResponseWriter, r *http.Request) {
	file, name := f.open(w, r)
	if file == nil {
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		wire.Answer(w, http.StatusBadRequest, "Cannot download a directory.\n")
		return
	}
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.QuoteToASCII(path.Base(name)))
	w.Header().Set("Content-Type", "application/octet-stream")
	if gone := goneOf(file); gone > 0 {
		w.Header().Set("Meseta-Gone", strconv.FormatInt(gone, 10))
		if r.Header.Get("Range") == "" { // whoever names no offset wants what there is
			w.Header().Set("Content-Length", strconv.FormatInt(info.Size()-gone, 10))
			_, _ = io.Copy(w, io.NewSectionReader(file, gone, info.Size()-gone))
			return
		}
	}
	http.ServeContent(w, r, "", info.ModTime(), file)
}

func answerJSON(w http.ResponseWriter, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		wire.Answer(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}
