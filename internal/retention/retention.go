// Package retention decides how long what has ended stays on a disk: for a while when there is room, and the
// shorter the fuller the disk is.
//
// It is pure: how full the disk is, what is on it and what time it is come in as values, and whoever asks does
// the looking and the removing. It remembers little: there may be millions of sandboxes, so that a [Queue]
// holds the oldest of them and knows when it would pay to look again.
package retention

import (
	"cmp"
	"slices"
	"time"
)

// Policy is the rule, that of Mesos.
type Policy struct {
	Delay    time.Duration // how long things stay on an empty disk
	Headroom float64       // the part of the disk that is to stay free, from 0 to 1
}

// Allowed is how old things may become on a disk of which so much is used, from 0 to 1: the delay times what
// is left of the disk beyond the headroom. Within the headroom nothing stays.
func (p Policy) Allowed(used float64) time.Duration {
	return time.Duration(float64(p.Delay) * max(0, 1-p.Headroom-used))
}

// Item is something that has ended.
type Item struct {
	Name  string
	Ended time.Time
}

// Queue holds the oldest of the items that one look at the disk found. What it does not hold is not older than
// its horizon: what was in use at that time, or came later, has ended later too.
type Queue struct {
	most    int
	oldest  []Item // ascending, once Looked was called
	horizon time.Time
}

// NewQueue makes a queue of at most so many items.
func NewQueue(most int) *Queue { return &Queue{most: most} }

// WantsLook reports whether something may have become too old that the queue does not hold.
func (q *Queue) WantsLook(now time.Time, allowed time.Duration) bool {
	return len(q.oldest) == 0 && !now.Add(-allowed).Before(q.horizon)
}

// Look begins a look at the disk: everything that is found is to be offered, and then Looked called.
func (q *Queue) Look(now time.Time) { q.oldest, q.horizon = q.oldest[:0], now }

// Offer gives the queue an item. Whenever it holds twice as many as it may, the younger half goes.
func (q *Queue) Offer(i Item) {
	if !i.Ended.Before(q.horizon) {
		return
	}
	q.oldest = append(q.oldest, i)
	if len(q.oldest) >= 2*q.most {
		q.cut()
	}
}

// Looked ends a look.
func (q *Queue) Looked() { q.cut() }

// cut sorts, and keeps as many as the queue may hold. The first that goes is the new horizon.
func (q *Queue) cut() {
	slices.SortFunc(q.oldest, func(a, b Item) int {
		return cmp.Or(a.Ended.Compare(b.Ended), cmp.Compare(a.Name, b.Name))
	})
	if len(q.oldest) <= q.most {
		return
	}
	q.horizon = q.oldest[q.most].Ended
	clear(q.oldest[q.most:])
	q.oldest = q.oldest[:q.most]
}

// Next takes the oldest item if it is too old.
func (q *Queue) Next(now time.Time, allowed time.Duration) (Item, bool) {
	if len(q.oldest) == 0 || now.Sub(q.oldest[0].Ended) < allowed {
		return Item{}, false
	}
	next := q.oldest[0]
	q.oldest = q.oldest[1:]
	if len(q.oldest) == 0 {
		q.oldest = nil
	}
	return next, true
}
