package framework

import (
	"math"
	"strconv"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/examples/pinspider/crawler"
)

// plan is what is to be done: so many tasks, in pairs. Both tasks of a pair crawl the same URL, the first
// for the profile, the second for the boards. When there are more pairs than URLs, the URLs come
// around again.
type plan struct {
	urls  []string
	tasks int
	where artifact
}

// artifact is where agents get the executors' binary, and how it is to be called.
type artifact struct {
	uri  string
	args []string // what comes between the binary's name and the kind
}

// executorFile is the binary's name in the sandbox.
const executorFile = "pinspider-executor"

var executorNames = map[crawler.Kind]string{
	crawler.Profile: "PinUserProfileExecutor",
	crawler.Board:   "PinUserBoardExecutor",
}

// task is the n-th task, to run on the agent.
func (p plan) task(n int, agent *mesos.AgentID) *mesos.TaskInfo {
	id := strconv.Itoa(n)
	kind := []crawler.Kind{crawler.Profile, crawler.Board}[n%2]
	return &mesos.TaskInfo{
		Name:      new("task " + id),
		TaskId:    &mesos.TaskID{Value: new(id)},
		AgentId:   agent,
		Resources: perTask.resources(),
		Executor:  p.where.executor(kind),
		Data:      []byte(p.urls[n/2%len(p.urls)]),
	}
}

// executor describes the executor of a kind. Tasks with equal descriptions share one process on each agent.
func (a artifact) executor(kind crawler.Kind) *mesos.ExecutorInfo {
	name := executorNames[kind]
	arguments := append([]string{executorFile}, a.args...)
	return &mesos.ExecutorInfo{
		Type:       mesos.ExecutorInfo_CUSTOM.Enum(),
		ExecutorId: &mesos.ExecutorID{Value: new(name)},
		Name:       new(name),
		Source:     new("pinspider"),
		Command: &mesos.CommandInfo{
			Shell:     new(false), // no shell in between, and nothing to quote
			Value:     new("./" + executorFile),
			Arguments: append(arguments, string(kind)),
			Uris: []*mesos.CommandInfo_URI{{
				Value:      new(a.uri),
				Executable: new(true),
				Extract:    new(false),
				OutputFile: new(executorFile),
			}},
		},
	}
}

// amount is how much of a machine, in thousandths: as Mesos counts, so that 0.1 and 0.2 make 0.3.
type amount struct{ milliCPUs, milliMiB int64 }

// perTask is what one task gets. The executors themselves ask for nothing.
var perTask = amount{milliCPUs: 1000, milliMiB: 128_000}

// sum adds up the cpus and the memory of an offer, which may come in several pieces.
func sum(resources []*mesos.Resource) amount {
	var total amount
	for _, r := range resources {
		milli := int64(math.Round(r.GetScalar().GetValue() * 1000))
		switch r.GetName() {
		case "cpus":
			total.milliCPUs += milli
		case "mem":
			total.milliMiB += milli
		}
	}
	return total
}

// take takes part out of the amount, if it is there.
func (a *amount) take(part amount) bool {
	if a.milliCPUs < part.milliCPUs || a.milliMiB < part.milliMiB {
		return false
	}
	a.milliCPUs -= part.milliCPUs
	a.milliMiB -= part.milliMiB
	return true
}

func (a amount) cpus() float64 { return float64(a.milliCPUs) / 1000 }
func (a amount) mem() float64  { return float64(a.milliMiB) / 1000 }

func (a amount) resources() []*mesos.Resource {
	scalar := func(name string, value float64) *mesos.Resource {
		return &mesos.Resource{
			Name:   new(name),
			Type:   mesos.Value_SCALAR.Enum(),
			Scalar: &mesos.Value_Scalar{Value: new(value)},
		}
	}
	return []*mesos.Resource{scalar("cpus", a.cpus()), scalar("mem", a.mem())}
}
