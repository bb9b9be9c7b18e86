package scheduler_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	schedulerpb "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/sdk/fakeserver"
	"github.com/meseta/meseta/scheduler"
)

func TestNewDriverSaysEverythingThatIsWrong(t *testing.T) {
	_, err := scheduler.NewDriver(nil, scheduler.Config{
		Codec: 7, HeartbeatTolerance: -1, BackoffMin: 2, BackoffMax: 1, StopTimeout: -1,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"without a Scheduler", "framework without a name", "codec 7", "heartbeat tolerance -1",
		"backoff from 2ns to 1ns", "stop timeout -1ns", "without servers"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not mention %q", err, want)
		}
	}
}

func TestNewDriverRefusesAMasterThatIsNoAddress(t *testing.T) {
	_, err := scheduler.NewDriver(scheduler.Base{}, config("ftp://localhost"))
	if err == nil || !strings.Contains(err.Error(), "ftp") {
		t.Errorf("error %v", err)
	}
}

func TestEmptyUserAndHostnameAreFilledIn(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	given := &mesos.FrameworkInfo{Name: new("demo")}
	s := register(t, nil, func(c *scheduler.Config) { c.Framework = given })
	info := s.sub.Message.GetSubscribe().GetFrameworkInfo()
	if info.GetUser() != me.Username || info.GetHostname() != here {
		t.Errorf("subscribed as user %q on %q, want %q on %q", info.GetUser(), info.GetHostname(), me.Username, here)
	}
	if given.User != nil || given.Hostname != nil {
		t.Error("the caller's FrameworkInfo was changed")
	}
}

func TestFrameworkIDSurvivesInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "id")
	keep := func(c *scheduler.Config) { c.FrameworkIDFile = file }

	// It is there before Registered is called.
	inside := make(chan string, 1)
	first := register(t, func(d scheduler.Driver, what string) {
		if strings.HasPrefix(what, "registered") {
			text, _ := os.ReadFile(file)
			inside <- string(text)
		}
	}, keep)
	if first.sub.Message.GetFrameworkId() != nil {
		t.Errorf("first subscribed as %v", first.sub.Message.GetFrameworkId())
	}
	if got := fakeserver.Wait(t, inside, "Registered"); got != "F\n" {
		t.Errorf("inside Registered the file holds %q", got)
	}
	first.driver.Stop(true)

	// The next scheduler takes the framework over, and asks for its tasks.
	second := register(t, nil, keep)
	if got := second.sub.Message.GetFrameworkId().GetValue(); got != "F" {
		t.Errorf("second subscribed as %q, want F", got)
	}
	if got := second.sub.Message.GetSubscribe().GetFrameworkInfo().GetId().GetValue(); got != "F" {
		t.Errorf("second describes itself as %q, want F", got)
	}
	second.calls(t, schedulerpb.Call_RECONCILE)

	// A framework that is torn down leaves no file.
	second.driver.Stop(false)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("after TEARDOWN: %v", err)
	}
}

func TestFrameworkIDFileThatHoldsSomethingElse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, []byte("two words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config("localhost:5050")
	cfg.FrameworkIDFile = file
	if _, err := scheduler.NewDriver(scheduler.Base{}, cfg); err == nil || !strings.Contains(err.Error(), "two words") {
		t.Errorf("error %v", err)
	}
}

// A framework whose id cannot be kept must not launch tasks that nobody would find again.
func TestFrameworkIDThatCannotBeKeptIsAnError(t *testing.T) {
	s := &session{master: new(fakeMaster), scheduler: newRecorder(nil)}
	cfg := config(s.master.Start(t))
	cfg.FrameworkIDFile = filepath.Join(t.TempDir(), "no such directory", "id")
	s.driver = newDriver(t, s.scheduler, cfg)
	s.driver.Start()
	s.subscribe(t)
	if got := s.driver.Join(); got != scheduler.Aborted {
		t.Errorf("Join() = %v", got)
	}
	if got := <-s.scheduler.said; !strings.HasPrefix(got, "error keep the framework's id:") {
		t.Errorf("callback %q", got)
	}
	s.calls(t, schedulerpb.Call_SUPPRESS)
	s.driver.Stop(false)
	s.calls(t, schedulerpb.Call_TEARDOWN)
}
