package workerd

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/spark/conf"
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
	env, err := conf.Environment(ctx, environ)
	errs = append(errs, err)
	cfg := Config{SparkHome: env["SPARK_HOME"], Environ: env, WorkDir: cmp.Or(o.WorkDir, env["SPARK_WORKER_DIR"])}
	cfg.Masters, err = endpoint.ParseMasters(masters)
	errs = append(errs, err)
	cfg.Properties, err = conf.Load(env, o.PropertiesFile, "SPARK_WORKER_OPTS")
	errs = append(errs, err)
	number := func(flag, unset int, texts ...string) int {
		if flag != unset {
			return flag
		}
		n, err := strconv.Atoi(cmp.Or(texts...))
		errs = append(errs, err)
		return n
	}
	cfg.Port = number(o.Port, -1, env["SPARK_WORKER_PORT"], "0")
	cfg.WebUIPort = number(o.WebUIPort, -1, cfg.Properties["spark.worker.ui.port"], env["SPARK_WORKER_WEBUI_PORT"], "8081")
	cfg.Cores = number(o.Cores, 0, env["SPARK_WORKER_CORES"], strconv.Itoa(runtime.NumCPU()))
	cfg.Memory, err = memory(cmp.Or(o.Memory, env["SPARK_WORKER_MEMORY"]))
	errs = append(errs, err)
	cfg.Host = cmp.Or(o.Host, env["SPARK_LOCAL_HOSTNAME"], env["SPARK_LOCAL_IP"])
	if cfg.Host == "" {
		cfg.Host, err = os.Hostname()
		errs = append(errs, err)
	}
	return cfg, errors.Join(errs...)
}

// memory reads an amount in MiB; empty means all of the machine's but 1 GiB.
func memory(s string) (int, error) {
	if s == "" {
		total, err := totalMemory()
		return max(total-1024, 1024), err
	}
	return conf.Memory(s)
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
