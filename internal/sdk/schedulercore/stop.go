package schedulercore

import (
	"maps"
	"slices"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
)

// stop is the end of a driver. Between Stop and Finished only calls and the subscription are looked after.
type stop struct {
	begun    bool
	teardown bool          // the framework shall end too
	asked    bool          // the master has been told
	answered bool          // the master has said yes or no
	tornDown bool          // it was yes
	deadline time.Duration // when to stop waiting
	finished bool
}

// beginStop begins the end. It is for aborted drivers too: their subscription was kept for this.
func (c *Core) beginStop(failover bool) {
	if c.status != mesos.Status_DRIVER_RUNNING && c.status != mesos.Status_DRIVER_ABORTED {
		return
	}
	c.status = mesos.Status_DRIVER_STOPPED
	c.callbacks.Clear()
	c.stop.begun = true
	c.stop.teardown = !failover
	c.stop.deadline = c.now.Mono + c.cfg.StopTimeout
	if c.connected() {
		c.tearDown()
	}
}

// tearDown asks for the end of the framework, if it shall end.
func (c *Core) tearDown() {
	if c.stop.teardown {
		c.stop.asked = true
		c.send(&schedulerpb.Call{Type: schedulerpb.Call_TEARDOWN.Enum()})
	}
}

// abort ends callbacks and hands all offers back, present and future ones. An error, if there is one, is
// the last callback.
func (c *Core) abort(fault error) {
	if c.status != mesos.Status_DRIVER_RUNNING {
		return
	}
	c.becomeAborted(fault)
	c.suppress(nil)
	var back []*mesos.OfferID
	for _, id := range slices.Sorted(maps.Keys(c.offers)) {
		back = append(back, &mesos.OfferID{Value: new(string(id))})
	}
	c.decline(back, nil)
}

// fail aborts the driver because the master does not want it. There is no use in subscribing again: after
// ERROR the framework is somebody else's, or gone.
func (c *Core) fail(err error) {
	if c.stop.asked && c.link.state == linkSubscribing {
		c.stop.tornDown = true // by a TEARDOWN whose answer was lost
	}
	c.closeLink(err)
	if c.status == mesos.Status_DRIVER_RUNNING {
		c.becomeAborted(err)
	}
}

// becomeAborted ends callbacks, but for Error if there is one.
func (c *Core) becomeAborted(fault error) {
	c.status = mesos.Status_DRIVER_ABORTED
	c.callbacks.Clear()
	if fault != nil {
		c.fault = fault
		c.call(Error{Err: fault}, 0)
	}
}

// finish ends the driver once nothing is left to be done.
func (c *Core) finish() {
	if c.stop.finished || !c.nothingLeft() {
		return
	}
	c.stop.finished = true
	c.closeLink(errFinished)
	c.emit(Finished{TornDown: c.stop.tornDown})
}

func (c *Core) nothingLeft() bool {
	switch {
	case c.link.state == linkClosed:
		// Nothing can be sent any more; Error may have to be called yet.
		return c.callbacks.Len() == 0
	case !c.stop.begun:
		return false
	case c.now.Mono >= c.stop.deadline, c.stop.answered:
		return true
	case c.stop.teardown:
		// A framework that no master has heard of needs no end.
		return c.link.state == linkWaiting && c.framework == nil
	default:
		return !c.connected() || c.link.unanswered == 0
	}
}
