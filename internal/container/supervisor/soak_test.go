package supervisor_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/container"
)

// TestSoak launches a great many containers, some with namespaces and limits, and
// expects the supervisor to be, at the end, as it was near the beginning. It makes
// 2,000 launches; as many as MESETA_SOAK says otherwise:
//
//	MESETA_SOAK=100000 go test -run TestSoak -v -timeout 1h ./internal/container/supervisor
func TestSoak(t *testing.T) {
	launches := 2_000
	if v, err := strconv.Atoi(os.Getenv("MESETA_SOAK")); err == nil {
		launches = v
	}
	for _, way := range ways() {
		t.Run(way, func(t *testing.T) {
			s := &soak{host: start(t, "--tracking", way), launches: launches / len(ways())}
			s.run()
		})
	}
}

type soak struct {
	*host
	launches int
}

// held is what a supervisor holds on to.
type held struct {
	private, descriptors, threads, children, cgroups int
	log                                              int64
}

func (s *soak) run() {
	t := s.t
	s.batch(0, s.launches/10) // until buffers and threads are there
	before := s.held()
	begin := time.Now()
	s.batch(s.launches/10, s.launches)
	rate := float64(s.launches-s.launches/10) / time.Since(begin).Seconds()
	growth := 2 << 10
	if raceEnabled {
		growth = 100 << 10
	}
	// Orphans that were killed are reaped a moment later, memory is given back after
	// two quiet seconds.
	after := s.held()
	settled := func() bool {
		return after.children == 0 && after.cgroups == 0 && after.private <= before.private+growth
	}
	for end := time.Now().Add(patience); !settled() && time.Now().Before(end); after = s.held() {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%s: %d launches, %.0f per second; before %+v, after %+v", s.Tracking(), s.launches, rate, before, after)

	if after.private > before.private+growth {
		t.Errorf("private memory went from %d to %d KiB", before.private, after.private)
	}
	if after.descriptors > before.descriptors+2 {
		t.Errorf("open files went from %d to %d", before.descriptors, after.descriptors)
	}
	if after.threads > before.threads+16 {
		t.Errorf("threads went from %d to %d", before.threads, after.threads)
	}
	if after.children != 0 || after.cgroups != 0 {
		t.Errorf("%d children and %d cgroups are left, expected none", after.children, after.cgroups)
	}
	if after.log > 2<<20 {
		t.Errorf("the log has %d bytes", after.log)
	}
	if infos, err := s.List(context.Background()); err != nil || len(infos) != 0 {
		t.Errorf("%d containers are remembered, %v; expected none", len(infos), err)
	}
}

// batch launches the containers from first to end, a few at a time, some of which
// leave a daemon behind, and collects them all.
func (s *soak) batch(first, end int) {
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	ids := make(chan int)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range ids {
				if _, err := s.Launch(ctx, s.spec(i)); err != nil && ctx.Err() == nil {
					s.t.Error(err)
					cancel() // not another 100,000 times
				}
			}
		})
	}
	wg.Go(func() {
		defer close(ids)
		for i := first; i < end && ctx.Err() == nil; i++ {
			ids <- i
		}
	})
	seen := 0
	for exit, err := range s.Exits(ctx) {
		if err != nil {
			s.t.Fatalf("after %d exits: %v", seen, err)
		}
		if !exit.Status.Success() {
			s.t.Errorf("%s: %v", exit.ID, exit.Status)
		}
		if err := s.Collect(ctx, exit.ID); err != nil {
			s.t.Fatal(err)
		}
		if seen++; seen == end-first {
			break
		}
	}
	wg.Wait()
}

func (s *soak) spec(i int) container.Spec {
	id := container.ID(fmt.Sprint("soak-", i))
	if i%100 == 0 {
		return s.shell(id, "setsid sleep 1000 & exit 0")
	}
	spec := container.Spec{ID: id, Argv: []string{"/bin/true"}, Dir: "/", Env: []string{"PATH=/bin"}}
	if i%10 == 0 && s.can(container.FeatureNamespaces) {
		spec.Namespaces = apart
		limited(&spec)
	}
	return spec
}

func (s *soak) held() (h held) {
	pid := strconv.Itoa(s.Process().PID)
	h.private = private(s.t, s.Process().PID)
	h.descriptors = matches("/proc/" + pid + "/fd/*")
	h.threads = matches("/proc/" + pid + "/task/*")
	kids, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
	for _, file := range kids {
		data, _ := os.ReadFile(file)
		h.children += len(strings.Fields(string(data)))
	}
	if _, dir, ok := strings.Cut(s.Tracking(), "/"); ok {
		h.cgroups = matches("/" + dir + "/run/*/")
	}
	if s.limits() {
		h.cgroups += len(limitDirs(s.limitKey() + "/run/*"))
	}
	if info, err := os.Stat(filepath.Join(s.dir, "containers")); err == nil {
		h.log = info.Size()
	}
	return h
}

func matches(pattern string) int {
	names, _ := filepath.Glob(pattern)
	return len(names)
}
