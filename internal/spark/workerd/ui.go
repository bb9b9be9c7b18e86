package workerd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/worker"
)

// routes are the pages of Spark's Worker that tools and people ask for.
func (d *daemon) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.page)
	mux.HandleFunc("GET /json/", d.json)
	mux.HandleFunc("GET /log/", d.logText)
	mux.HandleFunc("GET /log", d.logText)
	mux.HandleFunc("GET /logPage/", d.logPage)
	mux.HandleFunc("GET /logPage", d.logPage)
	return mux
}

// serveUI serves the pages until ctx is done.
func (d *daemon) serveUI(ctx context.Context, ln net.Listener) error {
	server := &http.Server{Handler: d.routes(), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		server.Close()
	})
	err := server.Serve(ln)
	if stop() {
		return err
	}
	<-done
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

type object = map[string]any

// json is the state of the Worker, in the words of Spark's.
func (d *daemon) json(w http.ResponseWriter, _ *http.Request) {
	v := d.view.Load()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.Encode(object{
		"id": v.ID, "masterurl": v.MasterURL, "masterwebuiurl": v.MasterWebUI,
		"cores": v.Cores, "coresused": v.CoresUsed, "memory": v.Memory, "memoryused": v.MemoryUsed,
		"resources": resources(v.Resources), "resourcesused": resources(v.ResourcesUsed),
		"executors": executors(v.Executors), "finishedexecutors": executors(v.FinishedExecutors),
	})
}

func resources(all map[string]deploy.Resource) object {
	out := object{}
	for name, r := range all {
		out[name] = object{"name": r.Name, "addresses": slices.Concat([]string{}, r.Addresses)}
	}
	return out
}

func executors(all []worker.Executor) []object {
	out := []object{}
	for _, e := range all {
		app := e.Launch.App
		cores := 0
		if app.MaxCores != nil {
			cores = *app.MaxCores
		}
		memory := int64(1024)
		if m, ok := app.DefaultProfile.Executors[deploy.ResourceMemory]; ok {
			memory = m.Amount
		}
		out = append(out, object{
			"id": e.ID.Exec, "memory": e.Launch.Memory, "resources": resources(e.Launch.Resources), "appid": e.ID.App,
			"appdesc": object{
				"name": app.Name, "cores": cores, "memoryperexecutor": memory, "resourcesperexecutor": []object{},
				"memoryperslave": memory, "resourcesperslave": []object{}, "user": app.User,
				"command": "Command(" + app.Command.MainClass + ")",
			},
		})
	}
	return out
}

// A logRange is a piece of a log.
type logRange struct {
	Start, End, Total int64
	Dir, Type, Text   string
}

const defaultLogBytes = 100 << 10

var errLogType = errors.New("Error: Log type must be one of stderr, stdout") //nolint:staticcheck // Spark's words

// readLog reads the piece of a log that a request asks for.
func (d *daemon) readLog(r *http.Request) (logRange, error) {
	q := r.URL.Query()
	l := logRange{Type: q.Get("logType")}
	if l.Type != "stdout" && l.Type != "stderr" {
		return l, errLogType
	}
	var err error
	if id := q.Get("driverId"); id != "" {
		l.Dir, err = d.inWorkDir(id)
	} else {
		l.Dir, err = d.inWorkDir(q.Get("appId"), q.Get("executorId"))
	}
	if err != nil {
		return l, fmt.Errorf("Error: invalid log directory: %w", err) //nolint:staticcheck // Spark's words
	}
	f, err := os.Open(filepath.Join(l.Dir, l.Type))
	if err != nil {
		return l, err
	}
	defer f.Close()
	if l.Total, err = f.Seek(0, io.SeekEnd); err != nil {
		return l, err
	}
	length := int64(defaultLogBytes)
	if n, err := strconv.ParseInt(q.Get("byteLength"), 10, 64); err == nil && n > 0 {
		length = min(n, 10<<20)
	}
	l.Start = l.Total - length
	if n, err := strconv.ParseInt(q.Get("offset"), 10, 64); err == nil {
		l.Start = n
	}
	l.Start = min(max(l.Start, 0), l.Total)
	l.End = min(l.Start+length, l.Total)
	text := make([]byte, l.End-l.Start)
	if _, err := f.ReadAt(text, l.Start); err != nil && !errors.Is(err, io.EOF) {
		return l, err
	}
	l.Text = strings.ToValidUTF8(string(text), "\uFFFD")
	return l, nil
}

func (d *daemon) logText(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	l, err := d.readLog(r)
	if err != nil {
		fmt.Fprintln(w, err)
		return
	}
	fmt.Fprintf(w, "==== Bytes %d-%d of %d of %s/%s ====\n%s", l.Start, l.End, l.Total, l.Dir, l.Type, l.Text)
}

var logTemplate = template.Must(template.New("log").Parse(`<!DOCTYPE html>
<title>{{.Type}} log</title>
<h1>{{.Type}} log page</h1>
<p>Showing bytes {{.Start}} - {{.End}} of {{.Total}}</p>
<pre>{{.Text}}</pre>
`))

func (d *daemon) logPage(w http.ResponseWriter, r *http.Request) {
	l, err := d.readLog(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := logTemplate.Execute(w, l); err != nil {
		d.log.Debug("page not written", "err", err)
	}
}

var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<title>Spark Worker {{.ID}}</title>
<h1>Spark Worker</h1>
<ul>
<li>ID: {{.ID}}
<li>Master: <a href="{{.MasterWebUI}}">{{.MasterURL}}</a>{{if not .Connected}} (not connected){{end}}
<li>Cores: {{.Cores}} ({{.CoresUsed}} used)
<li>Memory: {{.Memory}} MiB ({{.MemoryUsed}} used)
</ul>
{{define "executors"}}<table><tr><th>Executor<th>Application<th>State<th>Cores<th>Memory<th>Logs
{{range .}}<tr><td>{{.ID.Exec}}<td>{{.Launch.App.Name}} ({{.ID.App}})<td>{{.State}}<td>{{.Launch.Cores}}<td>{{.Launch.Memory}}
<td><a href="/logPage/?appId={{.ID.App}}&executorId={{.ID.Exec}}&logType=stdout">stdout</a> <a href="/logPage/?appId={{.ID.App}}&executorId={{.ID.Exec}}&logType=stderr">stderr</a>
{{end}}</table>{{end}}
{{define "drivers"}}<table><tr><th>Driver<th>Main class<th>State<th>Logs
{{range .}}<tr><td>{{.ID}}<td>{{.Launch.Driver.Command.MainClass}}<td>{{.State}}
<td><a href="/logPage/?driverId={{.ID}}&logType=stdout">stdout</a> <a href="/logPage/?driverId={{.ID}}&logType=stderr">stderr</a>
{{end}}</table>{{end}}
<h2>Running executors</h2>{{template "executors" .Executors}}
<h2>Running drivers</h2>{{template "drivers" .Drivers}}
<h2>Finished executors</h2>{{template "executors" .FinishedExecutors}}
<h2>Finished drivers</h2>{{template "drivers" .FinishedDrivers}}
`))

func (d *daemon) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := pageTemplate.Execute(w, d.view.Load()); err != nil {
		d.log.Debug("page not written", "err", err)
	}
}
