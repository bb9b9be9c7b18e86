package main

import (
	"context"
	"fmt"
	"os"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
)

// executorsAtOnce is how many tasks with an executor of their own run at the same time.
const executorsAtOnce = 4

// weighExecutors runs tasks that have an executor each, beside bare starts of the same program.
func weighExecutors(ctx context.Context, s sizes) ([]line, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c, err := startCluster(ctx, s.plan)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	b, err := connect(c, executorsAtOnce)
	if err != nil {
		return nil, err
	}
	defer b.stop()
	b.task = func(id string, agent *mesos.AgentID) *mesos.TaskInfo { return executorTask(self, id, agent) }
	if err := b.runTasks(ctx, executorsAtOnce); err != nil { // to warm up
		return nil, err
	}
	bare, err := measureStarts(ctx, executorsAtOnce, s.floor, program{self, []string{childVariable + "=nothing"}})
	if err != nil {
		return nil, err
	}
	meter, err := newMeter(c)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := b.runTasks(ctx, s.executors); err != nil {
		return nil, err
	}
	took := time.Since(begin)
	time.Sleep(time.Second) // the last executors end
	cpu, err := meter.perTask(s.executors)
	if err != nil {
		return nil, err
	}
	return []line{
		{label: fmt.Sprintf("tasks with an executor each, %d at a time", executorsAtOnce),
			value: fmt.Sprintf("%.0f /s", float64(s.executors)/took.Seconds()), floor: fmt.Sprintf("%.0f /s", bare.perSecond)},
		{label: "  CPU time of everything for each", value: fmt.Sprintf("%.1f ms", micros(cpu.total())/1000), floor: fmt.Sprintf("%.1f ms", micros(bare.cpu)/1000)},
		{label: "  of which is the executor's own", value: fmt.Sprintf("%.1f ms", micros(cpu.commands)/1000)},
	}, nil
}

// executorTask is a task with this program as its executor.
func executorTask(self, id string, agent *mesos.AgentID) *mesos.TaskInfo {
	t := task(id, agent)
	t.Command = nil
	t.Executor = &mesos.ExecutorInfo{
		Type:       mesos.ExecutorInfo_CUSTOM.Enum(),
		ExecutorId: &mesos.ExecutorID{Value: new("of-" + id)},
		Command: &mesos.CommandInfo{Shell: new(false), Value: &self,
			Environment: withVariable(nil, childVariable, "executor")},
	}
	return t
}
