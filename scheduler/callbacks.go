package scheduler

import (
	"fmt"

	core "github.com/meseta/meseta/internal/sdk/schedulercore"
)

// makeCallbacks makes one callback after the other until the driver has finished.
func (d *driver) makeCallbacks() {
	for cb := range d.callbacks {
		d.callBack(cb)
		d.do(core.Returned{})
	}
}

func (d *driver) callBack(cb core.Callback) {
	s := d.scheduler
	switch cb := cb.(type) {
	case core.Registered:
		// The id is kept first: a scheduler that launches a task and dies must find it again.
		if err := d.keepFrameworkID(cb.Framework.GetValue()); err != nil {
			d.do(core.Fail{Err: fmt.Errorf("keep the framework's id: %w", err)})
			return
		}
		d.log.Info("registered", "framework", cb.Framework.GetValue(), "master", cb.Master.GetPid())
		s.Registered(d, cb.Framework, cb.Master)
	case core.Reregistered:
		d.log.Info("registered again", "master", cb.Master.GetPid())
		s.Reregistered(d, cb.Master)
	case core.Disconnected:
		s.Disconnected(d)
	case core.ResourceOffers:
		s.ResourceOffers(d, cb.Offers)
	case core.OfferRescinded:
		s.OfferRescinded(d, cb.Offer)
	case core.StatusUpdate:
		s.StatusUpdate(d, cb.Status)
	case core.FrameworkMessage:
		s.FrameworkMessage(d, cb.Executor, cb.Agent, cb.Data)
	case core.AgentLost:
		s.AgentLost(d, cb.Agent)
	case core.ExecutorLost:
		s.ExecutorLost(d, cb.Executor, cb.Agent, cb.Status)
	case core.Error:
		s.Error(d, cb.Err)
	}
}
