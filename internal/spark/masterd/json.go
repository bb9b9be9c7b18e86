package masterd

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
	"github.com/meseta/meseta/internal/spark/master"
	"github.com/meseta/meseta/internal/spark/ui"
)

// javaDate is how Java writes a time.
const javaDate = "Mon Jan 02 15:04:05 MST 2006"

// json is the state of the Master, in the words of Spark's: all of it, or the field that the path names.
func (d *daemon) json(w http.ResponseWriter, r *http.Request) {
	v, err := d.view(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	all := stateJSON(v)
	field := strings.Trim(r.PathValue("field"), "/")
	switch value, ok := all[field]; {
	case field == "":
		ui.JSON(w, http.StatusOK, all)
	case field == "clusterutilization":
		ui.JSON(w, http.StatusOK, utilization(v))
	case ok:
		ui.JSON(w, http.StatusOK, ui.Object{field: value})
	default:
		ui.JSON(w, http.StatusOK, ui.Object{field: ""})
	}
}

// sums are those of the Workers that live.
type sums struct{ alive, cores, coresUsed, memory, memoryUsed int }

func sum(v master.View) (s sums) {
	for _, w := range v.Workers {
		if w.State == master.WorkerAlive {
			s.alive++
			s.cores += w.Cores
			s.coresUsed += w.CoresUsed
			s.memory += w.Memory
			s.memoryUsed += w.MemoryUsed
		}
	}
	return s
}

func stateJSON(v master.View) ui.Object {
	s := sum(v)
	resources, used := []ui.Object{}, []ui.Object{}
	for _, w := range v.Workers {
		if w.State == master.WorkerAlive {
			resources, used = append(resources, ui.Resources(w.Resources)), append(used, ui.Resources(w.ResourcesUsed))
		}
	}
	return ui.Object{
		"url": v.URL, "status": v.State.String(), "workers": objects(v.Workers, workerJSON), "aliveworkers": s.alive,
		"cores": s.cores, "coresused": s.coresUsed, "memory": s.memory, "memoryused": s.memoryUsed,
		"resources": resources, "resourcesused": used,
		"activeapps": objects(v.Apps, appJSON), "completedapps": objects(v.CompletedApps, appJSON),
		"activedrivers": objects(v.Drivers, driverJSON), "completeddrivers": objects(v.CompletedDrivers, driverJSON),
	}
}

func objects[T any](list []T, object func(T) ui.Object) []ui.Object {
	out := make([]ui.Object, len(list))
	for i, item := range list {
		out[i] = object(item)
	}
	return out
}

func workerJSON(w master.WorkerView) ui.Object {
	free := make(map[string]deploy.Resource)
	for name, r := range w.Resources {
		used := make(map[string]bool)
		for _, a := range w.ResourcesUsed[name].Addresses {
			used[a] = true
		}
		f := deploy.Resource{Name: name}
		for _, a := range r.Addresses {
			if !used[a] {
				f.Addresses = append(f.Addresses, a)
			}
		}
		free[name] = f
	}
	return ui.Object{
		"id": w.ID, "host": w.Host, "port": w.Port, "webuiaddress": w.WebUI, "state": w.State.String(), "lastheartbeat": w.Heard.UnixMilli(),
		"cores": w.Cores, "coresused": w.CoresUsed, "coresfree": w.Cores - w.CoresUsed,
		"memory": w.Memory, "memoryused": w.MemoryUsed, "memoryfree": w.Memory - w.MemoryUsed,
		"resources": ui.Resources(w.Resources), "resourcesused": ui.Resources(w.ResourcesUsed), "resourcesfree": ui.Resources(free),
	}
}

func appJSON(a master.AppView) ui.Object {
	ended := a.Ended
	if ended.IsZero() {
		ended = time.Now()
	}
	return ui.Object{
		"id": a.ID, "name": a.Desc.Name, "user": a.Desc.User, "state": a.State.String(), "cores": a.Cores,
		"starttime": a.Submitted.UnixMilli(), "submitdate": a.Submitted.Local().Format(javaDate), "duration": ended.Sub(a.Submitted).Milliseconds(),
		"memoryperexecutor": a.Memory, "memoryperslave": a.Memory,
		"resourcesperexecutor": objects(a.PerExec, requirementJSON), "resourcesperslave": objects(a.PerExec, requirementJSON),
	}
}

func requirementJSON(r deploy.ResourceRequirement) ui.Object {
	return ui.Object{"name": r.ResourceName, "amount": r.Amount}
}

func driverJSON(d master.DriverView) ui.Object {
	worker := d.WorkerID
	if worker == "" {
		worker = "None"
	}
	return ui.Object{
		"id": d.ID, "starttime": strconv.FormatInt(d.Submitted.UnixMilli(), 10), "submitdate": d.Submitted.Local().Format(javaDate), "state": d.State.String(),
		"cores": d.Desc.Cores, "memory": d.Desc.Memory, "resources": ui.Resources(d.Resources), "worker": worker, "mainclass": d.MainClass,
	}
}

// utilization is how much of the cluster is in use, in percent. Of nothing, all is.
func utilization(v master.View) ui.Object {
	s := sum(v)
	percent := func(used, total int) int {
		if total == 0 {
			return 100
		}
		return 100 * used / total
	}
	waiting := 0
	for _, d := range v.Drivers {
		if d.State == deploy.DriverSubmitted {
			waiting++
		}
	}
	return ui.Object{
		"waitingDrivers": waiting, "cores": s.cores, "coresused": s.coresUsed, "coresutilization": percent(s.coresUsed, s.cores),
		"memory": s.memory, "memoryused": s.memoryUsed, "memoryutilization": percent(s.memoryUsed, s.memory),
	}
}
