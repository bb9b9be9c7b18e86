package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWrongUseIsAnErrorThatSaysWhatWasExpected(t *testing.T) {
	for _, c := range []struct {
		args []string
		env  map[string]string
		want string
	}{
		{[]string{"http://host/"}, nil, "no master"},
		{[]string{"--master", "127.0.0.1:5050"}, nil, "no URL to crawl"},
		{[]string{"--master", "127.0.0.1:5050", "--tasks", "-2", "http://host/"}, nil, "-2 tasks"},
		{[]string{"--tusks", "3"}, nil, "tusks"},
		{[]string{"executor", "pins"}, nil, `expected "profile" or "board"`},
		{[]string{"site", "nowhere"}, nil, "sample site"},
		{[]string{"--master", "127.0.0.1:5050", "http://host/"}, map[string]string{"MESOS_AUTHENTICATE": "1"}, "DEFAULT_PRINCIPAL"},
	} {
		for name, value := range c.env {
			t.Setenv(name, value)
		}
		var stderr bytes.Buffer
		err := run(t.Context(), c.args, io.Discard, &stderr)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("pinspider %q: %v, want an error that says %q", c.args, err, c.want)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	var stderr bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, io.Discard, &stderr); err != nil || !strings.Contains(stderr.String(), "usage: pinspider --master") {
		t.Errorf("pinspider --help: %v, %q", err, &stderr)
	}
}

func TestSitePrintsItsPages(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"site", "127.0.0.1:0"}, write, io.Discard) }()
	line := make([]byte, 200)
	n, err := read.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, read)
	answer, err := http.Get(strings.TrimSpace(string(line[:n])))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s: status %d, want 200", line[:n], answer.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	write.Close()
}
