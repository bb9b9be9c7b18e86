package framework

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/examples/pinspider/crawler"
	"github.com/meseta/meseta/examples/pinspider/site"
	"github.com/meseta/meseta/executor"
	"github.com/meseta/meseta/scheduler"
	"github.com/meseta/meseta/scheduler/schedulertest"
)

// run is the framework in a cluster that is played.
type run struct {
	*schedulertest.Cluster
	framework *Framework
	driver    scheduler.Driver
	out, log  bytes.Buffer // written by callbacks
}

// inCluster runs a test with the framework in a cluster of three agents, on virtual time. Its tasks take a minute.
func inCluster(t *testing.T, tasks int, test func(t *testing.T, r *run)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &run{Cluster: schedulertest.New(t, schedulertest.Agents(3, "cpus:2;mem:1024"))}
		r.OnTask(func(task *schedulertest.Task) error {
			if err := task.Sleep(time.Minute); err != nil {
				return err
			}
			report, err := json.Marshal(map[string]string{"url": string(task.Info.Data)})
			task.Send(report)
			return err
		})
		r.framework = newFramework(plan{urls: []string{"http://site/teodor/", "http://site/ottoline/"}, tasks: tasks},
			&r.out, slog.New(slog.NewTextHandler(&r.log, nil)))
		driver, err := scheduler.NewDriver(r.framework, r.Config(scheduler.Config{Framework: Config{}.info()}))
		if err != nil {
			t.Fatal(err)
		}
		r.driver = driver
		test(t, r)
	})
}

// drive drives to the end, and gives what came of it.
func (r *run) drive(ctx context.Context) error { return r.framework.outcome(drive(ctx, r.driver)) }

// nothingIsLeft checks that the cluster has forgotten the framework.
func (r *run) nothingIsLeft(t *testing.T) {
	t.Helper()
	if history := r.History(); !strings.Contains(history, "framework removed") {
		t.Error("the framework is still there")
	}
}

func TestPairsOfTasksRunAndReport(t *testing.T) {
	inCluster(t, 5, func(t *testing.T, r *run) {
		if err := r.drive(t.Context()); err != nil {
			t.Error(err)
		}
		// Two of each agent's, since there are three agents with two cpus each.
		if launched := r.Launched(); len(launched) != 5 {
			t.Errorf("%d launches, want 5", len(launched))
		}
		for _, want := range []string{
			`userprofile : {"url":"http://site/teodor/"}`, `userboard : {"url":"http://site/teodor/"}`,
			`userprofile : {"url":"http://site/ottoline/"}`, `userboard : {"url":"http://site/ottoline/"}`,
		} {
			if !strings.Contains(r.out.String(), want) {
				t.Errorf("not printed: %s", want)
			}
		}
		if lines := strings.Count(r.out.String(), "\n"); lines != 5 {
			t.Errorf("%d lines, want 5:\n%s", lines, &r.out)
		}
		r.nothingIsLeft(t)
	})
}

// The same with the real crawlers, and the sample site as the whole web.
func TestCrawlersOfOurOwn(t *testing.T) {
	inCluster(t, 4, func(t *testing.T, r *run) {
		r.OnExecutor(func(_ context.Context, info *mesos.ExecutorInfo) executor.Executor {
			kind := crawler.Profile
			if info.GetName() == executorNames[crawler.Board] {
				kind = crawler.Board
			}
			return crawler.New(kind, site.Client(site.Handler(), crawler.PageTimeout), slog.New(slog.DiscardHandler))
		})
		if err := r.drive(t.Context()); err != nil {
			t.Error(err)
		}
		for _, label := range []string{"userprofile : ", "userboard : "} {
			if n := strings.Count(r.out.String(), label); n != 2 {
				t.Errorf("%d lines of %q, want 2:\n%s", n, label, &r.out)
			}
		}
	})
}

func TestMoreTasksThanTheClusterHolds(t *testing.T) {
	inCluster(t, 20, func(t *testing.T, r *run) {
		begin := time.Now()
		if err := r.drive(t.Context()); err != nil {
			t.Error(err)
		}
		// 20 tasks of a minute on 6 cpus are four rounds.
		if took := time.Since(begin); took < 4*time.Minute || took > 5*time.Minute {
			t.Errorf("it took %v, want four rounds of a minute and not much more", took)
		}
	})
}

func TestGivesUpAndLeavesNothingBehind(t *testing.T) {
	for name, test := range map[string]struct {
		trouble func(r *run)
		want    string // in the error
	}{
		"a page does not come": {
			func(r *run) {
				r.OnTask(func(task *schedulertest.Task) error {
					if task.ID() == "1" {
						return context.DeadlineExceeded
					}
					return task.Hang()
				})
			}, "task 1: TASK_FAILED (not given, SOURCE_EXECUTOR): context deadline exceeded"},
		"an executor dies": {
			func(r *run) { time.AfterFunc(time.Second, func() { r.Agent(0).KillExecutor("PinUserBoardExecutor") }) },
			"TASK_FAILED (REASON_EXECUTOR_TERMINATED, SOURCE_AGENT)"},
		"a machine dies": {
			func(r *run) {
				r.OnTask(func(task *schedulertest.Task) error { return task.Hang() })
				time.AfterFunc(time.Second, func() { r.Agent(0).Lose() })
			}, "TASK_LOST (REASON_AGENT_REMOVED, SOURCE_MASTER)"},
		"a launch is lost":       {func(r *run) { r.LoseLaunches(1) }, "TASK_LOST"},
		"the operator is unkind": {func(r *run) { time.AfterFunc(time.Second, r.Teardown) }, "removed"},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 4, func(t *testing.T, r *run) {
				test.trouble(r)
				if err := r.drive(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("it ended with %v, want %q in it", err, test.want)
				}
				r.nothingIsLeft(t)
			})
		})
	}
}

func TestTroubleThatCostsNothing(t *testing.T) {
	for name, trouble := range map[string]func(r *run){
		"the master fails over":               func(r *run) { r.FailOver(10 * time.Second) },
		"the scheduler loses the master":      func(r *run) { r.Disconnect(30 * time.Second) },
		"an agent is upgraded":                func(r *run) { r.Agent(0).Restart(5 * time.Second) },
		"an agent is out of reach for a bit":  func(r *run) { r.Agent(0).Partition(30 * time.Second) },
		"offers are taken back":               func(r *run) { r.RescindOffers() },
		"updates are lost":                    func(r *run) { r.LoseUpdates(3) },
		"updates come twice":                  func(r *run) { r.LoseAcknowledgements(3) },
		"updates and acknowledgements linger": func(r *run) { r.DelayUpdates(2, time.Minute); r.DelayAcknowledgements(2, time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 12, func(t *testing.T, r *run) {
				time.AfterFunc(30*time.Second, func() { trouble(r) })
				if err := r.drive(t.Context()); err != nil {
					t.Error(err)
				}
				if launched := len(r.Launched()); launched != 12 {
					t.Errorf("%d launches, want one for each of 12 tasks", launched)
				}
			})
		})
	}
}

// Messages are best effort: what a crawler found can get lost, and its task has finished all the same.
func TestMessageThatIsLostCostsALine(t *testing.T) {
	inCluster(t, 4, func(t *testing.T, r *run) {
		r.LoseMessages(1)
		if err := r.drive(t.Context()); err != nil {
			t.Error(err)
		}
		if lines := strings.Count(r.out.String(), "\n"); lines != 3 {
			t.Errorf("%d lines, want 3 of 4:\n%s", lines, &r.out)
		}
	})
}

func TestErrorOfTheMasterIsTheOutcome(t *testing.T) {
	inCluster(t, 4, func(t *testing.T, r *run) {
		time.AfterFunc(time.Second, func() { r.SendError("no such role") })
		if err := r.drive(t.Context()); err == nil || !strings.Contains(err.Error(), "no such role") {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestInterruptEndsTheFramework(t *testing.T) {
	inCluster(t, 4, func(t *testing.T, r *run) {
		ctx, interrupt := context.WithTimeout(t.Context(), 10*time.Second)
		defer interrupt()
		if err := r.drive(ctx); err == nil || !strings.Contains(err.Error(), "interrupted when 0 of 4 tasks had finished") {
			t.Errorf("it ended with %v", err)
		}
		r.nothingIsLeft(t)
	})
}

func TestInterruptBeforeTheBeginIsHeeded(t *testing.T) {
	inCluster(t, 4, func(t *testing.T, r *run) {
		ctx, interrupt := context.WithCancel(t.Context())
		interrupt()
		if err := r.drive(ctx); err == nil || !strings.Contains(err.Error(), "interrupted") {
			t.Errorf("it ended with %v", err)
		}
		if launched := r.Launched(); launched != nil {
			t.Errorf("%d launches, want none", len(launched))
		}
	})
}
