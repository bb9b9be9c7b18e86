package workerd

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meseta/meseta/internal/spark/conf"
	"github.com/meseta/meseta/internal/spark/deploy"
)

func TestOptionsComeFromFlagsThenEnvironmentThenFiles(t *testing.T) {
	home, _ := sparkHome(t, "")
	confDir := filepath.Join(home, "conf")
	for name, content := range map[string]string{
		"spark-env.sh":        "SPARK_WORKER_CORES=3\nSPARK_WORKER_PORT=$BASE\n",
		"spark-defaults.conf": "# comment\nspark.worker.ui.port 9999\nspark.a = b\nspark.c:d e\nother x\n",
	} {
		if err := os.MkdirAll(confDir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(confDir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "SPARK_HOME=" + home, "BASE=4444", "SPARK_WORKER_OPTS=-Xmx1g -Dspark.a=c '-Dspark.q=x y'", "SPARK_LOCAL_HOSTNAME=here", "SPARK_WORKER_MEMORY=2g"}
	got, err := Options{Port: -1, WebUIPort: -1}.Config(t.Context(), "spark://m1:7077,m2:7078", env)
	if err != nil {
		t.Fatal(err)
	}
	if got.Cores != 3 || got.Port != 4444 || got.WebUIPort != 9999 || got.Memory != 2048 || got.Host != "here" || len(got.Masters) != 2 {
		t.Errorf("configuration is %+v", got)
	}
	if d := cmp.Diff(conf.Properties{"spark.worker.ui.port": "9999", "spark.a": "c", "spark.c": "d e", "spark.q": "x y"}, got.Properties); d != "" {
		t.Errorf("properties (-want +got):\n%s", d)
	}
	got, err = Options{Host: "there", Port: 0, WebUIPort: 1, Cores: 8, Memory: "512m"}.Config(t.Context(), "spark://m1:7077", env)
	if err != nil || got.Cores != 8 || got.Port != 0 || got.WebUIPort != 1 || got.Memory != 512 || got.Host != "there" {
		t.Errorf("configuration is %+v, %v", got, err)
	}
	for _, masters := range []string{"", "m1:7077", "spark://", "spark://m1", "spark://m1:0", "spark://m1:7077/x", "spark://m1:7077,"} {
		if _, err := (Options{}).Config(t.Context(), masters, nil); err == nil {
			t.Errorf("master %q is accepted", masters)
		}
	}
}

func TestCustomResourcesAreFound(t *testing.T) {
	dir := t.TempDir()
	script, file := filepath.Join(dir, "gpus"), filepath.Join(dir, "resources.json")
	for path, content := range map[string]string{
		script: "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"0\", \"1\", \"2\"]}'\n",
		file:   `[{"id": {"componentName": "spark.worker", "resourceName": "fpga"}, "addresses": ["f1"]}]`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := Config{Properties: map[string]string{
		"spark.worker.resource.gpu.amount": "2", "spark.worker.resource.gpu.discoveryScript": script,
		"spark.worker.resourcesFile": file, "spark.worker.resource.fpga.amount": "1",
	}}
	want := map[string]deploy.Resource{"gpu": {Name: "gpu", Addresses: []string{"0", "1"}}, "fpga": {Name: "fpga", Addresses: []string{"f1"}}}
	got, err := c.resources(t.Context())
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("resources (-want +got): %v\n%s", err, d)
	}
	for key, value := range map[string]string{
		"spark.worker.resource.gpu.amount": "4", "spark.worker.resource.tpu.amount": "1",
		"spark.worker.resource.gpu.discoveryScript": "/bin/false", "spark.worker.resourcesFile": script,
	} {
		bad := Config{Properties: maps.Clone(c.Properties)}
		bad.Properties[key] = value
		if _, err := bad.resources(t.Context()); err == nil {
			t.Errorf("%s=%s is accepted", key, value)
		}
	}
}

func TestNodeLocalTLSOptionsReplaceTheApplications(t *testing.T) {
	c := Config{Properties: map[string]string{"spark.ssl.keyStore": "/mine", "spark.x": "y"}}
	cmd := deploy.Command{JavaOpts: []string{"-Dspark.ssl.keyStore=/theirs", "-Da=b", "-Dspark.ssl.useNodeLocalConf=true"}}
	want := []string{"-Da=b", "-Dspark.ssl.keyStore=/mine", "-Dspark.ssl.useNodeLocalConf=true"}
	if got := c.javaOpts(cmd, nil); !slices.Equal(got, want) {
		t.Errorf("options are %q, expected %q", got, want)
	}
	cmd.JavaOpts = cmd.JavaOpts[:2]
	if got := c.javaOpts(cmd, nil); !slices.Equal(got, cmd.JavaOpts) {
		t.Errorf("options are %q, expected %q", got, cmd.JavaOpts)
	}
}

func TestCleaningRemovesOnlyOldDirectoriesThatDoNotLive(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	for path, age := range map[string]time.Duration{"old/0/stderr": 8 * 24 * time.Hour, "living/0/stderr": 8 * 24 * time.Hour, "fresh/0/stderr": time.Hour, "file": 8 * 24 * time.Hour} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		for p := path; p != dir; p = filepath.Dir(p) {
			if err := os.Chtimes(p, now.Add(-age), now.Add(-age)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cleanWorkDir(dir, []string{"living"}, 7*24*time.Hour, now, slog.New(slog.DiscardHandler))
	var left []string
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if d := cmp.Diff([]string{"file", "fresh", "living"}, left); d != "" || err != nil {
		t.Errorf("left (-want +got): %v\n%s", err, d)
	}
	cleanWorkDir(filepath.Join(dir, "nowhere"), nil, time.Hour, now, slog.New(slog.DiscardHandler))
}
