package framework

import (
	"bytes"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/scheduler"
)

func TestConfigComplaintsNameTheValue(t *testing.T) {
	good := Config{Masters: []string{"127.0.0.1:5050"}, URLs: []string{"http://host/user"}}
	if cfg, err := good.complete(); err != nil || cfg.Tasks != 5 || cfg.Listen != "127.0.0.1:0" {
		t.Errorf("complete = %+v, %v; want 5 tasks, 127.0.0.1:0 and no error", cfg, err)
	}
	for want, spoil := range map[string]func(*Config){
		"no master":                   func(c *Config) { c.Masters = nil },
		"no URL":                      func(c *Config) { c.URLs = nil },
		`URL "host/user"`:             func(c *Config) { c.URLs = append(c.URLs, "host/user") },
		`URL "ftp://host/"`:           func(c *Config) { c.URLs = []string{"ftp://host/"} },
		"-1 tasks":                    func(c *Config) { c.Tasks = -1 },
		"missing port":                func(c *Config) { c.Listen = "127.0.0.1" },
		`"0.0.0.0:1"`:                 func(c *Config) { c.Listen = "0.0.0.0:1" },
		`listen at ":1", expected`:    func(c *Config) { c.Listen = ":1" },
		`listen at "[::]:", expected`: func(c *Config) { c.Listen = "[::]:" },
	} {
		bad := good
		spoil(&bad)
		if _, err := bad.complete(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("complete = %v, want a complaint that says %q", err, want)
		}
	}
}

func TestEnvironmentIsRead(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want Config
		err  string
	}{
		{nil, Config{}, ""},
		{map[string]string{"MESOS_CHECKPOINT": "1"}, Config{Checkpoint: true}, ""},
		{map[string]string{"MESOS_CHECKPOINT": ""}, Config{Checkpoint: true}, ""},
		{map[string]string{"MESOS_CHECKPOINT": "0"}, Config{}, ""},
		{map[string]string{"DEFAULT_PRINCIPAL": "p", "DEFAULT_SECRET": "s"}, Config{}, ""},
		{map[string]string{"MESOS_AUTHENTICATE": "1", "DEFAULT_PRINCIPAL": "p", "DEFAULT_SECRET": "s"},
			Config{Credential: &scheduler.Credential{Principal: "p", Secret: "s"}}, ""},
		{map[string]string{"MESOS_AUTHENTICATE": "1", "DEFAULT_SECRET": "s"}, Config{}, "DEFAULT_PRINCIPAL"},
		{map[string]string{"MESOS_AUTHENTICATE": "1", "DEFAULT_PRINCIPAL": "p"}, Config{}, "DEFAULT_SECRET"},
	} {
		var got Config
		err := got.ReadEnvironment(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v: error %v, want %q", c.env, err, c.err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.env, diff)
		}
	}
}

func TestFrameworkInfoIsWhatTheSpecificationSays(t *testing.T) {
	info := Config{Checkpoint: true, Credential: &scheduler.Credential{Principal: "p"}}.info()
	if info.GetName() != "Pinspider Framework" || info.GetFailoverTimeout() != 120000 || !info.GetCheckpoint() || info.GetPrincipal() != "p" {
		t.Errorf("info is %v", info)
	}
	if plain := (Config{}).info(); plain.GetCheckpoint() || plain.Principal != nil {
		t.Errorf("info is %v, want no checkpoint and no principal", plain)
	}
}

func TestRunningBinaryIsServed(t *testing.T) {
	server, err := listen(t.Context(), "127.0.0.1:0", self, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { server.run(); close(done) }()
	answer, err := http.Get(server.uri)
	if err != nil {
		t.Fatal(err)
	}
	served := sha256.New()
	size, err := io.Copy(served, answer.Body)
	answer.Body.Close()
	if err != nil || answer.ContentLength != size {
		t.Errorf("read %d of %d bytes: %v", size, answer.ContentLength, err)
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(binary); !bytes.Equal(served.Sum(nil), want[:]) {
		t.Errorf("served %d bytes that are not the %d of this binary", size, len(binary))
	}
	server.close()
	<-done
	http.DefaultClient.CloseIdleConnections()
}

func TestUnreadableBinaryIsAnErrorOfTheServer(t *testing.T) {
	var log bytes.Buffer
	answer := httptest.NewRecorder()
	serveFile(answer, httptest.NewRequest(http.MethodGet, "/", nil), t.TempDir()+"/missing", slog.New(slog.NewTextHandler(&log, nil)))
	if answer.Code != http.StatusInternalServerError || !strings.Contains(log.String(), "missing") {
		t.Errorf("status %d, log %q; want 500 and the name of the file", answer.Code, &log)
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	err := Run(t.Context(), Config{Masters: []string{"127.0.0.1:5050"}}, io.Discard, log)
	if err == nil || err.Error() != "pinspider: no URL to crawl" {
		t.Errorf("Run = %v, want that there is no URL", err)
	}
	err = Run(t.Context(), Config{Masters: []string{"127.0.0.1:5050"}, URLs: []string{"http://h/"}, Listen: "203.0.113.1:1"}, io.Discard, log)
	if err == nil || !strings.Contains(err.Error(), "serve the executors") {
		t.Errorf("Run = %v, want that it cannot listen", err)
	}
}
