package main

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/scheduler"
	"github.com/meseta/meseta/scheduler/schedulertest"
)

func TestStopsWhenTheTaskHasFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := schedulertest.New(t)
		cluster.OnTask(func(task *schedulertest.Task) error { return task.Sleep(time.Minute) })
		driver := cluster.Start(&hello{}, scheduler.Config{})
		cluster.WaitFor("hello-1", mesos.TaskState_TASK_FINISHED)
		if status := driver.Join(); status != scheduler.Stopped {
			t.Errorf("the driver is %v, want stopped", status)
		}
	})
}

func TestGivesUpWhenTheTaskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := schedulertest.New(t)
		cluster.OnTask(func(task *schedulertest.Task) error { return errors.New("no echo") })
		driver := cluster.Start(&hello{}, scheduler.Config{})
		if status := driver.Join(); status != scheduler.Aborted {
			t.Errorf("the driver is %v, want aborted", status)
		}
	})
}
