package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"

	operatorpb "github.com/meseta/meseta/api/meseta/operator/v1"
)

// Detach has the master run a command and prints the ids of the tasks, one a line. They are durably its own
// then: it launches them when it can, whoever dies meanwhile.
func Detach(ctx context.Context, o RunOptions, stdout io.Writer) error {
	needs, err := o.demand()
	if err != nil {
		return err
	}
	command, err := o.commandInfo()
	if err != nil {
		return err
	}
	command.User = new(cmp.Or(o.User, caller()))
	call := &operatorpb.Call_RunTasks{Name: new(o.taskName()), Command: command, Instances: new(uint32(max(1, o.Instances))),
		Cpus: new(needs.CPUs.Float()), Mem: new(needs.Mem.Float()), Disk: new(needs.Disk.Float()), Gpus: new(needs.GPUs.Float()),
		Ports: new(uint32(needs.Ports)), MaxCompletionTime: o.completion()}
	if o.Role != "" {
		call.Role = &o.Role
	}
	answer, err := o.Client.order(ctx, &operatorpb.Call{Type: operatorpb.Call_RUN_TASKS.Enum(), RunTasks: call})
	if _, away := errors.AsType[*awayError](err); away {
		return fmt.Errorf("%w; it may have been taken on all the same, look with: meseta tasks", err)
	}
	if err != nil {
		return err
	}
	for _, id := range answer.GetRunTasks().GetTaskIds() {
		fmt.Fprintln(stdout, id.GetValue())
	}
	return nil
}

// caller is the name of the user who runs this process, or else the number, which no agent takes for a name.
func caller() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}
