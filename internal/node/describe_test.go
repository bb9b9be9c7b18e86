package node

import (
	"fmt"
	"strings"

	"github.com/meseta/meseta/api/mesos/v1"
)

// describe prints an output on one line, for transcripts and for failing properties.
func describe(out Output) string {
	switch o := out.(type) {
	case Persist:
		parts := make([]string, len(o.Records))
		for i, r := range o.Records {
			parts[i] = describeRecord(r)
		}
		verb := "write"
		if o.Sync {
			verb = "persist"
		}
		return fmt.Sprintf("%s #%d: %s", verb, o.Ticket, strings.Join(parts, "; "))
	case ToMaster:
		return fmt.Sprintf("master %d/%d: %s", o.Session, o.Epoch, describeBody(o.Body))
	case CloseLink:
		return fmt.Sprintf("close link: %s", o.Reason)
	case Answer:
		return strings.TrimSpace(fmt.Sprintf("answer %d %s", o.Status, o.Text))
	case ToExecutor:
		return fmt.Sprintf("stream %d: %s", o.Stream, describeEvent(o.Event))
	case CloseStream:
		return fmt.Sprintf("close stream %d", o.Stream)
	case StartContainer:
		what := "executor " + string(o.Sandbox.Executor)
		if o.Task != "" {
			what = "task " + string(o.Task)
		}
		return joinFilled(fmt.Sprintf("start %s: %s of %s as %s", nameContainer(o.Sandbox.Container), what, o.Sandbox.Framework, o.User),
			describeLimits(o.Limits))
	case LimitContainer:
		return joinFilled("limit "+nameContainer(o.Container), describeLimits(o.Limits))
	case PrepareSandbox:
		return fmt.Sprintf("prepare %s", nameContainer(o.Sandbox.Container))
	case KillContainer:
		return fmt.Sprintf("kill %s after %v", nameContainer(o.Container), o.Grace)
	case CollectContainer:
		return fmt.Sprintf("collect %s", nameContainer(o.Container))
	case AllEnded:
		return strings.TrimSpace("all ended " + o.Reason)
	case GiveUp:
		return "give up: " + o.Reason
	case Notice:
		return "notice: " + joinFilled(o.What.String(), string(o.Framework), string(o.Executor), string(o.Task), nameContainer(o.Container), o.Detail)
	}
	return fmt.Sprintf("%T%+v", out, out)
}

func describeLimits(l Limits) string {
	if l == (Limits{}) {
		return ""
	}
	return fmt.Sprintf("[shares %d quota %v mem %s soft %s pids %d]", l.CPUShares, l.CPUQuota, sizeText(l.Mem), sizeText(l.MemSoft), l.PIDs)
}

func describeRecord(r Record) string {
	switch r := r.(type) {
	case IdentityRecord:
		return fmt.Sprintf("identity %s of %s epoch %d %s", r.Agent, r.Cluster, r.Epoch, r.Boot)
	case FrameworkRecord:
		if r.Ending {
			return "framework " + string(r.Framework.ID) + " ending"
		}
		return "framework " + string(r.Framework.ID)
	case FrameworkGone:
		return "framework " + string(r.Framework) + " gone"
	case ExecutorRecord:
		return fmt.Sprintf("executor %s in %s", r.Executor, nameContainer(r.Container))
	case ExecutorGone:
		return fmt.Sprintf("executor %s gone", r.Executor)
	case TaskRecord:
		return strings.TrimSuffix(fmt.Sprintf("task %s in %s", r.Task, nameContainer(r.Container)), " in ")
	case StatusRecord:
		return fmt.Sprintf("%s %s %s", r.Task, shortState(r.Status.State), nameUUID(r.Status.UUID))
	case AckRecord:
		return fmt.Sprintf("%s ack %s", r.Task, nameUUID(r.UUID))
	}
	return fmt.Sprintf("%T", r)
}

func describeBody(body AgentBody) string {
	switch b := body.(type) {
	case Subscribe:
		parts := []string{fmt.Sprintf("subscribe %q of %q", b.Agent, b.Cluster)}
		for _, f := range b.Frameworks {
			parts = append(parts, "framework "+string(f.ID))
		}
		for _, e := range b.Executors {
			parts = append(parts, "executor "+string(e.Info)+" in "+nameContainer(e.Container))
		}
		for _, t := range b.Tasks {
			parts = append(parts, describeView(t))
		}
		return strings.Join(parts, "; ")
	case Update:
		return fmt.Sprintf("update %s %s latest %s", b.Task, describeStatus(b.Status), shortState(b.Latest))
	case ExecutorMessage:
		return fmt.Sprintf("message of %s %q", b.Executor, b.Data)
	case ExecutorExited:
		return fmt.Sprintf("executor %s exited %d", b.Executor, b.Status)
	case AgentLeaves:
		return "leaves"
	case AgentFrameworkGone:
		return fmt.Sprintf("framework %s is gone", b.Framework)
	case TaskRefused:
		return fmt.Sprintf("task %s refused %s %q", b.Task, b.Reason, b.Message)
	}
	return fmt.Sprintf("%T", body)
}

func describeView(t TaskView) string {
	var states []string
	for _, s := range t.Statuses {
		states = append(states, shortState(s.State))
	}
	past := ""
	if t.TerminalAcknowledged {
		past = " past"
	}
	return fmt.Sprintf("task %s %s told %s %s [%s]%s", t.Task, shortState(t.State), shortState(t.ReportedState),
		nameUUID(t.ReportedUUID), strings.Join(states, " "), past)
}

func describeStatus(s *Status) string {
	reason := ""
	if s.Reason != NoReason {
		reason = s.Reason.String()
	}
	pid := ""
	if s.PID != 0 {
		pid = fmt.Sprintf("pid %d", s.PID)
	}
	message := ""
	if s.Message != "" {
		message = fmt.Sprintf("%q", s.Message)
	}
	limited := ""
	if s.Limited != nil {
		limited = fmt.Sprintf("too much %s %d", s.Limited.Resource, s.Limited.Bytes)
	}
	executor := ""
	if s.Executor != "" {
		executor = "exec " + string(s.Executor)
	}
	return joinFilled(shortState(s.State), nameUUID(s.UUID), s.Source.String(), reason, message, limited, executor, nameContainer(s.Container), pid)
}

func describeEvent(event ExecutorEvent) string {
	switch e := event.(type) {
	case ExecutorSubscribed:
		return fmt.Sprintf("subscribed %s in %s", e.Executor, nameContainer(e.Container))
	case ExecutorLaunch:
		return fmt.Sprintf("launch %s", e.Task)
	case ExecutorKill:
		return "kill " + string(e.Task)
	case ExecutorAcknowledged:
		return fmt.Sprintf("acknowledged %s %s", e.Task, nameUUID(e.UUID))
	case ExecutorHears:
		return fmt.Sprintf("message %q", e.Data)
	case ExecutorShutdown:
		return "shutdown"
	}
	return fmt.Sprintf("%T", event)
}

func shortState(s mesos.TaskState) string { return strings.TrimPrefix(s.String(), "TASK_") }

func joinFilled(parts ...string) string {
	var filled []string
	for _, p := range parts {
		if p != "" {
			filled = append(filled, p)
		}
	}
	return strings.Join(filled, " ")
}
