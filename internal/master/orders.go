package master

import (
	"fmt"
	"net/http"

	"github.com/meseta/meseta/internal/cluster"
)

// order puts what an operator asks for to the core, and leaves a line in the log of who asked for what and
// what came of it.
func (m *Master) order(r *http.Request, o cluster.Order) (cluster.Answer, error) {
	if kill, ok := o.(cluster.OrderKill); ok {
		if a, mine, err := m.killDetached(r, kill); mine || err != nil {
			m.audit(r, o, resultOf(err), taskAttrs(a.Task)...)
			return a, err
		}
	}
	answers := make(chan cluster.Answer, 1)
	err := m.loop.deliver(r.Context(), delivery{in: cluster.OperatorCall{Order: o}, answer: answers})
	if err != nil {
		m.audit(r, o, err.Error())
		return cluster.Answer{}, err
	}
	select {
	case a := <-answers:
		if a.Code == cluster.Accepted {
			m.audit(r, o, "accepted", taskAttrs(a.Task)...)
		} else {
			m.audit(r, o, a.Text)
		}
		return a, nil
	case <-m.stopping:
		m.audit(r, o, errStopping.Error())
		return cluster.Answer{}, errStopping
	}
}

func resultOf(err error) string {
	if err != nil {
		return err.Error()
	}
	return "accepted"
}

// audit writes the line. Whoever reads the log finds all of these by their key.
func (m *Master) audit(r *http.Request, o cluster.Order, result string, more ...any) {
	attrs := []any{"from", r.RemoteAddr, "user_agent", userAgent(r), "result", result}
	switch o := o.(type) {
	case cluster.OrderKill:
		attrs = append(attrs, "audit", "KILL_TASK", "task", o.Task)
		if len(more) == 0 {
			attrs = append(attrs, "framework", o.Framework)
		}
	case cluster.OrderTeardown:
		attrs = append(attrs, "audit", "TEARDOWN", "framework", o.Framework)
	case cluster.OrderMarkGone:
		attrs = append(attrs, "audit", "MARK_AGENT_GONE", "agent", o.Agent)
	}
	m.log.Info("operator call", append(attrs, more...)...)
}

// taskAttrs are what is worth knowing of a task that was found by its id alone.
func taskAttrs(t *cluster.Task) []any {
	if t == nil {
		return nil
	}
	return []any{"framework", t.Key.Framework, "agent", t.Info.Agent, "state", t.State.String()}
}

// userAgent is who a caller says he is, as much of it as the log has room for.
func userAgent(r *http.Request) string { return fmt.Sprintf("%.200s", r.UserAgent()) }
