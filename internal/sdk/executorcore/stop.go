package executorcore

import (
	"errors"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
)

// errAborted explains a subscription that ends because the executor has aborted.
var errAborted = errors.New("the driver is aborted")

// end is the end of a driver.
//
// It begins when Shutdown is put in line, and the driver drains once that callback has returned: only
// updates and acknowledgements are looked after. Stop begins to drain at once. Draining ends when nothing
// waits for an acknowledgement, and at the deadline.
type end struct {
	begun    bool          // the last callback is in line
	calling  bool          // Shutdown is out
	draining bool          // no callback will follow
	deadline time.Duration // of the grace period; core.Never before it begins
	finished bool
}

// shutdown asks the executor to end. The grace period counts from here, as it does for the agent.
func (c *Core) shutdown() {
	c.giveUp = core.Never
	if !c.running() || c.end.begun {
		return
	}
	c.call(Shutdown{}, 0)
	c.end.begun = true
	c.end.deadline = c.now.Mono + c.cfg.GracePeriod
}

// stop ends the driver once its updates are acknowledged.
func (c *Core) stop() {
	if c.status != mesos.Status_DRIVER_RUNNING && c.status != mesos.Status_DRIVER_ABORTED {
		return
	}
	c.status = mesos.Status_DRIVER_STOPPED
	c.callbacks.Clear()
	c.giveUp = core.Never
	c.end.begun, c.end.draining = true, true
	c.end.deadline = min(c.end.deadline, c.now.Mono+c.cfg.GracePeriod)
}

// abort ends the driver at once.
func (c *Core) abort() {
	if !c.running() {
		return
	}
	c.status = mesos.Status_DRIVER_ABORTED
	c.callbacks.Clear()
	c.closeLink(errAborted)
}

// fail aborts the driver because it cannot go on, and tells the executor.
func (c *Core) fail(err error) {
	if c.running() {
		c.fault = err
		c.callbacks.Clear()
		c.end.begun = false
		c.call(Error{Err: err}, 0)
		c.status = mesos.Status_DRIVER_ABORTED
	}
	c.closeLink(err)
}

// finish ends the driver once nothing is left to be done.
func (c *Core) finish() {
	if c.end.finished || !c.nothingLeft() {
		return
	}
	if c.running() {
		c.status = mesos.Status_DRIVER_STOPPED
	}
	c.end.finished = true
	c.closeLink(errFinished)
	c.emit(Finished{Unacknowledged: c.updates.len()})
}

func (c *Core) nothingLeft() bool {
	switch {
	case c.link.state == linkClosed:
		// Nothing can be sent any more; Error may have to be called yet.
		return c.callbacks.Len() == 0
	case c.end.draining:
		return c.updates.len() == 0 || c.now.Mono >= c.end.deadline
	}
	return false
}
