package registry

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	registrypb "github.com/meseta/meseta/api/meseta/registry/v1"
	"github.com/meseta/meseta/internal/ids"
)

// keys is the tree of keys under a prefix, as drawn in the package comment.
type keys string

func (k keys) cluster() string { return string(k) + "/cluster" }
func (k keys) leader() string  { return string(k) + "/leader" }

// first and end are the limits between which all keys lie.
func (k keys) first() string { return string(k) + "/" }
func (k keys) end() string   { return string(k) + "0" } // the byte behind the slash

// The kinds of keys that hold one record for each id.
const (
	kindAgent             = "agents"
	kindUnreachable       = "unreachable"
	kindGone              = "gone"
	kindFramework         = "frameworks"
	kindRemoved           = "removed"
	kindDetachedFramework = "detached-frameworks"
	kindDetachedTask      = "detached-tasks"
)

func (k keys) of(kind, id string) string { return string(k) + "/" + kind + "/" + id }

// kindOf returns the kind of a key.
func (k keys) kindOf(key string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(key, string(k)+"/"), "/")
	return kind
}

// change is what an op does to one key.
type change struct {
	key   string
	value []byte // nil takes the key away
	since int64  // of kinds that age, as in the record
}

// aging tells whether the oldest records of a kind are forgotten when there are too many.
func aging(kind string) bool {
	return kind == kindUnreachable || kind == kindGone || kind == kindRemoved
}

// changes translates an op.
func (k keys) changes(op Op) []change {
	switch op := op.(type) {
	case AdmitAgent:
		id := string(op.ID)
		return []change{
			k.put(kindAgent, id, 0, &registrypb.Record{Kind: &registrypb.Record_Agent{
				Agent: &registrypb.Agent{Id: id, Info: op.Info}}}),
			k.drop(kindUnreachable, id),
		}
	case RemoveAgent:
		return []change{k.drop(kindAgent, string(op.ID)), k.drop(kindUnreachable, string(op.ID))}
	case MarkAgentUnreachable:
		id := string(op.ID)
		return []change{
			k.drop(kindAgent, id),
			k.put(kindUnreachable, id, nanos(op.Since), &registrypb.Record{Kind: &registrypb.Record_UnreachableAgent{
				UnreachableAgent: &registrypb.UnreachableAgent{Id: id, Since: nanos(op.Since)}}}),
		}
	case MarkAgentGone:
		id := string(op.ID)
		return []change{
			k.drop(kindAgent, id),
			k.drop(kindUnreachable, id),
			k.put(kindGone, id, nanos(op.Since), &registrypb.Record{Kind: &registrypb.Record_GoneAgent{
				GoneAgent: &registrypb.GoneAgent{Id: id, Since: nanos(op.Since)}}}),
		}
	case AdmitFramework:
		id := string(op.ID)
		return []change{k.put(kindFramework, id, 0, &registrypb.Record{Kind: &registrypb.Record_Framework{
			Framework: &registrypb.Framework{Id: id, Info: op.Info, Principal: op.Principal}}})}
	case RemoveFramework:
		id := string(op.ID)
		return []change{
			k.drop(kindFramework, id),
			k.put(kindRemoved, id, nanos(op.At), &registrypb.Record{Kind: &registrypb.Record_RemovedFramework{
				RemovedFramework: &registrypb.RemovedFramework{Id: id, At: nanos(op.At)}}}),
		}
	case KeepDetachedFramework:
		id := string(op.ID)
		return []change{k.put(kindDetachedFramework, id, 0, &registrypb.Record{Kind: &registrypb.Record_DetachedFramework{
			DetachedFramework: &registrypb.DetachedFramework{Id: id}}})}
	case DropDetachedFramework:
		return []change{k.drop(kindDetachedFramework, string(op.ID))}
	case KeepDetachedTask:
		id := string(op.ID)
		return []change{k.put(kindDetachedTask, id, 0, &registrypb.Record{Kind: &registrypb.Record_DetachedTask{
			DetachedTask: &registrypb.DetachedTask{Id: id, Task: op.Task}}})}
	case DropDetachedTask:
		return []change{k.drop(kindDetachedTask, string(op.ID))}
	}
	panic(fmt.Sprintf("registry: op of unknown type %T", op))
}

func (k keys) put(kind, id string, since int64, record *registrypb.Record) change {
	return change{key: k.of(kind, id), value: encode(record), since: since}
}

func (k keys) drop(kind, id string) change { return change{key: k.of(kind, id)} }

// nanos is a moment as a record has it, and moment is the way back.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}

// encode gives the same bytes for the same record, so that what did not change can be told.
func encode(record *registrypb.Record) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(record)
	if err != nil { // an id that is not UTF-8; Check refuses it
		panic(fmt.Sprintf("registry: encode %v: %v", record, err))
	}
	return b
}

// Check says whether an op can be applied. Whoever takes ids and infos from outside asks before the
// op is emitted: in Apply it is too late to refuse the one who sent them.
func Check(op Op) error {
	var id string
	var size int
	switch op := op.(type) {
	case AdmitAgent:
		id, size = string(op.ID), len(op.Info)
	case RemoveAgent:
		id = string(op.ID)
	case MarkAgentUnreachable:
		id = string(op.ID)
	case MarkAgentGone:
		id = string(op.ID)
	case AdmitFramework:
		id, size = string(op.ID), len(op.Info)+len(op.Principal)
		if !validText(op.Principal) {
			return fmt.Errorf("principal %.60q of framework %q: expected UTF-8", op.Principal, id)
		}
	case RemoveFramework:
		id = string(op.ID)
	case KeepDetachedFramework:
		id = string(op.ID)
	case DropDetachedFramework:
		id = string(op.ID)
	case KeepDetachedTask:
		id, size = string(op.ID), len(op.Task)
	case DropDetachedTask:
		id = string(op.ID)
	}
	switch {
	case id == "" || len(id) > maxID || !validText(id):
		return fmt.Errorf("id %.60q: expected 1 to %d bytes of UTF-8", id, maxID)
	case size > MaxRecord:
		return fmt.Errorf("%w: %T of %q has %d bytes, at most %d", ErrTooLarge, op, id, size, MaxRecord)
	}
	return nil
}

// add takes one stored record into the state. It returns since when it is remembered, for kinds that
// age.
func (s *State) add(key string, value []byte) (since int64, err error) {
	record := new(registrypb.Record)
	if err := proto.Unmarshal(value, record); err != nil {
		return since, fmt.Errorf("registry: record of %d bytes at key %q: %w", len(value), key, err)
	}
	switch r := record.Kind.(type) {
	case *registrypb.Record_Cluster, *registrypb.Record_Leader:
	case *registrypb.Record_Agent:
		s.Agents = append(s.Agents, Agent{ids.AgentID(r.Agent.Id), r.Agent.Info})
	case *registrypb.Record_UnreachableAgent:
		since = r.UnreachableAgent.Since
		s.UnreachableAgents = append(s.UnreachableAgents, UnreachableAgent{ids.AgentID(r.UnreachableAgent.Id), moment(since)})
	case *registrypb.Record_GoneAgent:
		since = r.GoneAgent.Since
		s.GoneAgents = append(s.GoneAgents, GoneAgent{ids.AgentID(r.GoneAgent.Id), moment(since)})
	case *registrypb.Record_Framework:
		s.Frameworks = append(s.Frameworks, Framework{ids.FrameworkID(r.Framework.Id), r.Framework.Info, r.Framework.Principal})
	case *registrypb.Record_RemovedFramework:
		since = r.RemovedFramework.At
		s.RemovedFrameworks = append(s.RemovedFrameworks, RemovedFramework{ids.FrameworkID(r.RemovedFramework.Id), moment(since)})
	case *registrypb.Record_DetachedFramework:
		s.DetachedFrameworks = append(s.DetachedFrameworks, ids.FrameworkID(r.DetachedFramework.Id))
	case *registrypb.Record_DetachedTask:
		s.DetachedTasks = append(s.DetachedTasks, DetachedTask{ids.TaskID(r.DetachedTask.Id), r.DetachedTask.Task})
	default:
		return since, fmt.Errorf("registry: record at key %q is of a kind that this version does not know", key)
	}
	return since, nil
}
