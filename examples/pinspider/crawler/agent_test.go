package crawler_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/examples/pinspider/crawler"
	"github.com/meseta/meseta/examples/pinspider/site"
	"github.com/meseta/meseta/executor/executortest"
)

const (
	running  = mesos.TaskState_TASK_RUNNING
	finished = mesos.TaskState_TASK_FINISHED
	failed   = mesos.TaskState_TASK_FAILED
	killed   = mesos.TaskState_TASK_KILLED
)

// onAgent runs a test with a crawler on an agent, on virtual time.
func onAgent(t *testing.T, kind crawler.Kind, web http.Handler, test func(t *testing.T, agent *executortest.Agent)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, executortest.New(t, crawler.New(kind, site.Client(web, crawler.PageTimeout), silent())))
	})
}

func task(id, path string) *mesos.TaskInfo {
	return &mesos.TaskInfo{TaskId: &mesos.TaskID{Value: &id}, Data: []byte("http://site" + path)}
}

func TestEveryFieldOfRandomPagesIsReported(t *testing.T) {
	users := site.Random(rand.New(rand.NewPCG(5, 6)), 20)
	onAgent(t, crawler.Profile, site.Serve(users), func(t *testing.T, agent *executortest.Agent) {
		for _, user := range users {
			agent.Launch(task(user.Path(), user.Path()))
			agent.WaitFor(user.Path(), finished)
			var got crawler.ProfileReport
			if err := json.Unmarshal(agent.WaitForMessage(), &got); err != nil {
				t.Fatal(err)
			}
			want := crawler.ProfileReport{URL: "http://site" + user.Path(), Profile: user.Profile}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("profile (-want +got):\n%s", diff)
			}
		}
	})
	onAgent(t, crawler.Board, site.Serve(users), func(t *testing.T, agent *executortest.Agent) {
		for _, user := range users {
			agent.Launch(task(user.Path(), user.Path()))
			agent.WaitFor(user.Path(), finished)
			var got crawler.BoardsReport
			if err := json.Unmarshal(agent.WaitForMessage(), &got); err != nil {
				t.Fatal(err)
			}
			want := crawler.BoardsReport{URL: "http://site" + user.Path(), Boards: user.Boards}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("boards (-want +got):\n%s", diff)
			}
		}
	})
}

func TestTaskRunsReportsAndFinishes(t *testing.T) {
	onAgent(t, crawler.Board, site.Handler(), func(t *testing.T, agent *executortest.Agent) {
		agent.Launch(task("0", "/no-boards/"))
		agent.WaitFor("0", finished)
		want := `{"url":"http://site/no-boards/","boards":[]}`
		if got := string(agent.WaitForMessage()); got != want {
			t.Errorf("message is %s, want %s", got, want)
		}
		if sent := agent.Updates("0"); len(sent) != 2 || sent[0].GetState() != running {
			t.Errorf("sent %v, want TASK_RUNNING and TASK_FINISHED", sent)
		}
		if owed := agent.Unacknowledged(); owed != nil {
			t.Errorf("not acknowledged: %v", owed)
		}
	})
}

func TestMalformedPageGivesEmptyValuesAndFinishes(t *testing.T) {
	onAgent(t, crawler.Profile, site.Handler(), func(t *testing.T, agent *executortest.Agent) {
		agent.Launch(task("0", "/mangled/"))
		agent.WaitFor("0", finished)
		var report crawler.ProfileReport
		if err := json.Unmarshal(agent.WaitForMessage(), &report); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(crawler.ProfileReport{URL: "http://site/mangled/"}, report); diff != "" {
			t.Errorf("profile (-want +got):\n%s", diff)
		}
	})
}

// slow serves pages that take so long.
func slow(d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
	})
}

func TestPageThatTakesTooLongFailsTheTask(t *testing.T) {
	onAgent(t, crawler.Profile, slow(time.Hour), func(t *testing.T, agent *executortest.Agent) {
		begin := time.Now()
		agent.Launch(task("0", "/x/"))
		status := agent.WaitFor("0", failed)
		if took := time.Since(begin).Round(time.Second); took != crawler.PageTimeout {
			t.Errorf("failed after %v, want %v", took, crawler.PageTimeout)
		}
		if message := status.GetMessage(); !strings.Contains(message, "http://site/x/") || !strings.Contains(message, "deadline exceeded") {
			t.Errorf("message %q, want the URL and that it took too long", message)
		}
	})
}

func TestKilledTaskEndsAndOthersGoOn(t *testing.T) {
	onAgent(t, crawler.Profile, slow(20*time.Second), func(t *testing.T, agent *executortest.Agent) {
		agent.Launch(task("a", "/"), task("b", "/"))
		agent.WaitFor("a", running)
		agent.WaitFor("b", running)
		agent.Kill("a")
		if status := agent.WaitFor("a", killed); status.GetMessage() != "killed on request" {
			t.Errorf("a ended with %q, want %q", status.GetMessage(), "killed on request")
		}
		agent.WaitFor("b", finished)
	})
}

func TestShutdownEndsEveryTask(t *testing.T) {
	onAgent(t, crawler.Profile, slow(time.Hour), func(t *testing.T, agent *executortest.Agent) {
		ids := []string{"a", "b", "c"}
		for _, id := range ids {
			agent.Launch(task(id, "/"))
			agent.WaitFor(id, running)
		}
		agent.Shutdown()
		if !agent.WaitForEnd() {
			t.Error("the executor did not stop in order")
		}
		for _, id := range ids {
			agent.WaitFor(id, killed)
			if sent := agent.Updates(id); len(sent) != 2 {
				t.Errorf("%s: %d updates, want RUNNING and KILLED: %v", id, len(sent), sent)
			}
		}
	})
}

// A page that is read while the agent is away is not lost: the update waits for it.
func TestCrawlsOnWhileItsAgentIsAway(t *testing.T) {
	onAgent(t, crawler.Profile, slow(20*time.Second), func(t *testing.T, agent *executortest.Agent) {
		agent.Launch(task("0", "/"))
		agent.WaitFor("0", running)
		agent.Restart(time.Minute)
		agent.WaitFor("0", finished)
	})
}

func TestGoesWhenItsAgentStaysAway(t *testing.T) {
	onAgent(t, crawler.Profile, site.Handler(), func(t *testing.T, agent *executortest.Agent) {
		agent.Launch(task("0", "/no-boards/"))
		agent.WaitFor("0", finished)
		begin := time.Now()
		agent.Restart(time.Hour)
		if !agent.WaitForEnd() {
			t.Error("the executor did not stop in order")
		}
		if took := time.Since(begin); took < 15*time.Minute || took > 16*time.Minute {
			t.Errorf("it waited for %v, want 15 min", took)
		}
	})
}
