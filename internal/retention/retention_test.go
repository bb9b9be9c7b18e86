package retention

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const week = 7 * 24 * time.Hour

func TestAllowedAgeShrinksAsTheDiskFills(t *testing.T) {
	p := Policy{Delay: 10 * time.Hour, Headroom: 0.1}
	for _, c := range []struct {
		used float64
		want time.Duration
	}{{0, 9 * time.Hour}, {0.5, 4 * time.Hour}, {0.8, time.Hour}, {0.9, 0}, {0.95, 0}, {1, 0}} {
		if got := p.Allowed(c.used).Round(time.Second); got != c.want {
			t.Errorf("used %v: %v, expected %v", c.used, got, c.want)
		}
	}
}

var start = time.Unix(1_000_000_000, 0)

func TestNothingIsLookedAtBeforeItCanPay(t *testing.T) {
	q := NewQueue(2)
	if !q.WantsLook(start, week) {
		t.Fatal("what was there before the first look is not looked for")
	}
	q.Look(start)
	q.Looked()
	if q.WantsLook(start.Add(week-time.Second), week) {
		t.Error("looks although everything is too young")
	}
	if !q.WantsLook(start.Add(week), week) {
		t.Error("does not look although what ended right after the last look is too old")
	}
	if !q.WantsLook(start.Add(time.Second), 0) {
		t.Error("does not look although the disk is full")
	}
}

// A queue of whatever size removes what one without bound would, in the same order, as time passes, things
// begin and end, and the disk fills and empties.
func TestQueueOfAnySizeDoesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := NewQueue(rapid.IntRange(1, 5).Draw(t, "most"))
		now, serial := start, 0
		ended := map[string]time.Time{} // what is on the disk
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "minutes")) * time.Minute)
			for range rapid.IntRange(0, 4).Draw(t, "ends") {
				serial++
				ended[fmt.Sprint(serial)] = now
			}
			allowed := time.Duration(rapid.IntRange(0, 120).Draw(t, "allowed")) * time.Minute
			var want []string
			for name, at := range ended {
				if now.Sub(at) >= allowed && at.Before(now) {
					want = append(want, name)
				}
			}
			var got []string
			for {
				if q.WantsLook(now, allowed) {
					q.Look(now)
					for name, at := range ended {
						q.Offer(Item{name, at})
					}
					q.Looked()
				}
				item, ok := q.Next(now, allowed)
				if !ok {
					break
				}
				got = append(got, item.Name)
				delete(ended, item.Name)
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("at %v with %v allowed: removed %v, expected %v", now.Sub(start), allowed, got, want)
			}
		}
	})
}
