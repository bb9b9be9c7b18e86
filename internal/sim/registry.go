package sim

import (
	"time"

	"github.com/meseta/meseta/internal/cluster"
)

// registrar writes one master's records, as many at once as have gathered.
type registrar struct {
	m       *master
	waiting []cluster.Persist
	writing bool
}

func (r *registrar) put(p cluster.Persist) {
	r.waiting = append(r.waiting, p)
	if !r.writing {
		r.write()
	}
}

func (r *registrar) write() {
	r.writing = true
	w := r.m.w
	took := w.between(500*time.Microsecond, 20*time.Millisecond)
	if w.now < w.faults.slowRegistryUntil {
		took = w.between(50*time.Millisecond, 4*time.Second)
		w.count(FaultSlowRegistry)
	}
	batch := r.waiting
	r.m.after(took, func() {
		r.waiting = r.waiting[len(batch):]
		for _, p := range batch {
			for _, record := range p.Records {
				w.registry.Apply(record)
			}
		}
		r.m.soon(func() {
			r.writing = len(r.waiting) > 0
			if r.writing {
				r.write()
			}
			for _, p := range batch {
				r.m.step(cluster.Persisted{Ticket: p.Ticket}, nil)
			}
		})
	})
}

// cut is the master's end in the middle of a write: some of it has arrived.
func (r *registrar) cut() {
	if len(r.waiting) == 0 {
		return
	}
	w := r.m.w
	keep := w.rng.IntN(len(r.waiting) + 1)
	if keep < len(r.waiting) {
		w.count(FaultTornRegistry)
	}
	for _, p := range r.waiting[:keep] {
		for _, record := range p.Records {
			w.registry.Apply(record)
		}
	}
}
