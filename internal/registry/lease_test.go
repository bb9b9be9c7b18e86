package registry

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errSilence = errors.New("no answer")

// keepFor runs a lease of 10 s, granted now, with that renewal; it returns after how long it was lost,
// or 0 when it was not within the time.
func keepFor(t *testing.T, d time.Duration, renew func(ctx context.Context, since time.Duration) error) time.Duration {
	t.Helper()
	start := time.Now()
	l := newLease(10*time.Second, func(ctx context.Context) error { return renew(ctx, time.Since(start)) })
	var ended sync.WaitGroup
	defer ended.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	ended.Go(func() { l.keep(ctx, start) })
	select {
	case <-l.lost:
		return time.Since(start)
	case <-ctx.Done():
		return 0
	}
}

func TestLeaseLastsWhileItIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if lost := keepFor(t, time.Hour, func(context.Context, time.Duration) error { return nil }); lost != 0 {
			t.Errorf("lost after %v", lost)
		}
	})
}

func TestLeaseEndsAMarginBeforeItsTime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		renew func(ctx context.Context, since time.Duration) error
		want  time.Duration
	}{
		{"nobody answers", func(context.Context, time.Duration) error { return errSilence }, 8 * time.Second},
		{"keep-alives hang", func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }, 8 * time.Second},
		{"a keep-alive hangs and heeds no context", func(context.Context, time.Duration) error { time.Sleep(time.Hour); return nil }, 8 * time.Second},
		{"it is gone", func(context.Context, time.Duration) error { return errLeaseGone }, 2 * time.Second},
		{"the last keep-alive that is answered is sent at 4 s", func(_ context.Context, since time.Duration) error {
			if since > 4*time.Second {
				return errSilence
			}
			return nil
		}, 12 * time.Second},
		{"answers take a second: it counts when the question was sent", func(_ context.Context, since time.Duration) error {
			time.Sleep(time.Second)
			if since > 2*time.Second {
				return errSilence
			}
			return nil
		}, 10 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if lost := keepFor(t, time.Minute, tt.renew); lost != tt.want {
					t.Errorf("lost after %v, want %v", lost, tt.want)
				}
			})
		})
	}
}

func TestLeaseSurvivesTwoKeepAlivesThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		lost := keepFor(t, time.Hour, func(ctx context.Context, _ time.Duration) error {
			if n++; n%3 != 0 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		if lost != 0 {
			t.Errorf("lost after %v", lost)
		}
	})
}
