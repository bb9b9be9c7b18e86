package operator

import (
	"net/http"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/detached"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/wire"
)

// MesosVersion is the level of the Mesos API that we keep. Clients compare it as dotted integers.
const MesosVersion = "1.11.0"

// Master answers what is asked of a master: POST /api/v1, and the older endpoints, a path each.
type Master struct {
	Info      *mesos.MasterInfo
	Release   string // of the binary, for people
	Self      Self
	Started   time.Time
	Elected   time.Time
	MaxBytes  int64                                                      // of a call
	View      func(*http.Request) (cluster.View, error)                  // freezes the cluster
	Order     func(*http.Request, cluster.Order) (cluster.Answer, error) // has the core change it
	Run       func(*http.Request, detached.Run) (detached.Answer, error) // has detached tasks taken on
	Subscribe func(http.ResponseWriter, *http.Request, wire.Codec)       // holds a stream of events
	Refuse    func(w http.ResponseWriter, err error)                     // answers when either could not be done
}

// ServeCall answers one call of POST /api/v1.
func (m *Master) ServeCall(w http.ResponseWriter, r *http.Request) {
	call := new(masterpb.Call)
	accept, ok := wire.DecodeCall(w, r, call, m.MaxBytes)
	if !ok {
		return
	}
	if problem := validate(call); problem != "" {
		wire.Answer(w, http.StatusBadRequest, "Failed to validate master::Call: "+problem)
		return
	}
	if accept == 0 {
		wire.NotAcceptable(w)
		return
	}
	switch call.GetType() {
	case masterpb.Call_SUBSCRIBE:
		m.Subscribe(w, r, accept)
	case masterpb.Call_TEARDOWN:
		if _, ok := m.order(w, r, cluster.OrderTeardown{Framework: ids.FrameworkID(call.Teardown.GetFrameworkId().GetValue())}); ok {
			w.WriteHeader(http.StatusOK)
		}
	case masterpb.Call_MARK_AGENT_GONE:
		if _, ok := m.order(w, r, cluster.OrderMarkGone{Agent: ids.AgentID(call.MarkAgentGone.GetAgentId().GetValue())}); ok {
			w.WriteHeader(http.StatusOK)
		}
	case masterpb.Call_SET_LOGGING_LEVEL:
		m.Self.serveSetLevel(w, r, call.SetLoggingLevel)
	case masterpb.Call_LIST_FILES, masterpb.Call_READ_FILE:
		serveNoFile(w)
	default:
		m.serveRead(w, r, call.GetType(), accept)
	}
}

// serveRead answers a question.
func (m *Master) serveRead(w http.ResponseWriter, r *http.Request, t masterpb.Call_Type, accept wire.Codec) {
	answer := m.static(t)
	if answer == nil {
		read := m.reader(t)
		if read == nil {
			wire.Answerf(w, http.StatusNotImplemented, "%s is not implemented", t)
			return
		}
		view, err := m.View(r)
		if err != nil {
			m.Refuse(w, err)
			return
		}
		answer = read(&view)
	}
	answer.Type = masterpb.Response_Type(masterpb.Response_Type_value[t.String()]).Enum()
	wire.Respond(w, accept, answer)
}

func validate(call *masterpb.Call) string {
	if call.Type == nil || call.GetType() == masterpb.Call_UNKNOWN {
		return "Expecting 'type' to be present"
	}
	missing := ""
	switch call.GetType() {
	case masterpb.Call_TEARDOWN:
		missing = absent(call.Teardown, "teardown")
	case masterpb.Call_MARK_AGENT_GONE:
		missing = absent(call.MarkAgentGone, "mark_agent_gone")
	case masterpb.Call_SET_LOGGING_LEVEL:
		missing = absent(call.SetLoggingLevel, "set_logging_level")
	case masterpb.Call_GET_METRICS:
		missing = absent(call.GetMetrics, "get_metrics")
	case masterpb.Call_LIST_FILES:
		missing = absent(call.ListFiles, "list_files")
	case masterpb.Call_READ_FILE:
		missing = absent(call.ReadFile, "read_file")
	}
	return missing
}

// absent complains about details that are not there.
func absent[M any](details *M, name string) string {
	if details != nil {
		return ""
	}
	return "Expecting '" + name + "' to be present"
}

// static answers what does not depend on the state of the cluster; nil for everything else.
func (m *Master) static(t masterpb.Call_Type) *masterpb.Response {
	switch t {
	case masterpb.Call_GET_HEALTH:
		return &masterpb.Response{GetHealth: &masterpb.Response_GetHealth{Healthy: new(true)}}
	case masterpb.Call_GET_VERSION:
		return &masterpb.Response{GetVersion: &masterpb.Response_GetVersion{
			VersionInfo: &mesos.VersionInfo{Version: new(MesosVersion)}}}
	case masterpb.Call_GET_MASTER:
		return &masterpb.Response{GetMaster: &masterpb.Response_GetMaster{MasterInfo: m.Info,
			StartTime: new(stamp(m.Started)), ElectedTime: new(stamp(m.Elected))}}
	case masterpb.Call_GET_FLAGS:
		return &masterpb.Response{GetFlags: m.Self.flags()}
	case masterpb.Call_GET_LOGGING_LEVEL:
		return &masterpb.Response{GetLoggingLevel: &masterpb.Response_GetLoggingLevel{Level: new(m.Self.Level())}}
	}
	return nil
}

// reader is what answers a call from a View; nil if nothing does.
func (m *Master) reader(t masterpb.Call_Type) func(*cluster.View) *masterpb.Response {
	if t == masterpb.Call_GET_METRICS {
		return func(v *cluster.View) *masterpb.Response { return &masterpb.Response{GetMetrics: m.metrics(v)} }
	}
	return readers[t]
}

// readers answer from a View and nothing else.
var readers = map[masterpb.Call_Type]func(*cluster.View) *masterpb.Response{
	masterpb.Call_GET_AGENTS: func(v *cluster.View) *masterpb.Response {
		return &masterpb.Response{GetAgents: agents(v)}
	},
	masterpb.Call_GET_FRAMEWORKS: func(v *cluster.View) *masterpb.Response {
		return &masterpb.Response{GetFrameworks: frameworks(v)}
	},
	masterpb.Call_GET_EXECUTORS: func(v *cluster.View) *masterpb.Response {
		return &masterpb.Response{GetExecutors: executors(v)}
	},
	masterpb.Call_GET_TASKS: func(v *cluster.View) *masterpb.Response {
		return &masterpb.Response{GetTasks: tasks(v)}
	},
	masterpb.Call_GET_STATE: func(v *cluster.View) *masterpb.Response {
		return &masterpb.Response{GetState: state(v)}
	},
}

func stamp(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
