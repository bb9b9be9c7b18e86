// Package demandpb writes what a demand took of an offer into the description of a task.
package demandpb

import (
	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

// Give gives a task its share: the resources, and the ports in its command's environment. A variable that the
// command has already stays as it is.
func Give(t *mesos.TaskInfo, s demand.Share, f resourcepb.Format) {
	t.Resources = resourcepb.ToProto(s.Resources, f)
	var all []*mesos.Environment_Variable
	for _, v := range s.Variables() {
		all = append(all, &mesos.Environment_Variable{Name: &v[0], Value: &v[1]})
	}
	if len(all) == 0 {
		return
	}
	if t.Command == nil {
		t.Command = new(mesos.CommandInfo)
	}
	all = append(all, t.Command.GetEnvironment().GetVariables()...) // of two with one name the last counts
	t.Command.Environment = &mesos.Environment{Variables: all}
}
