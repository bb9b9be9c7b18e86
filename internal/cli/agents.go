package cli

import (
	"context"
	"strings"

	"github.com/meseta/meseta/api/mesos/v1"
	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

// AgentRow is an agent in a list.
type AgentRow struct {
	ID         string  `json:"id"`
	Hostname   string  `json:"hostname"`
	Address    string  `json:"address"`
	Active     bool    `json:"active"`
	CPUs       float64 `json:"cpus"`
	CPUsUsed   float64 `json:"cpus_used"`
	Mem        float64 `json:"mem"`
	MemUsed    float64 `json:"mem_used"`
	Disk       float64 `json:"disk"`
	DiskUsed   float64 `json:"disk_used"`
	Registered float64 `json:"registered"` // seconds since 1970
}

type agentMessage = masterpb.Response_GetAgents_Agent

// Agents prints the agents.
func (c *Client) Agents(ctx context.Context, s *Screen, o ListOptions) error {
	return printList(ctx, s, o, func(ctx context.Context) (*list[AgentRow], error) {
		r, err := c.Call(ctx, masterpb.Call_GET_AGENTS)
		if err != nil {
			return nil, err
		}
		var rows []AgentRow
		for _, a := range r.GetGetAgents().GetAgents() {
			rows = append(rows, agentRow(a))
		}
		return &list[AgentRow]{rows, agentColumns, "no agents; start one with: meseta agent --master " + c.Master}, nil
	})
}

var agentColumns = []column[AgentRow]{
	{title: "AGENT", cell: func(r AgentRow) string { return r.ID }, kind: anID},
	{title: "HOST", cell: func(r AgentRow) string { return r.Hostname }, kind: prose},
	{title: "ADDRESS", cell: func(r AgentRow) string { return r.Address }, wide: true},
	{title: "STATE", cell: AgentRow.state, kind: aState},
	{title: "CPUS", cell: func(r AgentRow) string { return used(r.CPUsUsed, r.CPUs) }},
	{title: "MEM", cell: func(r AgentRow) string { return used(r.MemUsed, r.Mem) }},
	{title: "DISK", cell: func(r AgentRow) string { return used(r.DiskUsed, r.Disk) }},
	{title: "SINCE", cell: func(r AgentRow) string { return ago(r.Registered) }},
}

func (r AgentRow) state() string { return pick(r.Active, "active", "away") }

func agentRow(a *agentMessage) AgentRow {
	return AgentRow{
		ID: a.GetAgentInfo().GetId().GetValue(), Hostname: a.GetAgentInfo().GetHostname(), Address: agentAddress(a),
		Active: a.GetActive(),
		CPUs:   scalar(a.TotalResources, "cpus"), CPUsUsed: scalar(a.AllocatedResources, "cpus"),
		Mem: scalar(a.TotalResources, "mem"), MemUsed: scalar(a.AllocatedResources, "mem"),
		Disk: scalar(a.TotalResources, "disk"), DiskUsed: scalar(a.AllocatedResources, "disk"),
		Registered: seconds(a.GetRegisteredTime()),
	}
}

// agentAddress is where the agent's API is: what stands behind the @ of its pid.
func agentAddress(a *agentMessage) string {
	_, address, _ := strings.Cut(a.GetPid(), "@")
	return address
}

var agentNaming = naming[*agentMessage]{
	noun: "agent", list: "meseta agents",
	id:     func(a *agentMessage) string { return a.GetAgentInfo().GetId().GetValue() },
	name:   func(a *agentMessage) string { return a.GetAgentInfo().GetHostname() + ", " + agentAddress(a) },
	called: func(a *agentMessage) string { return a.GetAgentInfo().GetHostname() },
}

// agentName is the hostname of an agent; empty if it is not there.
func agentName(state *masterpb.Response_GetState, id string) string {
	for _, a := range state.GetGetAgents().GetAgents() {
		if agentNaming.id(a) == id {
			return a.GetAgentInfo().GetHostname()
		}
	}
	return ""
}

// ShowAgent prints all there is to say about an agent.
func (c *Client) ShowAgent(ctx context.Context, s *Screen, f Format, called string) error {
	r, err := c.Call(ctx, masterpb.Call_GET_STATE)
	if err != nil {
		return err
	}
	state := r.GetGetState()
	a, err := agentNaming.find(state.GetGetAgents().GetAgents(), called)
	if err != nil {
		return err
	}
	if f == JSON {
		return printMessage(s, a)
	}
	row := agentRow(a)
	sheet := &sheet{screen: s}
	sheet.add("Agent", row.ID)
	sheet.add("Host", row.Hostname)
	sheet.add("Address", row.Address)
	sheet.addLike("State", row.state(), stateColor(row.state()))
	sheet.add("Registered", since(row.Registered))
	sheet.add("Came back", since(seconds(a.GetReregisteredTime())))
	sheet.add("Attributes", attributes(a.GetAgentInfo().GetAttributes()))
	sheet.add("Resources", inWords(a.TotalResources))
	sheet.add("Used", inWords(a.AllocatedResources))
	sheet.add("Offered", inWords(a.OfferedResources))
	sheet.add("Free", free(a))
	var running []*mesos.Task
	for _, t := range state.GetGetTasks().GetTasks() {
		if t.GetAgentId().GetValue() == row.ID {
			running = append(running, t)
		}
	}
	addTable(sheet, "Tasks", list[TaskRow]{rows: taskRows(running), columns: taskColumns})
	return sheet.print()
}

func attributes(ms []*mesos.Attribute) string {
	all, err := resourcepb.AttributesFromProto(ms)
	if err != nil {
		return err.Error()
	}
	var words []string
	for _, a := range all {
		words = append(words, a.String())
	}
	return strings.Join(words, "; ")
}

// free is what is neither used nor offered.
func free(a *agentMessage) string {
	rest, err := resourcepb.FromProto(a.TotalResources)
	for _, taken := range [][]*mesos.Resource{a.AllocatedResources, a.OfferedResources} {
		l, problem := resourcepb.FromProto(taken)
		if err != nil || problem != nil {
			return ""
		}
		rest = rest.Sub(l.Unallocated())
	}
	return listed(rest)
}
