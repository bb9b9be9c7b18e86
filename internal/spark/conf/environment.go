// Package conf reads the configuration of Spark's daemons from where Spark has it: SPARK_* variables,
// conf/spark-env.sh, conf/spark-defaults.conf or another file of properties, and -Dspark.… options in
// variables.
//
// [Environment] comes first, [Load] needs what it gives. What a key means is for the daemon that asks.
package conf

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Environment is an environment, in the form of os.Environ, after conf/spark-env.sh, which is a shell
// script.
func Environment(ctx context.Context, environ []string) (map[string]string, error) {
	env := environMap(environ)
	script := filepath.Join(confDir(env), "spark-env.sh")
	if _, err := os.Stat(script); err != nil {
		return env, nil
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", `set -a; . "$1" >&2; env -0`, "spark-env", script)
	cmd.Env = environ
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return env, fmt.Errorf("%s: %w", script, err)
	}
	return environMap(strings.Split(string(bytes.TrimRight(out, "\x00")), "\x00")), nil
}

func environMap(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, e := range environ {
		if key, value, ok := strings.Cut(e, "="); ok {
			env[key] = value
		}
	}
	return env
}

func confDir(env map[string]string) string {
	return cmp.Or(env["SPARK_CONF_DIR"], filepath.Join(env["SPARK_HOME"], "conf"))
}
