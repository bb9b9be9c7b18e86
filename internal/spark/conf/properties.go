package conf

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Properties are Spark's, by their keys.
type Properties map[string]string

// Load reads the properties of a file, or of conf/spark-defaults.conf if that is empty, and over them the
// -D options in SPARK_DAEMON_JAVA_OPTS and in another variable.
func Load(env map[string]string, file, optionsIn string) (Properties, error) {
	all := make(Properties)
	b, err := os.ReadFile(cmp.Or(file, filepath.Join(confDir(env), "spark-defaults.conf")))
	switch {
	case err == nil:
		all = parseProperties(string(b))
	case file != "" || !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("properties: %w", err)
	}
	for _, variable := range []string{"SPARK_DAEMON_JAVA_OPTS", optionsIn} {
		maps.Copy(all, ParseOptions(env[variable]))
	}
	return all, nil
}

// parseProperties reads lines of key and value, with a space, = or : between, as Java does; only keys of
// Spark count.
func parseProperties(text string) Properties {
	all := make(Properties)
	scan := bufio.NewScanner(strings.NewReader(text))
	for scan.Scan() {
		line := strings.TrimSpace(scan.Text())
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		at := strings.IndexAny(line, " \t=:")
		if at < 0 {
			continue
		}
		value := strings.TrimLeft(line[at:], " \t")
		if value != "" && (value[0] == '=' || value[0] == ':') {
			value = value[1:]
		}
		if strings.HasPrefix(line, "spark.") {
			all[line[:at]] = strings.TrimSpace(value)
		}
	}
	return all
}

// ParseOptions reads the -Dkey=value among options of a JVM; values may be in quotes.
func ParseOptions(s string) Properties {
	all := make(Properties)
	for _, opt := range Words(s) {
		if key, value, ok := strings.Cut(opt, "="); ok && strings.HasPrefix(key, "-Dspark.") {
			all[key[2:]] = value
		}
	}
	return all
}

// Words splits a command line at spaces that are not in quotes.
func Words(s string) []string {
	var all []string
	var word strings.Builder
	var quote rune
	in := false
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, in = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if in {
				all = append(all, word.String())
			}
			word.Reset()
			in = false
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if in {
		all = append(all, word.String())
	}
	return all
}

// Flag reads a truth. One that cannot be read has the default, as everything here.
func (p Properties) Flag(key string, def bool) bool {
	b, err := strconv.ParseBool(p[key])
	if err != nil {
		return def
	}
	return b
}

// Number reads a number that is not negative.
func (p Properties) Number(key string, def int) int {
	n, err := strconv.Atoi(p[key])
	if err != nil || n < 0 {
		return def
	}
	return n
}

// Seconds reads a time, a number of seconds unless it has a unit.
func (p Properties) Seconds(key string, def time.Duration) time.Duration {
	d, err := parseTime(p[key])
	if err != nil {
		return def
	}
	return d
}

// AskTimeout is how long an ask waits; 0 if nobody says.
func (p Properties) AskTimeout() time.Duration {
	return p.Seconds("spark.rpc.askTimeout", p.Seconds("spark.network.timeout", 0))
}

// Secret is what peers have to know; empty if authentication is off.
func (p Properties) Secret(env map[string]string) string {
	if !p.Flag("spark.authenticate", false) {
		return ""
	}
	return cmp.Or(p["spark.authenticate.secret"], env["_SPARK_AUTH_SECRET"])
}
