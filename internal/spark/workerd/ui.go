package workerd

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/ui"
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

// json is the state of the Worker, in the words of Spark's.
func (d *daemon) json(w http.ResponseWriter, _ *http.Request) {
	v := d.view.Load()
	ui.JSON(w, http.StatusOK, ui.Object{
		"id": v.ID, "masterurl": v.MasterURL, "masterwebuiurl": v.MasterWebUI,
		"cores": v.Cores, "coresused": v.CoresUsed, "memory": v.Memory, "memoryused": v.MemoryUsed,
		"resources": ui.Resources(v.Resources), "resourcesused": ui.Resources(v.ResourcesUsed),
		"executors": executors(v.Executors), "finishedexecutors": executors(v.FinishedExecutors),
	})
}

func executors(all []worker.Executor) []ui.Object {
	out := []ui.Object{}
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
		out = append(out, ui.Object{
			"id": e.ID.Exec, "memory": e.Launch.Memory, "resources": ui.Resources(e.Launch.Resources), "appid": e.ID.App,
			"appdesc": ui.Object{
				"name": app.Name, "cores": cores, "memoryperexecutor": memory, "resourcesperexecutor": []ui.Object{},
				"memoryperslave": memory, "resourcesperslave": []ui.Object{}, "user": app.User,
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

var logTemplate = ui.Page(`{{define "title"}}{{.Type}} log page{{end}}{{define "body"}}
<p>Showing bytes {{.Start}} - {{.End}} of {{.Total}}</p>
<pre>{{.Text}}</pre>
{{end}}`)

func (d *daemon) logPage(w http.ResponseWriter, r *http.Request) {
	l, err := d.readLog(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	ui.Write(w, logTemplate, l, d.log)
}

var pageTemplate = ui.Page(`{{define "title"}}Spark Worker {{.ID}}{{end}}
{{define "executors"}}<table><tr><th>Executor<th>Application<th>State<th class="n">Cores<th class="n">MiB<th>Logs
{{range .}}<tr><td>{{.ID.Exec}}<td>{{.Launch.App.Name}} <span class="quiet">{{.ID.App}}</span><td>{{.State}}<td class="n">{{.Launch.Cores}}<td class="n">{{.Launch.Memory}}
<td><a href="/logPage/?appId={{.ID.App}}&executorId={{.ID.Exec}}&logType=stdout">stdout</a> <a href="/logPage/?appId={{.ID.App}}&executorId={{.ID.Exec}}&logType=stderr">stderr</a>
{{else}}<tr><td class="quiet" colspan="6">none
{{end}}</table>{{end}}
{{define "drivers"}}<table><tr><th>Driver<th>Main class<th>State<th>Logs
{{range .}}<tr><td>{{.ID}}<td>{{.Launch.Driver.Command.MainClass}}<td>{{.State}}
<td><a href="/logPage/?driverId={{.ID}}&logType=stdout">stdout</a> <a href="/logPage/?driverId={{.ID}}&logType=stderr">stderr</a>
{{else}}<tr><td class="quiet" colspan="4">none
{{end}}</table>{{end}}
{{define "body"}}
<p>Master: <a href="{{.MasterWebUI}}">{{.MasterURL}}</a>{{if not .Connected}} (not connected){{end}}<br>
Cores: {{.Cores}} ({{.CoresUsed}} used)<br>
Memory: {{.Memory}} MiB ({{.MemoryUsed}} used)</p>
<h2>Running executors</h2>{{template "executors" .Executors}}
<h2>Running drivers</h2>{{template "drivers" .Drivers}}
<h2>Finished executors</h2>{{template "executors" .FinishedExecutors}}
<h2>Finished drivers</h2>{{template "drivers" .FinishedDrivers}}
{{end}}`)

func (d *daemon) page(w http.ResponseWriter, _ *http.Request) {
	ui.Write(w, pageTemplate, d.view.Load(), d.log)
}
