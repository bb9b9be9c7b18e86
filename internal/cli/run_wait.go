package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	masterpb "github.com/meseta/meseta/api/mesos/v1/master"
	"github.com/meseta/meseta/internal/demand"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

// People are told what is waited for when it takes this long, and looked after for them as often.
const waitNotice = 2 * time.Second

// sayWhatIsWaitedFor tells people why nothing happens, as long as something waits for an offer: once, and
// again when the reason has changed.
func (r *runner) sayWhatIsWaitedFor(ctx context.Context, client *Client) {
	for said := ""; ; {
		select {
		case <-r.ended:
			return
		case <-ctx.Done():
			return
		case <-time.After(waitNotice):
		}
		r.mu.Lock()
		waiting := r.waiting
		r.mu.Unlock()
		if waiting == 0 {
			continue
		}
		answer, err := client.Call(ctx, masterpb.Call_GET_AGENTS)
		if err != nil {
			continue // a master that is away says nothing; the run goes on with the next one
		}
		text := fmt.Sprintf("meseta: waiting for %s: %s", r.demand,
			whyNot(r.demand, ids.Role(cmp.Or(r.options.Role, "*")), rooms(answer.GetGetAgents().GetAgents())))
		if len(r.instances) > 1 {
			text = fmt.Sprintf("meseta: %d of %d instances wait, each for %s", waiting, len(r.instances),
				strings.TrimPrefix(text, "meseta: waiting for "))
		}
		if text != said {
			fmt.Fprintln(r.options.Notice, text)
			said = text
		}
	}
}

// room is what an agent has.
type room struct {
	host        string
	away        bool
	total, free resources.List
}

func rooms(agents []*masterpb.Response_GetAgents_Agent) (all []room) {
	for _, a := range agents {
		total, err := resourcepb.FromProto(a.TotalResources)
		used, err2 := resourcepb.FromProto(a.AllocatedResources)
		if err != nil || err2 != nil {
			continue
		}
		all = append(all, room{host: a.GetAgentInfo().GetHostname(), away: !a.GetActive(), total: total,
			free: total.Sub(used.Unallocated())})
	}
	return all
}

// whyNot says why a demand has not been met yet.
func whyNot(d demand.Demand, role ids.Role, all []room) string {
	present := slices.DeleteFunc(slices.Clone(all), func(r room) bool { return r.away })
	switch {
	case len(all) == 0:
		return "there is no agent"
	case len(present) == 0:
		return "no agent is there, those that are known are away"
	}
	if d.GPUs == 0 {
		if present = slices.DeleteFunc(present, func(r room) bool { return r.total.Scalar(resources.GPUs) > 0 }); len(present) == 0 {
			return "every agent has gpus, which are kept for those who ask for some"
		}
	}
	large := func(r room) resources.List { return r.total.AllocatableTo(role) }
	free := func(r room) resources.List { return r.free.AllocatableTo(role) }
	best, short := nearest(d, present, large)
	if len(short) > 0 {
		return fmt.Sprintf("no agent is large enough; the largest, %s, has %s", best.host, haves(short))
	}
	fitting := slices.DeleteFunc(present, func(r room) bool { return len(d.Short(large(r))) > 0 })
	best, short = nearest(d, fitting, free)
	if len(short) == 0 {
		return fmt.Sprintf("%s has room, which is offered to others just now", best.host)
	}
	return fmt.Sprintf("all is in use; the emptiest agent, %s, has %s free", best.host, haves(short))
}

// nearest is the agent that comes nearest to a demand, with what it lacks: the fewest things, and of the first
// of them it has the most.
func nearest(d demand.Demand, all []room, of func(room) resources.List) (room, []demand.Shortage) {
	best := slices.MinFunc(all, func(a, b room) int {
		x, y := d.Short(of(a)), d.Short(of(b))
		if len(x) == 0 || len(y) == 0 || len(x) != len(y) {
			return cmp.Compare(len(x), len(y))
		}
		return cmp.Or(cmp.Compare(y[0].Have, x[0].Have))
	})
	return best, d.Short(of(best))
}

// haves says what there is of what is short.
func haves(short []demand.Shortage) string {
	var words []string
	for _, s := range short {
		words = append(words, s.String())
	}
	return strings.Join(words, " and ")
}
