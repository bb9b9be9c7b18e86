package masterd

import (
	"net"
	"net/http"
	"slices"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/master"
	"github.com/meseta/meseta/internal/spark/ui"
)

// pages are the pages of Spark's Master that tools and people ask for. What changes something is asked
// for by POST, and not by pages of others.
func (d *daemon) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.overview)
	mux.HandleFunc("GET /app/", d.application)
	mux.HandleFunc("GET /json/{field...}", d.json)
	mux.HandleFunc("POST /app/kill/", d.killApplication)
	mux.HandleFunc("POST /driver/kill/", d.killDriver)
	mux.HandleFunc("POST /workers/kill/", d.decommission)
	return http.NewCrossOriginProtection().Handler(mux)
}

// overviewTemplate is a master.View.
var overviewTemplate = ui.Page(`{{define "title"}}Spark Master at {{.URL}}{{end}}
{{define "apps"}}<table><tr><th>Application<th>Name<th class="n">Cores<th class="n">MiB per executor<th>Submitted<th>User<th>State<th>
{{range .}}<tr><td><a href="/app/?appId={{.ID}}">{{.ID}}</a>
<td>{{if and .Desc.AppUI .Ended.IsZero}}<a href="{{.Desc.AppUI}}">{{.Desc.Name}}</a>{{else}}{{.Desc.Name}}{{end}}
<td class="n">{{.Cores}}<td class="n">{{.Memory}}<td>{{time .Submitted}}<td>{{.Desc.User}}<td>{{.State}}{{with .Waits}}<br><span class="quiet">{{.}}</span>{{end}}
<td>{{if .Ended.IsZero}}<form method="post" action="/app/kill/"><input type="hidden" name="id" value="{{.ID}}"><input type="hidden" name="terminate" value="true"><button>kill</button></form>{{end}}
{{else}}<tr><td class="quiet" colspan="8">none
{{end}}</table>{{end}}
{{define "drivers"}}<table><tr><th>Driver<th>Submitted<th>Worker<th>State<th class="n">Cores<th class="n">MiB<th>Main class<th>
{{range .}}<tr><td>{{.ID}}<td>{{time .Submitted}}<td>{{with .WorkerID}}{{.}}{{else}}<span class="quiet">none</span>{{end}}
<td>{{.State}}{{with .Waits}}<br><span class="quiet">{{.}}</span>{{end}}<td class="n">{{.Desc.Cores}}<td class="n">{{.Desc.Memory}}<td>{{.MainClass}}
<td>{{if not .State.Finished}}<form method="post" action="/driver/kill/"><input type="hidden" name="id" value="{{.ID}}"><input type="hidden" name="terminate" value="true"><button>kill</button></form>{{end}}
{{else}}<tr><td class="quiet" colspan="8">none
{{end}}</table>{{end}}
{{define "body"}}
<p>Status: {{.State}}</p>
<h2>Workers</h2>
<table><tr><th>Worker<th>Address<th>State<th>Spark<th class="n">Cores<th class="n">MiB
{{range .Workers}}<tr><td><a href="{{.WebUI}}">{{.ID}}</a><td>{{.Host}}:{{.Port}}<td>{{.State}}<td>{{.Build}}
<td class="n">{{.Cores}} ({{.CoresUsed}} used)<td class="n">{{.Memory}} ({{.MemoryUsed}} used)
{{else}}<tr><td class="quiet" colspan="6">none
{{end}}</table>
<h2>Running applications</h2>{{template "apps" .Apps}}
<h2>Drivers</h2>{{template "drivers" .Drivers}}
<h2>Completed applications</h2>{{template "apps" .CompletedApps}}
<h2>Completed drivers</h2>{{template "drivers" .CompletedDrivers}}
{{end}}`)

func (d *daemon) overview(w http.ResponseWriter, r *http.Request) {
	v, err := d.view(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	ui.Write(w, overviewTemplate, v, d.log)
}

// applicationPage is what is on the page of an application.
type applicationPage struct {
	master.AppView
	Living, Gone executorList
}

type executorList struct {
	App  string
	List []master.ExecutorView
}

// applicationTemplate is an applicationPage.
var applicationTemplate = ui.Page(`{{define "title"}}Application {{.Desc.Name}}{{end}}
{{define "executors"}}<table><tr><th>Executor<th>Worker<th>State<th class="n">Profile<th class="n">Cores<th class="n">MiB<th>Logs
{{range .List}}<tr><td>{{.ID}}<td><a href="{{.WorkerUI}}">{{.WorkerID}}</a><td>{{.State}}<td class="n">{{.Profile}}<td class="n">{{.Cores}}<td class="n">{{.Memory}}
<td><a href="{{.WorkerUI}}/logPage/?appId={{$.App}}&executorId={{.ID}}&logType=stdout">stdout</a> <a href="{{.WorkerUI}}/logPage/?appId={{$.App}}&executorId={{.ID}}&logType=stderr">stderr</a>
{{else}}<tr><td class="quiet" colspan="7">none
{{end}}</table>{{end}}
{{define "body"}}
<p><a href="/">Master</a></p>
<p>ID: {{.ID}}<br>
User: {{.Desc.User}}<br>
Spark: {{.Build}}<br>
State: {{.State}}{{with .Waits}}, waits: {{.}}{{end}}<br>
Cores: {{.Cores}}{{with .Desc.MaxCores}} of {{.}}{{end}}<br>
Memory of an executor: {{.Memory}} MiB<br>
Submitted: {{time .Submitted}}{{with time .Ended}}<br>Ended: {{.}}{{end}}</p>
<h2>Executors</h2>{{template "executors" .Living}}
<h2>Removed executors</h2>{{template "executors" .Gone}}
{{end}}`)

func (d *daemon) application(w http.ResponseWriter, r *http.Request) {
	v, err := d.view(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	for _, a := range slices.Concat(v.Apps, v.CompletedApps) {
		if a.ID == r.FormValue("appId") {
			page := applicationPage{AppView: a, Living: executorList{a.ID, a.Executors}, Gone: executorList{a.ID, a.Removed}}
			ui.Write(w, applicationTemplate, page, d.log)
			return
		}
	}
	http.Error(w, "no application with id "+r.FormValue("appId"), http.StatusNotFound)
}

// mayKill tells whether a request to end something is to be heard, as Spark decides it.
func (d *daemon) mayKill(r *http.Request) bool {
	return d.cfg.Properties.Flag("spark.ui.killEnabled", true) && r.FormValue("terminate") == "true" && r.FormValue("id") != ""
}

func (d *daemon) killApplication(w http.ResponseWriter, r *http.Request) {
	if d.mayKill(r) {
		d.put(event{in: master.KillApplication{ID: r.FormValue("id")}})
	}
	http.Redirect(w, r, "/", http.StatusFound)
}

func (d *daemon) killDriver(w http.ResponseWriter, r *http.Request) {
	if d.mayKill(r) {
		if _, err := d.ask(r.Context(), deploy.RequestKillDriver{DriverID: r.FormValue("id")}, nil); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	http.Redirect(w, r, "/", http.StatusFound)
}

// decommission has the Workers of some hosts go. By default, only this machine may ask.
func (d *daemon) decommission(w http.ResponseWriter, r *http.Request) {
	if !d.cfg.Properties.Flag("spark.decommission.enabled", false) || !d.mayDecommission(r) {
		http.Error(w, "decommissioning is not allowed: see spark.decommission.enabled and spark.master.ui.decommission.allow.mode", http.StatusMethodNotAllowed)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	count, err := d.ask(r.Context(), deploy.DecommissionWorkersOnHosts{Hostnames: r.Form["host"]}, nil)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case count == 0:
		http.Error(w, "there is no Worker on these hosts", http.StatusNotFound)
	default:
		w.WriteHeader(http.StatusOK)
	}
}

func (d *daemon) mayDecommission(r *http.Request) bool {
	switch d.cfg.Properties["spark.master.ui.decommission.allow.mode"] {
	case "ALLOW":
		return true
	case "", "LOCAL":
	default:
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	from := net.ParseIP(host)
	if err != nil || from == nil {
		return false
	}
	local, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(local, func(a net.Addr) bool {
		own, ok := a.(*net.IPNet)
		return ok && own.IP.Equal(from)
	})
}
