package settings_test

import (
	"strings"
	"testing"
)

// FuzzResolve reads any file beside any variable: each is taken or refused with its place.
func FuzzResolve(f *testing.F) {
	f.Add("work_dir = /data\nport=1\n", "5050")
	f.Add("# comment\n\nport = x\nnonsense\n= 1", "")
	f.Add("fetcher_cache_size = 9EB\nagent_ping_timeout=1e9weeks\nno-strict=x", "-1")
	f.Fuzz(func(t *testing.T, file, port string) {
		path := write(t, t.TempDir(), "conf", file)
		_, err := newDaemon().start(nil, []string{"MESOS_PORT=" + port}, path)
		if err != nil && !strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), "MESOS_PORT: ") {
			t.Errorf("the error names no place: %v", err)
		}
	})
}
