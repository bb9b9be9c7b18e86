package supervisor

import (
	"time"

	"github.com/meseta/meseta/internal/container"
	"github.com/meseta/meseta/internal/container/ledger"
)

// warden changes the limits of containers that run, and measures them. That takes
// reading many small files: no work for the loop.
func (s *server) warden() {
	for {
		out, ok := s.chores.take()
		if !ok {
			return
		}
		switch out := out.(type) {
		case ledger.Enforce:
			s.tell(ledger.Served{Ticket: out.Ticket, Err: s.limiter.Limit(string(out.ID), out.Limits)})
		case ledger.Survey:
			s.tell(ledger.Served{Ticket: out.Ticket, Statistics: s.survey(out.IDs)})
		}
	}
}

func (s *server) survey(ids []container.ID) []container.Statistics {
	measured := make([]container.Statistics, len(ids))
	for i, id := range ids {
		m := &measured[i]
		m.ID, m.At = id, time.Now().Round(0)
		done := s.limiter.Measure(string(id), m)
		s.sets.Measure(string(id), done, m)
	}
	return measured
}
