package workerd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/spark/endpoint"
)

// Options are a Worker's options as Spark has them. Empty ones are found in the environment
// (SPARK_WORKER_PORT and so on), in Spark's configuration files, or have Spark's default.
type Options struct {
	Host           string
	Port           int
	Cores          int
	Memory         string
	WorkDir        string
	WebUIPort      int
	PropertiesFile string
}

// NewCommand is the command line of a Worker.
func NewCommand(logger func(*cobra.Command) *slog.Logger) *cobra.Command {
	o := Options{Port: -1, WebUIPort: -1}
	cmd := &cobra.Command{
		Use:   "worker spark://HOST:PORT[,HOST:PORT…]",
		Short: "Run a Worker of a Spark standalone cluster",
		Long: "Run a Worker of a Spark standalone cluster. Executors and drivers are JVMs of the Spark in SPARK_HOME.\n" +
			"Options, SPARK_* variables, conf/spark-env.sh and conf/spark-defaults.conf are those of Spark's own Worker.",
		Example: "  SPARK_HOME=/opt/spark meseta spark worker spark://master:7077 --cores 8 --memory 16g",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.Bool("help", false, "help for worker") // -h is Spark's for --host
	f.StringVarP(&o.Host, "host", "h", "", "name by which others reach this machine (SPARK_LOCAL_HOSTNAME, SPARK_LOCAL_IP; default: its host name)")
	f.IntVarP(&o.Port, "port", "p", -1, "port to listen on, 0 picks a free one (SPARK_WORKER_PORT; default 0)")
	f.IntVarP(&o.Cores, "cores", "c", 0, "cores to give (SPARK_WORKER_CORES; default: all)")
	f.StringVarP(&o.Memory, "memory", "m", "", "memory to give, as 1000m or 2g (SPARK_WORKER_MEMORY; default: all but 1 GiB)")
	f.StringVarP(&o.WorkDir, "work-dir", "d", "", "directory to run applications in (SPARK_WORKER_DIR; default: $SPARK_HOME/work)")
	f.IntVar(&o.WebUIPort, "webui-port", -1, "port of the pages (SPARK_WORKER_WEBUI_PORT, spark.worker.ui.port; default 8081)")
	f.StringVar(&o.PropertiesFile, "properties-file", "", "file with Spark properties (default: $SPARK_HOME/conf/spark-defaults.conf)")
	for _, name := range []string{"port", "webui-port"} {
		f.Lookup(name).DefValue = "0" // the help has the defaults in words
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := o.Config(cmd.Context(), args[0], os.Environ())
		if err != nil {
			return err
		}
		return Run(cmd.Context(), cfg, logger(cmd))
	}
	return cmd
}

// Config finds out everything that the options leave open.
func (o Options) Config(ctx context.Context, masters string, environ []string) (Config, error) {
	var errs []error
	env, err := sparkEnv(ctx, environMap(environ))
	errs = append(errs, err)
	cfg := Config{SparkHome: env["SPARK_HOME"], Environ: env, WorkDir: first(o.WorkDir, env["SPARK_WORKER_DIR"])}
	cfg.Masters, err = endpoint.ParseMasters(masters)
	errs = append(errs, err)
	cfg.Properties, err = o.properties(env)
	errs = append(errs, err)
	number := func(flag, unset int, texts ...string) int {
		if flag != unset {
			return flag
		}
		n, err := strconv.Atoi(first(texts...))
		errs = append(errs, err)
		return n
	}
	cfg.Port = number(o.Port, -1, env["SPARK_WORKER_PORT"], "0")
	cfg.WebUIPort = number(o.WebUIPort, -1, cfg.Properties["spark.worker.ui.port"], env["SPARK_WORKER_WEBUI_PORT"], "8081")
	cfg.Cores = number(o.Cores, 0, env["SPARK_WORKER_CORES"], strconv.Itoa(runtime.NumCPU()))
	cfg.Memory, err = memory(first(o.Memory, env["SPARK_WORKER_MEMORY"]))
	errs = append(errs, err)
	cfg.Host = first(o.Host, env["SPARK_LOCAL_HOSTNAME"], env["SPARK_LOCAL_IP"])
	if cfg.Host == "" {
		cfg.Host, err = os.Hostname()
		errs = append(errs, err)
	}
	return cfg, errors.Join(errs...)
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

// sparkEnv is the environment after conf/spark-env.sh, which is a shell script.
func sparkEnv(ctx context.Context, env map[string]string) (map[string]string, error) {
	script := filepath.Join(confDir(env), "spark-env.sh")
	if _, err := os.Stat(script); err != nil {
		return env, nil
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", `set -a; . "$1" >&2; env -0`, "spark-env", script)
	for key, value := range env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return env, fmt.Errorf("%s: %w", script, err)
	}
	return environMap(strings.Split(string(bytes.TrimRight(out, "\x00")), "\x00")), nil
}

func confDir(env map[string]string) string {
	return first(env["SPARK_CONF_DIR"], filepath.Join(env["SPARK_HOME"], "conf"))
}

// properties are those of the file, and over them the -D options of the environment.
func (o Options) properties(env map[string]string) (map[string]string, error) {
	all := make(map[string]string)
	path := first(o.PropertiesFile, filepath.Join(confDir(env), "spark-defaults.conf"))
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		all = parseProperties(string(b))
	case o.PropertiesFile != "" || !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("properties: %w", err)
	}
	for _, key := range []string{"SPARK_DAEMON_JAVA_OPTS", "SPARK_WORKER_OPTS"} {
		maps.Copy(all, parseOptions(env[key]))
	}
	return all, nil
}

// parseProperties reads lines of key and value, with a space, = or : between, as Java does; only keys of
// Spark count.
func parseProperties(text string) map[string]string {
	all := make(map[string]string)
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

// parseOptions reads the -Dkey=value among options of a JVM; values may be in quotes.
func parseOptions(s string) map[string]string {
	all := make(map[string]string)
	for _, opt := range words(s) {
		if key, value, ok := strings.Cut(opt, "="); ok && strings.HasPrefix(key, "-Dspark.") {
			all[key[2:]] = value
		}
	}
	return all
}

// words splits at spaces that are not in quotes.
func words(s string) []string {
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

// memoryUnits are Spark's, in bytes; a number without one is MiB.
var memoryUnits = map[byte]int64{'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30, 't': 1 << 40, 'b': 1}

// memory reads an amount of memory, in MiB; empty means all of the machine's but 1 GiB.
func memory(s string) (int, error) {
	if s == "" {
		total, err := totalMemory()
		return max(total-1024, 1024), err
	}
	number, unit := strings.ToLower(strings.TrimSpace(s)), int64(1<<20)
	if trimmed := strings.TrimSuffix(number, "b"); trimmed != "" && memoryUnits[trimmed[len(trimmed)-1]] != 0 && trimmed != number {
		number = trimmed
	}
	if u, ok := memoryUnits[lastByte(number)]; ok {
		number, unit = number[:len(number)-1], u
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("memory %q: expected a number and a unit, as 512m or 2g", s)
	}
	return int(n * unit >> 20), nil
}

// totalMemory is the machine's, in MiB.
func totalMemory() (int, error) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			kb, err := strconv.Atoi(f[1])
			return kb >> 10, err
		}
	}
	return 0, errors.New("/proc/meminfo has no MemTotal")
}

func lastByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}
