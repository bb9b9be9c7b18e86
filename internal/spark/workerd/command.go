package workerd

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meseta/meseta/internal/spark/deploy"
)

// commandLine makes the command line of a JVM with the Spark of this Worker, up to the main class:
// java, its options, the class path and the memory.
func (c Config) commandLine(cmd deploy.Command, memory int) []string {
	env := func(key string) string { return cmp.Or(cmd.Environment[key], c.Environ[key]) }
	confDir := cmp.Or(env("SPARK_CONF_DIR"), filepath.Join(c.SparkHome, "conf"))

	java := "java"
	if home := env("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	args := []string{java}
	if opts, err := os.ReadFile(filepath.Join(confDir, "java-opts")); err == nil {
		args = append(args, strings.Fields(string(opts))...)
	}
	return append(args, "-cp", c.classPath(cmd, confDir, env), "-Xmx"+itoa(memory)+"M")
}

func (c Config) classPath(cmd deploy.Command, confDir string, env func(string) string) string {
	var entries []string
	add := func(entry string) {
		if entry == "" {
			return
		}
		if info, err := os.Stat(entry); err == nil && info.IsDir() && !strings.HasSuffix(entry, "/") {
			entry += "/"
		}
		if !slices.Contains(entries, entry) {
			entries = append(entries, entry)
		}
	}
	for _, e := range cmd.ClassPathEntries {
		add(e)
	}
	add(confDir)
	if strings.HasPrefix(c.sparkVersion(), "4.") { // its logging facade has to come before others
		slf4j, _ := filepath.Glob(filepath.Join(c.SparkHome, "jars", "slf4j-api-*.jar"))
		for _, jar := range slf4j {
			add(jar)
		}
	}
	add(filepath.Join(c.SparkHome, "jars", "*"))
	add(env("HADOOP_CONF_DIR"))
	add(env("YARN_CONF_DIR"))
	for _, e := range filepath.SplitList(env("SPARK_DIST_CLASSPATH")) {
		add(e)
	}
	return strings.Join(entries, string(filepath.ListSeparator))
}

func (c Config) sparkVersion() string {
	b, err := c.build()
	if err != nil {
		return ""
	}
	return b.Spark
}

// environment is the Worker's, and over it the command's, and over that what only the Worker can know.
func (c Config) environment(cmd deploy.Command, more map[string]string) []string {
	env := maps.Clone(c.Environ)
	maps.Copy(env, cmd.Environment)
	if len(cmd.LibraryPathEntries) > 0 {
		paths := slices.Clone(cmd.LibraryPathEntries)
		for _, p := range []string{cmd.Environment["LD_LIBRARY_PATH"], c.Environ["LD_LIBRARY_PATH"]} {
			if p != "" && !slices.Contains(paths, p) {
				paths = append(paths, p)
			}
		}
		env["LD_LIBRARY_PATH"] = strings.Join(paths, ":")
	}
	env["SPARK_HOME"] = c.SparkHome
	if s := c.Properties.Secret(c.Environ); s != "" {
		env["_SPARK_AUTH_SECRET"] = s
	}
	maps.Copy(env, more)
	all := make([]string, 0, len(env))
	for _, key := range slices.Sorted(maps.Keys(env)) {
		all = append(all, key+"="+env[key])
	}
	return all
}

// javaOpts are the command's, without what must not be seen in a list of processes, and with this
// machine's own TLS settings if the application asks for them.
func (c Config) javaOpts(cmd deploy.Command, placeholders map[string]string) []string {
	const useLocal = "spark.ssl.useNodeLocalConf"
	local := slices.Contains(cmd.JavaOpts, "-D"+useLocal+"=true")
	var opts []string
	for _, opt := range cmd.JavaOpts {
		switch {
		case strings.HasPrefix(opt, "-Dspark.authenticate.secret"), strings.HasPrefix(opt, "-Dspark.ssl.rpc.") && strings.Contains(opt, "assword"):
			continue
		case local && strings.HasPrefix(opt, "-Dspark.ssl."):
			continue
		}
		for from, to := range placeholders {
			opt = strings.ReplaceAll(opt, from, to)
		}
		opts = append(opts, opt)
	}
	if local {
		for _, key := range slices.Sorted(maps.Keys(c.Properties)) {
			if strings.HasPrefix(key, "spark.ssl.") && key != useLocal {
				opts = append(opts, "-D"+key+"="+c.Properties[key])
			}
		}
		opts = append(opts, "-D"+useLocal+"=true")
	}
	return opts
}

// substitute replaces arguments that are placeholders, and nothing inside of arguments.
func substitute(args []string, placeholders map[string]string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = arg
		if to, ok := placeholders[arg]; ok {
			out[i] = to
		}
	}
	return out
}
