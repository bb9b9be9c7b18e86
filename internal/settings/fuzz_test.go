package settings_test

import (
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/settings"
)

// FuzzResolve reads any file beside any variable: each is taken or refused with its place.
func FuzzResolve(f *testing.F) {
	f.Add("work_dir = /data\nport=1\n", "5050")
	f.Add("# comment\n\nport = x\nnonsense\n= 1", "")
	f.Fuzz(func(t *testing.T, file, port string) {
		set, _, _ := flags(t)
		_, err := settings.Resolve(set, settings.Sources{
			Lookup: lookup(map[string]string{"MESOS_PORT": port}), File: strings.NewReader(file), FileName: "conf"})
		if err != nil && !strings.Contains(err.Error(), "conf: ") && !strings.Contains(err.Error(), "MESOS_PORT: ") {
			t.Errorf("the error names no place: %v", err)
		}
	})
}
