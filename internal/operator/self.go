package operator

import (
	"maps"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/wire"
)

// Self is what a master knows of itself, beside the cluster.
type Self struct {
	Flags    map[string]string                                           // settings by name
	Level    func() uint32                                               // of logging: 0 as it was started
	SetLevel func(r *http.Request, level uint32, duration time.Duration) // for a while
	Watchers func() int                                                  // streams of events that are held
}

// flags answers GET_FLAGS.
func (s *Self) flags() *masterpb.Response_GetFlags {
	out := new(masterpb.Response_GetFlags)
	for _, name := range slices.Sorted(maps.Keys(s.Flags)) {
		out.Flags = append(out.Flags, &mesos.Flag{Name: &name, Value: new(s.Flags[name])})
	}
	return out
}

// serveSetLevel answers SET_LOGGING_LEVEL.
func (s *Self) serveSetLevel(w http.ResponseWriter, r *http.Request, call *masterpb.Call_SetLoggingLevel) {
	d := time.Duration(call.GetDuration().GetNanoseconds())
	if d < 0 {
		wire.Answer(w, http.StatusBadRequest, "Expecting 'set_logging_level.duration' to be no negative duration")
		return
	}
	s.SetLevel(r, call.GetLevel(), d)
	w.WriteHeader(http.StatusOK)
}

// serveNoFile answers LIST_FILES and READ_FILE: a master has no files to show. Its log goes where its starter
// wants it.
func serveNoFile(w http.ResponseWriter) { wire.Answer(w, http.StatusNotFound, "") }

// metrics answers GET_METRICS, in Mesos' names, with what a View tells. What would have to be counted from the
// beginning is not there.
func (m *Master) metrics(v *cluster.View) *masterpb.Response_GetMetrics {
	all := map[string]float64{
		"master/uptime_secs":                       time.Since(m.Started).Seconds(),
		"master/elected":                           1,
		"master/operator_event_stream_subscribers": float64(m.Self.Watchers()),
		"system/cpus_total":                        float64(runtime.NumCPU()),
	}
	countTasks(all, v)
	countFrameworks(all, v)
	countAgents(all, v)
	measureUse(all, v)
	out := new(masterpb.Response_GetMetrics)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out.Metrics = append(out.Metrics, &mesos.Metric{Name: &name, Value: new(all[name])})
	}
	return out
}

// taskGauges are the metrics of states that tasks leave again.
var taskGauges = map[mesos.TaskState]string{
	mesos.TaskState_TASK_STAGING:     "master/tasks_staging",
	mesos.TaskState_TASK_STARTING:    "master/tasks_starting",
	mesos.TaskState_TASK_RUNNING:     "master/tasks_running",
	mesos.TaskState_TASK_KILLING:     "master/tasks_killing",
	mesos.TaskState_TASK_UNREACHABLE: "master/tasks_unreachable",
}

func countTasks(all map[string]float64, v *cluster.View) {
	for _, name := range taskGauges {
		all[name] = 0
	}
	for t := range v.Tasks.All() {
		if name := taskGauges[t.State]; name != "" {
			all[name]++
		}
	}
	for t := range v.CompletedTasks.All() {
		if t.Unreachable() {
			all["master/tasks_unreachable"]++
		}
	}
}

func countFrameworks(all map[string]float64, v *cluster.View) {
	connected, away := 0.0, 0.0
	for f := range v.Frameworks.All() {
		switch {
		case f.Gone():
		case f.Connected():
			connected++
		default:
			away++
		}
	}
	all["master/frameworks_connected"], all["master/frameworks_active"] = connected, connected
	all["master/frameworks_disconnected"], all["master/frameworks_inactive"] = away, away
	offers := 0.0
	for range v.Offers.All() {
		offers++
	}
	all["master/outstanding_offers"] = offers
}

func countAgents(all map[string]float64, v *cluster.View) {
	connected, away := 0.0, 0.0
	for a := range v.Agents.All() {
		if a.Connected() {
			connected++
		} else {
			away++
		}
	}
	all["master/slaves_connected"], all["master/slaves_active"] = connected, connected
	all["master/slaves_disconnected"], all["master/slaves_inactive"] = away, away
}

// measureUse says how much of each resource there is and is used.
func measureUse(all map[string]float64, v *cluster.View) {
	everywhere, _ := use(v, func(ids.FrameworkID, ids.AgentID) struct{} { return struct{}{} })
	used := everywhere[struct{}{}]
	for _, name := range []string{"cpus", "gpus", "mem", "disk"} {
		var total float64
		for a := range v.Agents.All() {
			total += a.Info.Resources.Scalar(name).Float()
		}
		part := used.Scalar(name).Float()
		all["master/"+name+"_total"], all["master/"+name+"_used"], all["master/"+name+"_percent"] = total, part, 0
		if total > 0 {
			all["master/"+name+"_percent"] = part / total
		}
	}
}
