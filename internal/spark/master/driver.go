package master

import (
	"fmt"
	"slices"

	"github.com/meseta/meseta/internal/spark/deploy"
)

// Driver is a driver that runs on the cluster, as the Master knows it.
type Driver struct {
	DriverRecord
	State     deploy.DriverState
	Worker    *Worker // nil while it waits
	Resources map[string]deploy.Resource
	Exception *deploy.Exception
}

func (w *Worker) holdDriver(d *Driver) {
	w.drivers = append(w.drivers, d)
	w.coresUsed += d.Desc.Cores
	w.memoryUsed += d.Desc.Memory
}

func (w *Worker) dropDriver(d *Driver) {
	if !slices.Contains(w.drivers, d) {
		return
	}
	w.drivers = remove(w.drivers, d)
	w.coresUsed -= d.Desc.Cores
	w.memoryUsed -= d.Desc.Memory
}

// notAlive begins every answer of a Master that does not lead. Clients know it by these words, and ask
// another.
const notAlive = "Current state is not alive: "

func (m *Master) refuse(can string) string { return notAlive + m.state.String() + ". Can only " + can }

// submitDriver takes a driver. The answers to submissions come without a reference to the Master:
// clients do not use it, and what they asked does not tell their build well enough to write one.
func (m *Master) submitDriver(msg deploy.RequestSubmitDriver, builds []*deploy.Build) deploy.SubmitDriverResponse {
	if m.state != Alive {
		return deploy.SubmitDriverResponse{Message: m.refuse("accept driver submissions in ALIVE state.")}
	}
	if len(builds) == 0 {
		return deploy.SubmitDriverResponse{Message: "the driver is of a Spark that is not supported"}
	}
	negative := func(r deploy.ResourceRequirement) bool { return r.Amount < 0 }
	if d := msg.Driver; d.Cores < 0 || d.Memory < 0 || slices.ContainsFunc(d.ResourceReqs, negative) {
		return deploy.SubmitDriverResponse{Message: fmt.Sprintf("a driver of %d cores, %d MiB and %v: expected no negative amount", d.Cores, d.Memory, d.ResourceReqs)}
	}
	if len(m.drivers) >= m.cfg.MaxListed {
		return deploy.SubmitDriverResponse{Message: fmt.Sprintf("there are %d drivers, which is the limit", len(m.drivers))}
	}
	d := m.addDriver(msg.Driver, builds)
	m.note(Info, Notice{Driver: d.ID, Detail: mainClass(d.Desc)}, "a driver was submitted")
	return deploy.SubmitDriverResponse{Success: true, DriverID: &d.ID, Message: "Driver successfully submitted as " + d.ID}
}

func (m *Master) addDriver(desc deploy.DriverDescription, builds []*deploy.Build) *Driver {
	d := &Driver{DriverRecord: DriverRecord{ID: m.newDriverID(), Submitted: m.now.Wall, Desc: desc, Builds: builds}}
	m.drivers = append(m.drivers, d)
	m.waitingDrivers = append(m.waitingDrivers, d)
	m.newDrivers = append(m.newDrivers, d)
	m.changed = true
	m.do(Save{d.DriverRecord})
	return d
}

// newDriverID makes an id that no driver has, not even one of the Master before.
func (m *Master) newDriverID() string {
	for {
		id := fmt.Sprintf(m.cfg.DriverIDPattern, m.now.Wall.Format(stamp), m.driverNumber)
		m.driverNumber++
		if m.driver(id) == nil {
			return id
		}
	}
}

// mainClass is the class that the user wrote: the command's own only prepares the way for it.
func mainClass(d deploy.DriverDescription) string {
	if len(d.Command.Arguments) > 2 {
		return d.Command.Arguments[2]
	}
	return d.Command.MainClass
}

func (m *Master) requestKillDriver(msg deploy.RequestKillDriver) deploy.KillDriverResponse {
	answer := deploy.KillDriverResponse{DriverID: msg.DriverID}
	d := m.driver(msg.DriverID)
	switch {
	case m.state != Alive:
		answer.Message = m.refuse("kill drivers in ALIVE state.")
	case d == nil || d.State.Finished():
		answer.Message = fmt.Sprintf("Driver %s has already finished or does not exist", msg.DriverID)
		m.note(Warn, Notice{Driver: msg.DriverID}, "asked to kill a driver that is over or was never there")
	default:
		m.killDriver(d)
		answer.Success = true
		answer.Message = fmt.Sprintf("Kill request for %s submitted", msg.DriverID)
	}
	return answer
}

// killDriver ends a driver. That of one that runs is for its Worker to tell.
func (m *Master) killDriver(d *Driver) {
	m.note(Info, Notice{Driver: d.ID}, "asked to kill a driver")
	switch {
	case d.Worker == nil:
		m.removeDriver(d, deploy.DriverKilled, nil)
	default:
		m.do(Send{To: d.Worker.Ref, Build: d.Worker.Build, Message: deploy.KillDriver{DriverID: d.ID}})
	}
}

func (m *Master) killAllDrivers() deploy.KillAllDriversResponse {
	if m.state != Alive {
		return deploy.KillAllDriversResponse{Message: m.refuse("kill drivers in ALIVE state.")}
	}
	for _, d := range slices.Clone(m.drivers) {
		m.killDriver(d)
	}
	return deploy.KillAllDriversResponse{Success: true, Message: "Kill request for all drivers submitted"}
}

func (m *Master) driverStatus(msg deploy.RequestDriverStatus) deploy.DriverStatusResponse {
	if m.state != Alive {
		return deploy.DriverStatusResponse{Exception: &deploy.Exception{
			Class: "java.lang.Exception", Message: m.refuse("request driver status in ALIVE state."),
		}}
	}
	d := m.driver(msg.DriverID)
	if d == nil {
		return deploy.DriverStatusResponse{}
	}
	answer := deploy.DriverStatusResponse{Found: true, State: &d.State, Exception: d.Exception}
	if d.Worker != nil {
		answer.WorkerID, answer.WorkerHostPort = &d.Worker.ID, new(fmt.Sprintf("%s:%d", d.Worker.Host, d.Worker.Port))
	}
	return answer
}

func (m *Master) driverChanged(msg deploy.DriverStateChanged) {
	d := m.driver(msg.DriverID)
	switch {
	case d == nil || !slices.Contains(m.drivers, d):
		m.note(Warn, Notice{Driver: msg.DriverID}, "a driver that is not known any more is %v", msg.State)
	case !msg.State.Finished():
		m.note(Error, Notice{Driver: msg.DriverID}, "a driver is said to be %v, expected an end", msg.State)
	default:
		m.removeDriver(d, msg.State, msg.Exception)
	}
}

// removeDriver is the door to the final states, and to RELAUNCHING, in which another driver takes over.
func (m *Master) removeDriver(d *Driver, state deploy.DriverState, exception *deploy.Exception) {
	n := Notice{Driver: d.ID}
	if exception != nil {
		n.Detail = exception.Error()
	}
	m.note(Info, n, "a driver is %v", state)
	m.drivers, m.waitingDrivers = remove(m.drivers, d), remove(m.waitingDrivers, d)
	m.completedDrivers = retain(m.completedDrivers, m.cfg.RetainedDrivers, d)
	m.do(Forget{d.Key()})
	d.State, d.Exception = state, exception
	if d.Worker != nil {
		d.Worker.dropDriver(d)
	}
	m.changed = true
}

// relaunchDriver submits a driver again. It gets a new id: the old one may still run where nobody sees
// it, and what is told of that one later must not be taken for this one's.
func (m *Master) relaunchDriver(d *Driver) {
	m.removeDriver(d, deploy.DriverRelaunching, nil)
	again := m.addDriver(d.Desc, d.Builds)
	m.note(Info, Notice{Driver: again.ID, Detail: "in place of " + d.ID}, "a driver is launched again")
}

// driver finds a driver, over or not.
func (m *Master) driver(id string) *Driver {
	for _, list := range [][]*Driver{m.drivers, m.completedDrivers} {
		for _, d := range list {
			if d.ID == id {
				return d
			}
		}
	}
	return nil
}
