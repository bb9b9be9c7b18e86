package agent

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTestFiles makes a work directory with one sandbox and serves it.
func openTestFiles(t *testing.T) (base string, get func(endpoint, path, more string) (int, string, http.Header)) {
	work := t.TempDir()
	run := filepath.Join(work, "slaves/a1/frameworks/f1/executors/e1/runs/c1")
	if err := os.MkdirAll(run, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		filepath.Join(run, "stdout"):  "out\n",
		filepath.Join(work, "secret"): "secret",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		filepath.Join(run, "out"):                  filepath.Join(work, "secret"),
		filepath.Join(filepath.Dir(run), "latest"): "c1",
		filepath.Join(run, "up"):                   "../../../../../../../secret",
		filepath.Join(run, "near"):                 "stdout",
	} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	f, err := openFiles(work)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	f.routes(func(path string, h http.HandlerFunc) { mux.HandleFunc(path, h) })
	server := httptest.NewServer(mux)
	t.Cleanup(func() { server.Close(); f.close() })
	return run, func(endpoint, path, more string) (int, string, http.Header) {
		t.Helper()
		answer, err := server.Client().Get(server.URL + "/files/" + endpoint + "?path=" + url.QueryEscape(path) + more)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body), answer.Header
	}
}

func TestFilesAreReadInPieces(t *testing.T) {
	run, get := openTestFiles(t)
	for _, c := range []struct{ path, more, want string }{
		{run + "/stdout", "&offset=0&length=100", `{"data":"out\n","offset":0}`},
		{run + "/stdout", "&offset=1&length=2", `{"data":"ut","offset":1}`},
		{run + "/stdout", "&offset=-1", `{"data":"","offset":4}`},
		{run + "/stdout", "&offset=100000", `{"data":"","offset":100000}`},
		{run + "/near", "&offset=0", `{"data":"out\n","offset":0}`},
		{filepath.Dir(run) + "/latest/stdout", "&offset=0", `{"data":"out\n","offset":0}`},
	} {
		if status, body, header := get("read", c.path, c.more); status != 200 || body != c.want || header.Get("Content-Type") != "application/json" {
			t.Errorf("%s%s: %d %s, expected %s", c.path, c.more, status, body, c.want)
		}
	}
	if status, body, header := get("download.json", run+"/stdout", ""); status != 200 || body != "out\n" ||
		header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
		t.Errorf("download: %d %q %v", status, body, header)
	}
}

func TestDirectoriesAreListed(t *testing.T) {
	run, get := openTestFiles(t)
	status, body, _ := get("browse", run, "")
	var entries []entry
	if err := json.Unmarshal([]byte(body), &entries); err != nil || status != 200 {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	last := entries[2]
	if len(entries) != 4 || last.Path != run+"/stdout" || last.Mode != "-rw-r--r--" || last.Size != 4 || last.Nlink != 1 || last.UID == "" {
		t.Errorf("entries: %+v", entries)
	}
}

func TestNothingOutsideTheSandboxesIsShown(t *testing.T) {
	run, get := openTestFiles(t)
	work := strings.TrimSuffix(run, "/slaves/a1/frameworks/f1/executors/e1/runs/c1")
	for _, path := range []string{
		work + "/secret", run + "/out", run + "/up", run + "/../../../../../../../../secret", "/etc/passwd", "/nope", work, work + "/slaves-not",
		"slaves", run + "/stdout/x",
	} {
		for _, endpoint := range []string{"read", "browse", "download"} {
			if status, body, _ := get(endpoint, path, "&offset=0"); status != http.StatusNotFound || body != "" {
				t.Errorf("%s %s: %d %q", endpoint, path, status, body)
			}
		}
	}
	for _, c := range []struct{ endpoint, more, want string }{
		{"browse", "", "Expecting 'path=value' in query.\n"},
		{"read", "&offset=x", "Failed to parse offset: expected a number of at least -1, got 'x'.\n"},
		{"read", "&offset=-2", "Failed to parse offset: expected a number of at least -1, got '-2'.\n"},
	} {
		if status, body, _ := get(c.endpoint, "", c.more); status != http.StatusBadRequest || body != c.want {
			t.Errorf("%s without a path%s: %d %q", c.endpoint, c.more, status, body)
		}
	}
	if status, _, _ := get("read", run, "&offset=0"); status != http.StatusBadRequest {
		t.Errorf("read of a directory: %d", status)
	}
}

// A reader counts the bytes that it got to know where to go on, while JSON has no place for half a character.
func TestPiecesOfTextEndBetweenCharacters(t *testing.T) {
	run, get := openTestFiles(t)
	text := "aä€𝄞" + strings.Repeat("ä€", 10) + "end"
	read := func(offset, length int) string {
		t.Helper()
		_, body, _ := get("read", run+"/text", fmt.Sprintf("&offset=%d&length=%d", offset, length))
		var piece struct{ Data string }
		if err := json.Unmarshal([]byte(body), &piece); err != nil {
			t.Fatal(err)
		}
		return piece.Data
	}
	for length := 4; length < 12; length++ {
		got := ""
		for written := 1; written <= len(text); written++ { // somebody writes while it is read
			if err := os.WriteFile(run+"/text", []byte(text[:written]), 0o644); err != nil {
				t.Fatal(err)
			}
			got += read(len(got), length)
		}
		if got != text {
			t.Errorf("in pieces of %d bytes: %q, expected %q", length, got, text)
		}
	}
	if got := read(len("aä€"), 1); got == "" {
		t.Error("a piece too small for a character is empty: a reader would take that for the end")
	}
}

// What was given back to the disk at the beginning of an output is passed over, and the offsets of the rest stay.
func TestHeadOfAnOutputThatIsGoneIsPassedOver(t *testing.T) {
	run, get := openTestFiles(t)
	text := strings.Repeat("x", 8192) + "end"
	for _, name := range []string{"stdout", "other"} {
		if err := os.WriteFile(filepath.Join(run, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(filepath.Join(run, name), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 8192); err != nil {
			t.Skipf("the file system has no holes: %v", err)
		}
	}
	for _, c := range []struct{ name, more, want string }{
		{"stdout", "&offset=0", `{"data":"end","offset":8192}`},
		{"stdout", "&offset=8191&length=2", `{"data":"en","offset":8192}`},
		{"stdout", "&offset=8193", `{"data":"nd","offset":8193}`},
		{"stdout", "&offset=-1", `{"data":"","offset":8195}`},
		{"other", "&offset=0&length=1", `{"data":"\u0000","offset":0}`},
	} {
		if _, body, _ := get("read", run+"/"+c.name, c.more); body != c.want {
			t.Errorf("%s%s: %s, expected %s", c.name, c.more, body, c.want)
		}
	}
	status, body, header := get("download", run+"/stdout", "")
	if status != 200 || body != "end" || header.Get("Meseta-Gone") != "8192" {
		t.Errorf("download: %d %q, %s gone", status, body, header.Get("Meseta-Gone"))
	}
}
