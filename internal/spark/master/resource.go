package master

import (
	"slices"

	"github.com/meseta/meseta/internal/spark/deploy"
)

// free are the addresses of a Worker's custom resource that nobody uses, in the Worker's order.
func (w *Worker) free(name string) []string {
	total := w.Resources[name].Addresses
	if len(total) == 0 {
		return nil
	}
	used := make(map[string]bool)
	for _, e := range w.executors {
		for _, a := range e.Resources[name].Addresses {
			used[a] = true
		}
	}
	for _, d := range w.drivers {
		for _, a := range d.Resources[name].Addresses {
			used[a] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(total), func(a string) bool { return used[a] })
}

// acquire picks addresses for each requirement. The caller has seen that there are enough, and counts
// them by giving them to an executor or driver of the Worker.
func (w *Worker) acquire(reqs []deploy.ResourceRequirement) map[string]deploy.Resource {
	if len(reqs) == 0 {
		return nil
	}
	got := make(map[string]deploy.Resource, len(reqs))
	for _, r := range reqs {
		got[r.ResourceName] = deploy.Resource{Name: r.ResourceName, Addresses: w.free(r.ResourceName)[:r.Amount]}
	}
	return got
}

// fits tells whether a Worker has room for something.
func (w *Worker) fits(cores, memory int, reqs []deploy.ResourceRequirement) bool {
	return w.coresFree() >= cores && w.memoryFree() >= memory && w.copies(reqs) > 0
}

// could tells whether a Worker would have room if nothing ran there.
func (w *Worker) could(cores, memory int, reqs []deploy.ResourceRequirement) bool {
	for _, r := range reqs {
		if len(w.Resources[r.ResourceName].Addresses) < r.Amount {
			return false
		}
	}
	return w.Cores >= cores && w.Memory >= memory
}

// copies is for how many of a kind the free addresses suffice.
func (w *Worker) copies(reqs []deploy.ResourceRequirement) int {
	n := unlimited
	for _, r := range reqs {
		if r.Amount > 0 {
			n = min(n, len(w.free(r.ResourceName))/r.Amount)
		}
	}
	return n
}
