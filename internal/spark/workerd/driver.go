package workerd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/worker"
)

// runDriver runs a driver until it ends for good or ctx does, and tells how.
func (d *daemon) runDriver(ctx context.Context, id string, launch deploy.LaunchDriver) {
	tell := func(state deploy.DriverState, err error) {
		changed := worker.DriverChanged{ID: id, State: state}
		if err != nil {
			changed.Exception = &deploy.Exception{Class: "java.lang.Exception", Message: err.Error()}
		}
		d.in.put(changed)
	}
	argv, environ, dir, err := d.prepareDriver(ctx, id, launch)
	if err != nil {
		if ctx.Err() != nil {
			tell(deploy.DriverKilled, nil)
			return
		}
		tell(deploy.DriverError, err)
		return
	}
	patience := d.cfg.Properties.Seconds("spark.worker.driverTerminateTimeout", terminateTimeout)
	code, err := supervise(ctx, launch.Driver.Supervise, func(ctx context.Context) (int, error) {
		return run(ctx, argv, environ, dir, "Launch Command", patience, func() {})
	})
	switch {
	case err != nil:
		tell(deploy.DriverError, err)
	case code == 0:
		tell(deploy.DriverFinished, nil)
	case ctx.Err() != nil:
		tell(deploy.DriverKilled, nil)
	default:
		tell(deploy.DriverFailed, nil)
	}
}

// longRun is how long a driver has to run for its next failure to count as the first.
const longRun = 5 * time.Second

// supervise runs something once, or if it is to be supervised again and again until it ends well: after
// a wait that doubles from a second, unless it had run for a while.
func supervise(ctx context.Context, again bool, run func(context.Context) (int, error)) (int, error) {
	for wait := time.Second; ; wait *= 2 {
		start := time.Now()
		code, err := run(ctx)
		if err != nil || code == 0 || !again || ctx.Err() != nil {
			return code, err
		}
		if time.Since(start) > longRun {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return code, nil
		case <-time.After(wait):
		}
	}
}

// prepareDriver makes the directory of a driver, with its jar in it, and its command line.
func (d *daemon) prepareDriver(ctx context.Context, id string, launch deploy.LaunchDriver) (argv, environ []string, dir string, err error) {
	dir, err = d.inWorkDir(id)
	if err != nil {
		return nil, nil, "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, "", err
	}
	jar, err := d.fetchJar(ctx, launch.Driver.JarURL, dir)
	if err != nil {
		return nil, nil, "", fmt.Errorf("jar %s of driver %s: %w", launch.Driver.JarURL, id, err)
	}
	cmd := launch.Driver.Command
	opts := d.cfg.javaOpts(cmd, nil)
	if len(launch.Resources) > 0 {
		file := filepath.Join(dir, "resource-driver.json")
		if err := writeResources(file, "spark.driver", launch.Resources); err != nil {
			return nil, nil, "", err
		}
		opts = append(opts, "-Dspark.driver.resourcesFile="+file)
	}
	placeholders := map[string]string{"{{WORKER_URL}}": d.self.String(), "{{USER_JAR}}": jar}
	argv = slices.Concat(d.cfg.commandLine(cmd, launch.Driver.Memory), opts, []string{cmd.MainClass}, substitute(cmd.Arguments, placeholders))
	logs := fmt.Sprintf("%s/logPage/?driverId=%s&logType=", d.webUI, id)
	environ = d.cfg.environment(cmd, map[string]string{
		"SPARK_DRIVER_LOG_URL_STDOUT": logs + "stdout", "SPARK_DRIVER_LOG_URL_STDERR": logs + "stderr",
	})
	return argv, environ, dir, nil
}

// fetchJar brings a driver's jar into its directory, unless it is there already.
func (d *daemon) fetchJar(ctx context.Context, from, dir string) (string, error) {
	u, err := url.Parse(from)
	if err != nil {
		return "", err
	}
	to := filepath.Join(dir, path.Base(u.Path))
	if name := filepath.Base(to); name == "." || name == ".." || name == "/" || name == filepath.Base(dir) {
		return "", errors.New("the URL does not end in the name of a file")
	}
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	part := to + ".part"
	w, err := os.Create(part)
	if err != nil {
		return "", err
	}
	defer os.Remove(part)
	err = d.download(ctx, u, w)
	if err := errors.Join(err, w.Close()); err != nil {
		return "", err
	}
	return to, os.Rename(part, to)
}

func (d *daemon) download(ctx context.Context, u *url.URL, w io.Writer) error {
	switch u.Scheme {
	case "spark":
		_, err := d.env.Fetch(ctx, u.String(), w)
		return err
	case "", "file", "local":
		r, err := os.Open(u.Path)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(w, r)
		return err
	case "http", "https":
		return get(ctx, u, w)
	}
	return fmt.Errorf("scheme %q is not supported: put the jar where http, https, spark or a local path leads to", u.Scheme)
}

func get(ctx context.Context, u *url.URL, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	_, err = io.Copy(w, resp.Body)
	return err
}
