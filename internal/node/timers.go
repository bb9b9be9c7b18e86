package node

import (
	"container/heap"
	"time"

	"github.com/meseta/meseta/internal/core"
)

// alarm is what a timer belongs to. Entities give themselves another name for each of their timers
// (retryAlarm, deadlineAlarm), so that a timer costs no closure.
type alarm interface{ rings(n *Node) }

// timer is a moment at which an alarm rings once. It lies in the entity it belongs to.
type timer struct {
	at    time.Duration
	seq   uint64 // ties ring in the order in which they were set
	place int    // in the heap, from 1; 0 when not set
	alarm alarm
}

// timers are all moments that the core waits for.
type timers struct {
	heap timerHeap
	seq  uint64
}

// set makes t ring at that moment, and not at the one it was set to before.
func (ts *timers) set(t *timer, at time.Duration, a alarm) {
	ts.seq++
	t.at, t.seq, t.alarm = at, ts.seq, a
	if t.place > 0 {
		heap.Fix(&ts.heap, t.place-1)
		return
	}
	heap.Push(&ts.heap, t)
}

// in is the moment so much later. Whoever asks for longer than the clock will last asks for Never.
func (n *Node) in(d time.Duration) time.Duration { return n.now.Mono + min(d, core.Never-n.now.Mono) }

func (ts *timers) stop(t *timer) {
	if t.place > 0 {
		heap.Remove(&ts.heap, t.place-1)
	}
}

func (ts *timers) isSet(t *timer) bool { return t.place > 0 }

func (ts *timers) next() time.Duration {
	if len(ts.heap) == 0 {
		return core.Never
	}
	return ts.heap[0].at
}

// ring rings whatever is due.
func (ts *timers) ring(n *Node) {
	for len(ts.heap) > 0 && ts.heap[0].at <= n.now.Mono {
		heap.Pop(&ts.heap).(*timer).alarm.rings(n)
	}
}

type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].seq < h[j].seq
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	*h = append(*h, t)
	t.place = len(*h)
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.place = 0
	return t
}
