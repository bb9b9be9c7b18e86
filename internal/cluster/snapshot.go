package cluster

// View is the whole cluster as it was at one moment, for readers of any kind and speed.
type View struct {
	MasterID            string
	Frameworks          Snapshot[Framework] // some of them gone, until their last task has ended
	Agents              Snapshot[Agent]
	Tasks               Snapshot[Task]
	Executors           Snapshot[Executor]
	Offers              Snapshot[Offer]
	CompletedFrameworks Snapshot[Framework]
	CompletedTasks      Snapshot[Task]

	// Of the tasks that the master itself is to launch for others, which the shell adds: those that wait, and
	// the last that ended before any agent had them.
	Pending, NeverLaunched []*Task
}

// View freezes the cluster. It costs a copy of the page tables, whatever is in them.
func (c *Cluster) View() View {
	return View{
		MasterID:            c.config.MasterID,
		Frameworks:          c.frameworks.Snapshot(),
		Agents:              c.agents.Snapshot(),
		Tasks:               c.tasks.Snapshot(),
		Executors:           c.executors.Snapshot(),
		Offers:              c.offers.Snapshot(),
		CompletedFrameworks: c.history.frameworks.Snapshot(),
		CompletedTasks:      c.history.tasks.Snapshot(),
	}
}
