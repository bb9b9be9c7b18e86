package executor

import core "github.com/meseta/meseta/internal/sdk/executorcore"

// makeCallbacks makes one callback after the other until the driver has finished.
func (d *driver) makeCallbacks() {
	for cb := range d.callbacks {
		d.callBack(cb)
		d.do(core.Returned{})
	}
}

func (d *driver) callBack(cb core.Callback) {
	x := d.executor
	switch cb := cb.(type) {
	case core.Registered:
		d.log.Info("registered", "agent", cb.Agent.GetId().GetValue())
		x.Registered(d, cb.Executor, cb.Framework, cb.Agent)
	case core.Reregistered:
		d.log.Info("registered again", "agent", cb.Agent.GetId().GetValue())
		x.Reregistered(d, cb.Agent)
	case core.Disconnected:
		x.Disconnected(d)
	case core.LaunchTask:
		x.LaunchTask(d, cb.Task)
	case core.KillTask:
		x.KillTask(d, cb.Task)
	case core.FrameworkMessage:
		x.FrameworkMessage(d, cb.Data)
	case core.Shutdown:
		x.Shutdown(d)
	case core.Error:
		x.Error(d, cb.Err)
	}
}
