package cli

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/container"
)

// timeUp is the exit code of what was killed because its time was up, as timeout(1) has it.
const timeUp = 124

// exitCode tells how the run ended: as the first instance that failed, if one did.
func (r *runner) exitCode() (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.instances {
		if i.last == nil && i.failure == nil {
			return 0, fmt.Errorf("task %s: did not end within %s of being killed", i.task, killPatience)
		}
	}
	if r.first == nil {
		return 0, nil
	}
	return r.first.exitCode()
}

// exitCode tells how an instance ended.
func (i *instance) exitCode() (int, error) {
	if i.failure != nil {
		return 0, i.failure
	}
	message := i.last.GetMessage()
	if i.last.GetReason() == mesos.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED {
		return timeUp, nil
	}
	var code int
	if _, err := fmt.Sscanf(message, "Command exited with status %d", &code); err == nil {
		return code, nil
	}
	if name, ok := strings.CutPrefix(message, "Command terminated with signal "); ok {
		return 128 + signalNumber(strings.TrimSuffix(name, " (core dumped)")), nil
	}
	return 0, fmt.Errorf("task %s: %s: %s%s", i.task, shortState(i.last.GetState()), orDash(message), wayOut[i.last.GetReason()])
}

// wayOut says what to do about a task that asked for too little.
var wayOut = map[mesos.TaskStatus_Reason]string{
	mesos.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY: "; ask for more with --mem",
	mesos.TaskStatus_REASON_CONTAINER_LIMITATION_DISK:   "; ask for more with --disk",
}

// signalNumber finds a signal by its description; 0 if there is none.
func signalNumber(name string) int {
	for n := syscall.Signal(1); n < 65; n++ {
		if container.SignalName(n) == name {
			return int(n)
		}
	}
	return 0
}

// sayWhoFailed names the instances that failed, where there are several and somebody looks on.
func (r *runner) sayWhoFailed() {
	if r.options.Notice == nil || len(r.instances) == 1 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.instances {
		if code, err := i.exitCode(); err == nil && code != 0 {
			fmt.Fprintf(r.options.Notice, "meseta: instance %d: exit code %d\n", i.number, code)
		}
	}
}
