package sim

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// quietWorld is a world in which nothing happens by itself.
func quietWorld() *World {
	w := &World{
		rng:    rand.New(rand.NewPCG(1, 2)),
		counts: make(Counts),
		net:    network{cut: make(map[way]int)},
		phase:  quiet,
	}
	w.faults.w, w.bugs.w = w, w
	return w
}

// connected gives a connection between two sites, and what has come out of its far end.
func connected(w *World) (c *conn, heard *[]int, closed *string) {
	near, far := w.newProcess("near", "a", 0), w.newProcess("far", "b", 0)
	heard, closed = new([]int), new(string)
	accept := func(c *conn) {
		c.ends[1].receive = func(msg any) { *heard = append(*heard, msg.(int)) }
		c.ends[1].closed = func(why string) { *closed = why }
	}
	w.dial(&near, "test", func() (*process, func(*conn)) { return &far, accept }, func(made *conn) { c = made })
	w.runUntil(w.now + time.Second)
	return c, heard, closed
}

func sendAll(c *conn, from, to int) {
	for i := from; i < to; i++ {
		c.send(0, i)
	}
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

func TestConnectionKeepsOrder(t *testing.T) {
	w := quietWorld()
	c, heard, closed := connected(w)
	sendAll(c, 0, 100)
	c.close(0)
	sendAll(c, 100, 200)
	w.runUntil(w.now + time.Minute)
	if !slices.Equal(*heard, upTo(100)) || *closed == "" {
		t.Errorf("heard %v, closed %q: expected what was sent before the end, in order, and the end", *heard, *closed)
	}
}

func TestNothingPassesACutWay(t *testing.T) {
	w := quietWorld()
	c, heard, _ := connected(w)
	ways := []way{{"a", "b"}}
	sendAll(c, 0, 5)
	w.partition(ways)
	sendAll(c, 5, 10)
	w.runUntil(w.now + 5*time.Second)
	if len(*heard) != 0 {
		t.Errorf("heard %v through a cut", *heard)
	}
	w.heal(ways)
	sendAll(c, 10, 15)
	w.runUntil(w.now + 5*time.Second)
	if !slices.Equal(*heard, upTo(15)) {
		t.Errorf("heard %v after the cut: expected all of it, in order", *heard)
	}
}

func TestSilenceEndsAConnection(t *testing.T) {
	w := quietWorld()
	_, _, closed := connected(w)
	w.partition([]way{{"a", "b"}, {"b", "a"}})
	w.runUntil(w.now + 2*time.Minute)
	if *closed == "" {
		t.Error("an end that heard nothing for two minutes still waits")
	}
}

func TestTornConnectionLosesWhatIsOnItsWay(t *testing.T) {
	w := quietWorld()
	c, heard, closed := connected(w)
	sendAll(c, 0, 5)
	c.tear()
	w.runUntil(w.now + time.Second)
	if len(*heard) != 0 || *closed == "" {
		t.Errorf("heard %v, closed %q: expected nothing, and the end", *heard, *closed)
	}
}

func TestDeadProcessSaysGoodbyeUnlessItsMachineDied(t *testing.T) {
	for _, machineToo := range []bool{false, true} {
		w := quietWorld()
		c, _, closed := connected(w)
		c.ends[0].p.die(machineToo)
		w.runUntil(w.now + 500*time.Millisecond)
		if soon := *closed != ""; soon == machineToo {
			t.Errorf("machine died: %v, other end closed soon: %v", machineToo, soon)
		}
		w.runUntil(w.now + 2*time.Minute)
		if *closed == "" {
			t.Errorf("machine died: %v, and the other end never learned of it", machineToo)
		}
	}
}

func TestEventsHappenInOrder(t *testing.T) {
	w := quietWorld()
	var happened []time.Duration
	for range 1000 {
		at := w.between(0, 100*time.Millisecond).Round(time.Millisecond)
		w.schedule(nil, at, func() { happened = append(happened, w.now) })
	}
	w.runUntil(time.Second)
	if len(happened) != 1000 || !slices.IsSorted(happened) {
		t.Errorf("%d of 1000 events happened, in order: %v", len(happened), slices.IsSorted(happened))
	}
	var same []int
	for i := range 100 {
		w.schedule(nil, time.Millisecond, func() { same = append(same, i) })
	}
	w.runUntil(w.now + time.Second)
	if !slices.Equal(same, upTo(100)) {
		t.Errorf("events of one moment happened in the order %v", same)
	}
}

func TestNothingHappensToTheDead(t *testing.T) {
	w := quietWorld()
	p := w.newProcess("p", "a", 0)
	p.after(time.Second, func() { t.Error("it happened") })
	p.die(false)
	w.runUntil(time.Minute)
}

// TestStandstillIsNoticed is two parts that keep each other busy without end.
func TestStandstillIsNoticed(t *testing.T) {
	w := quietWorld()
	var again func()
	again = func() { w.schedule(nil, 0, again) }
	again()
	w.runUntil(time.Second)
	if w.failure == nil {
		t.Error("time stood still, and nobody noticed")
	}
}
