package spark

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestApplicationsRun(t *testing.T) {
	each(t, []mixture{ours35, ourMaster40, ourWorker35}, everyMixture, func(t *testing.T, m mixture) {
		c := start(t, m, 1, nil)
		c.succeeds(c.submit(nil))
		until(t, "the application is over", func() bool {
			s := c.state()
			return len(s.ActiveApps) == 0 && len(s.CompletedApps) == 1 && s.CompletedApps[0].State == "FINISHED" && s.CoresUsed == 0
		})
	})
}

// A job in Python: a shuffle, and an exception on an executor that the driver sees.
func TestPython(t *testing.T) {
	each(t, []mixture{ours40}, everyMixture, func(t *testing.T, m mixture) {
		c := start(t, m, 1, nil)
		said, err := c.submitOf(m.version, []string{"testdata/job.py"}).wait(t)
		for _, want := range []string{"words [('a', 10), ('b', 20), ('c', 30)]", "caught True"} {
			if err != nil || !strings.Contains(said, want) {
				t.Errorf("the job ends with %v and does not say %s", err, want)
			}
		}
	})
}

// One Master, Workers of two builds, an application of each.
func TestBuildsSideBySide(t *testing.T) {
	each(t, []mixture{ours35}, []mixture{ours35, ourMaster35}, func(t *testing.T, m mixture) {
		c := start(t, m, 1, nil)
		other := m
		other.version = spark40
		c.worker(other, 1)
		c.workersAre(2)
		old := c.submit(nil)
		c.succeeds(c.submitOf(spark40, []string{"--class", "App", jars[spark40]}))
		c.succeeds(old)
	})
}

// A driver on the cluster, supervised: it fails twice, and is killed once when it runs.
func TestDriversOnTheCluster(t *testing.T) {
	for _, gateway := range []string{"legacy", "rest"} {
		t.Run(gateway, func(t *testing.T) {
			quick := []mixture{ours35}
			if gateway == "rest" {
				quick = []mixture{ours40}
			}
			each(t, quick, everyMixture, func(t *testing.T, m mixture) {
				c := start(t, m, 1, nil)
				options := []string{"--deploy-mode", "cluster", "--supervise", "--driver-java-options", moduleOptions}
				if gateway == "rest" {
					options = append(options, "--master", fmt.Sprintf("spark://127.0.0.1:%d", c.rest), "--conf", "spark.master.rest.enabled=true",
						"--conf", fmt.Sprintf("spark.master.rest.port=%d", c.rest))
				}
				runs := filepath.Join(t.TempDir(), "runs")
				if said, err := c.submit(options, "fail", runs).wait(t); err != nil {
					t.Fatalf("the submission ends with %v and says\n%s", err, said)
				}
				until(t, "the driver has answered", func() bool { return strings.Contains(c.driversSay(), answer) })
				if b, err := os.ReadFile(runs); err != nil || len(b) != 3 {
					t.Errorf("the driver ran %d times, expected 3: %v", len(b), err)
				}
				until(t, "the driver is over", func() bool {
					s := c.state()
					return len(s.ActiveDrivers) == 0 && len(s.CompletedDrivers) == 1 && s.CompletedDrivers[0].State == "FINISHED"
				})
			})
		})
	}
}

// driversSay is what all drivers on the cluster have written to stdout.
func (c *cluster) driversSay() (said string) {
	logs, err := filepath.Glob(filepath.Join(c.dir, "work-*", "driver-*", "stdout"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, log := range logs {
		b, err := os.ReadFile(log)
		if err != nil {
			c.t.Fatal(err)
		}
		said += string(b)
	}
	return said
}

// A supervised driver that is killed runs again; one that is asked to end does, and says so.
func TestDriversAreKilled(t *testing.T) {
	each(t, nil, everyMixture, func(t *testing.T, m mixture) {
		c := start(t, m, 2, nil)
		marker, set := c.marker()
		options := []string{"--deploy-mode", "cluster", "--supervise", "--driver-java-options", moduleOptions, "--total-executor-cores", "1"}
		runs := func(driver string) []int { return processesIn(t, filepath.Join(c.dir, "work-*", driver)) }
		for range 2 {
			if said, err := c.submit(options, "wait", marker).wait(t); err != nil {
				t.Fatalf("the submission ends with %v and says\n%s", err, said)
			}
		}
		until(t, "both drivers run", func() bool { return len(runs("driver-*")) == 2 })
		drivers := c.state().ActiveDrivers
		if len(drivers) != 2 {
			t.Fatalf("the Master has drivers %v", drivers)
		}
		gone := runs(drivers[0].ID)[0]
		killIn(t, filepath.Join(c.dir, "work-*", drivers[0].ID))
		until(t, "the driver runs again", func() bool {
			now := runs(drivers[0].ID)
			return len(now) == 1 && now[0] != gone
		})
		c.ask(http.MethodPost, c.rest, "/v1/submissions/kill/"+drivers[1].ID, "")
		until(t, "the other is killed", func() bool {
			done := c.state().CompletedDrivers
			return len(done) == 1 && done[0].State == "KILLED"
		})
		set()
		until(t, "the driver has answered", func() bool { return strings.Contains(c.driversSay(), answer) })
	})
}

// An application grows when it works, shrinks when it is idle, and grows again.
func TestDynamicAllocation(t *testing.T) {
	each(t, []mixture{ours40}, everyMixture, func(t *testing.T, m mixture) {
		c := start(t, m, 1, nil)
		marker, set := c.marker()
		p := c.submit([]string{"--executor-cores", "1", "--conf", "spark.dynamicAllocation.enabled=true",
			"--conf", "spark.dynamicAllocation.shuffleTracking.enabled=true", "--conf", "spark.dynamicAllocation.shuffleTracking.timeout=1s",
			"--conf", "spark.dynamicAllocation.executorIdleTimeout=1s", "--conf", "spark.dynamicAllocation.maxExecutors=2"}, "idle", marker)
		c.coresAre("grows", 2)
		c.coresAre("shrinks", 0)
		set()
		c.coresAre("grows again", 2)
		c.succeeds(p)
	})
}

// coresAre waits until the applications have so many cores.
func (c *cluster) coresAre(what string, n int) {
	c.t.Helper()
	until(c.t, "the application "+what, func() bool { return len(c.state().ActiveApps) == 1 && c.state().ActiveApps[0].Cores == n })
}

func TestApplicationsAreKilledFromTheMaster(t *testing.T) {
	each(t, nil, everyMixtureWithOurMaster, func(t *testing.T, m mixture) {
		c := start(t, m, 1, nil)
		marker, set := c.marker()
		p := c.submit(nil, "wait", marker)
		until(t, "the application runs", func() bool { return len(processesIn(t, filepath.Join(c.work(0), "app-*", "0"))) == 1 })
		c.ask(http.MethodPost, c.ui, "/app/kill/", "terminate=true&id="+c.state().ActiveApps[0].ID)
		until(t, "the driver is told", func() bool { return strings.Contains(p.said(), "Master removed our application: KILLED") })
		set()
		until(t, "its executor is gone", func() bool { return len(processesIn(t, filepath.Join(c.work(0), "app-*", "*"))) == 0 })
		if s := c.state(); s.CoresUsed != 0 || len(s.CompletedApps) != 1 || s.CompletedApps[0].State != "KILLED" {
			t.Errorf("the Master says %+v", s)
		}
	})
}

// An executor is killed, then a Worker: the application goes on with others.
func TestApplicationsOutliveExecutorsAndWorkers(t *testing.T) {
	each(t, []mixture{ours35}, everyMixture, func(t *testing.T, m mixture) {
		c := start(t, m, 1, nil)
		marker, set := c.marker()
		p := c.submit([]string{"--total-executor-cores", "2"}, "wait", marker)
		killIn(t, filepath.Join(c.work(0), "app-*", "0"))
		// An executor whose Worker ends before it has found it goes on without, whosever Worker it is.
		until(t, "another executor has registered", func() bool { return strings.Contains(p.said(), "with ID 1,") })
		second := c.worker(m, 1)
		c.workersAre(2)
		for _, pid := range processesIn(t, filepath.Join(c.work(0), "app-*", "1")) {
			killParent(t, pid)
		}
		c.workersAre(1)
		until(t, "an executor runs elsewhere", func() bool { return len(processesIn(t, filepath.Join(c.work(1), "app-*", "*"))) == 1 })
		until(t, "the executor of the lost Worker has ended", func() bool { return len(processesIn(t, filepath.Join(c.work(0), "app-*", "*"))) == 0 })
		if second.ended() {
			t.Fatal("the second Worker has ended")
		}
		set()
		c.succeeds(p)
	})
}

// The Master is killed and comes back: the application goes on, and gets new executors.
func TestApplicationsOutliveTheMaster(t *testing.T) {
	each(t, []mixture{ours40}, everyMixture, func(t *testing.T, m mixture) {
		c := start(t, m, 1, map[string]string{"spark.deploy.recoveryMode": "FILESYSTEM", "spark.deploy.recoveryDirectory": t.TempDir()})
		marker, set := c.marker()
		p := c.submit(nil, "wait", marker)
		until(t, "the application runs", func() bool { return len(processesIn(t, filepath.Join(c.work(0), "app-*", "0"))) == 1 })
		c.master.kill()
		c.startMaster()
		until(t, "the Master has its Worker and the application", func() bool {
			s := c.state()
			return s.Status == "ALIVE" && s.AliveWorkers == 1 && len(s.ActiveApps) == 1 && s.ActiveApps[0].Cores == 2
		})
		killIn(t, filepath.Join(c.work(0), "app-*", "0"))
		until(t, "another executor runs", func() bool { return len(processesIn(t, filepath.Join(c.work(0), "app-*", "1"))) == 1 })
		set()
		c.succeeds(p)
	})
}

// With a secret, whoever does not know it has no business here.
func TestASecretIsRequired(t *testing.T) {
	each(t, nil, everyMixture, func(t *testing.T, m mixture) {
		secret := []string{"-Dspark.authenticate=true", "-Dspark.authenticate.secret=s3cret"}
		t.Setenv("SPARK_DAEMON_JAVA_OPTS", strings.Join(secret, " "))
		c := start(t, m, 1, map[string]string{"spark.master.rest.enabled": "false"})
		c.succeeds(c.submit([]string{"--conf", "spark.authenticate=true", "--conf", "spark.authenticate.secret=s3cret"}))
	})
}

func TestThirtyApplicationsAtOnce(t *testing.T) {
	each(t, nil, []mixture{ours35, ourMaster35, ourWorker35}, func(t *testing.T, m mixture) {
		c := start(t, m, 2, nil)
		daemons := append([]*process{c.master}, c.workers...)
		for _, p := range daemons {
			t.Log("idle: ", p.costs(t))
		}
		begin := time.Now()
		var all []*process
		for range 30 {
			all = append(all, c.submit([]string{"--total-executor-cores", "1"}))
		}
		for _, p := range all {
			p.waitFor(t, 5*patience) // thirty JVMs want to start at once
			c.succeeds(p)
		}
		until(t, "all are over", func() bool { s := c.state(); return len(s.CompletedApps) == 30 && s.CoresUsed == 0 })
		t.Logf("30 applications took %v", time.Since(begin))
		for _, p := range daemons {
			t.Log("after 30 applications: ", p.costs(t))
		}
	})
}

// Garbage on the ports of Master and Worker harms no application.
func TestGarbageOnThePorts(t *testing.T) {
	each(t, nil, []mixture{ours35, ours40}, func(t *testing.T, m mixture) {
		c := start(t, m, 1, nil)
		p := c.submit(nil)
		random := rand.NewChaCha8([32]byte{})
		for range 200 {
			garbage := make([]byte, 1+random.Uint64()%5000)
			random.Read(garbage)
			if random.Uint64()%2 == 0 { // a frame of a reasonable length, and then anything
				copy(garbage, fmt.Sprintf("\x00\x00\x00\x00\x00\x00%c%c%c", len(garbage)>>8&0x7f, len(garbage)&0x7f, 3+6*(random.Uint64()%2)))
			}
			nc, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.port))
			if err != nil {
				t.Fatal(err)
			}
			nc.SetDeadline(time.Now().Add(patience))
			nc.Write(garbage)
			nc.Close()
		}
		c.succeeds(p)
		if c.master.ended() || c.state().AliveWorkers != 1 {
			t.Errorf("the Master says %+v", c.state())
		}
	})
}

// killParent kills the parent of a process.
func killParent(t *testing.T, pid int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// pid (name) state parent …, and the name may have anything in it
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	parent, err := os.FindProcess(atoi(t, fields[1]))
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Kill(); err != nil {
		t.Fatal(err)
	}
}
