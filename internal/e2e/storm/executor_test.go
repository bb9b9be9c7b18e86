package storm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/executor"
)

// worker is an executor whose tasks only take their time.
type worker struct {
	executor.Base
	dir string
}

func runExecutor(ctx context.Context) error {
	d, err := executor.NewDriver(&worker{dir: os.Getenv(dirVariable)},
		executor.Config{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	if status := d.Run(ctx); status != executor.Stopped {
		return fmt.Errorf("the executor ended as %s: %w", status, d.Err())
	}
	return nil
}

func (w *worker) LaunchTask(d executor.Driver, task *mesos.TaskInfo) {
	var p plan
	if err := json.Unmarshal(task.Data, &p); err != nil {
		d.Abort()
		return
	}
	w.write(p.Task, "begin\n")
	d.SendStatusUpdate(&mesos.TaskStatus{TaskId: task.TaskId, State: new(mesos.TaskState_TASK_RUNNING)})
	time.AfterFunc(time.Duration(p.Millis)*time.Millisecond, func() {
		w.write(p.Task, "end\n")
		state := mesos.TaskState_TASK_FINISHED
		if p.Exit != 0 {
			state = mesos.TaskState_TASK_FAILED
		}
		d.SendStatusUpdate(&mesos.TaskStatus{TaskId: task.TaskId, State: &state, Message: new(fmt.Sprint("code ", p.Exit))})
	})
}

func (w *worker) write(task, text string) {
	f, err := os.OpenFile(trace(w.dir, task), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		panic(err)
	}
}
