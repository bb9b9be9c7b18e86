package allocator

import "github.com/meseta/meseta/internal/ids"

// Verdict is why a framework is, or is not, offered what is idle on an agent.
type Verdict uint8

// Verdicts.
const (
	Suitable Verdict = iota
	UnknownAgent
	UnknownFramework
	NotInRole
	FrameworkInactive
	Suppressed
	AgentInactive
	NeedsGPUCapability
	TooLittle
	Refused
)

// String says it in a sentence, with what could change it.
func (v Verdict) String() string {
	switch v {
	case Suitable:
		return "it would be offered, if nobody came first"
	case UnknownAgent:
		return "the agent is not known; it has to register"
	case UnknownFramework:
		return "the framework is not known; it has to subscribe"
	case NotInRole:
		return "the framework has not subscribed to the role"
	case FrameworkInactive:
		return "the framework is disconnected; it has to subscribe again"
	case Suppressed:
		return "the framework has suppressed offers for the role; REVIVE asks for them again"
	case AgentInactive:
		return "the agent is deactivated or disconnected"
	case NeedsGPUCapability:
		return "the agent has gpus, and the framework lacks the capability GPU_RESOURCES"
	case TooLittle:
		return "what is idle on the agent, and neither reserved to others nor beyond the framework's capabilities, is less than the smallest offer"
	case Refused:
		return "the framework has refused this or more of the agent; the filter expires, or REVIVE removes it"
	}
	return "unknown verdict"
}

// Explain says whether a framework would be offered, for a role, what is idle
// on an agent at the moment.
func (a *Allocator) Explain(framework ids.FrameworkID, role ids.Role, agent ids.AgentID) Verdict {
	fw, ag := a.frameworks[framework], a.agents[agent]
	switch {
	case ag == nil:
		return UnknownAgent
	case fw == nil || !fw.known:
		return UnknownFramework
	}
	m := fw.byRole[role]
	switch {
	case m == nil || !m.subscribed:
		return NotInRole
	case !fw.active:
		return FrameworkInactive
	case m.suppressed:
		return Suppressed
	case !ag.active:
		return AgentInactive
	}
	_, verdict := a.part(m, ag, ag.idle)
	return verdict
}
