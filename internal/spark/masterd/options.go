package masterd

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/meseta/meseta/internal/spark/conf"
)

// Options are a Master's options as Spark has them. Empty ones are found in the environment
// (SPARK_MASTER_PORT and so on), in Spark's configuration files, or have Spark's default.
type Options struct {
	Host           string
	Port           int
	WebUIPort      int
	PropertiesFile string
}

// NewCommand is the command line of a Master.
func NewCommand(logger func(*cobra.Command) *slog.Logger) *cobra.Command {
	o := Options{Port: -1, WebUIPort: -1}
	cmd := &cobra.Command{
		Use:   "master",
		Short: "Run a Master of a Spark standalone cluster",
		Long: "Run a Master of a Spark standalone cluster, for applications and Workers of Spark 3.5 and 4.0. It needs no Spark.\n" +
			"Options, SPARK_* variables, conf/spark-env.sh and conf/spark-defaults.conf are those of Spark's own Master.",
		Example: "  meseta spark master --host spark.example.org\n" +
			"  SPARK_MASTER_OPTS='-Dspark.deploy.recoveryMode=FILESYSTEM -Dspark.deploy.recoveryDirectory=/var/lib/spark' meseta spark master",
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.Bool("help", false, "help for master") // -h is Spark's for --host
	f.StringVarP(&o.Host, "host", "h", "", "name by which others reach this machine (SPARK_MASTER_HOST; default: its host name)")
	f.IntVarP(&o.Port, "port", "p", -1, "port to listen on, 0 picks a free one (SPARK_MASTER_PORT; default 7077)")
	f.IntVar(&o.WebUIPort, "webui-port", -1, "port of the pages (SPARK_MASTER_WEBUI_PORT, spark.master.ui.port; default 8080)")
	f.StringVar(&o.PropertiesFile, "properties-file", "", "file with Spark properties (default: $SPARK_HOME/conf/spark-defaults.conf)")
	for _, name := range []string{"port", "webui-port"} {
		f.Lookup(name).DefValue = "0" // the help has the defaults in words
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := o.Config(cmd.Context(), os.Environ())
		if err != nil {
			return err
		}
		return Run(cmd.Context(), cfg, logger(cmd))
	}
	return cmd
}

// Config finds out everything that the options leave open.
func (o Options) Config(ctx context.Context, environ []string) (Config, error) {
	var errs []error
	env, err := conf.Environment(ctx, environ)
	errs = append(errs, err)
	cfg := Config{Environ: env, Host: cmp.Or(o.Host, env["SPARK_MASTER_HOST"], env["SPARK_LOCAL_HOSTNAME"], env["SPARK_LOCAL_IP"])}
	cfg.Properties, err = conf.Load(env, o.PropertiesFile, "SPARK_MASTER_OPTS")
	errs = append(errs, err)
	port := func(flag int, texts ...string) int {
		if flag != -1 {
			return flag
		}
		n, err := strconv.Atoi(cmp.Or(texts...))
		errs = append(errs, err)
		return n
	}
	cfg.Port = port(o.Port, env["SPARK_MASTER_PORT"], "7077")
	cfg.WebUIPort = port(o.WebUIPort, cfg.Properties["spark.master.ui.port"], env["SPARK_MASTER_WEBUI_PORT"], "8080")
	if cfg.Host == "" {
		cfg.Host, err = os.Hostname()
		errs = append(errs, err)
	}
	return cfg, errors.Join(errs...)
}
