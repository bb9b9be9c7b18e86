package journaltest_test

import (
	"testing"

	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/journal/journaltest"
)

func TestMemConforms(t *testing.T) {
	journaltest.Run(t, func(t *testing.T, opts journal.Options) journaltest.Subject {
		return subject(journaltest.NewMem(opts), journal.Recovered{})
	})
}

func subject(m *journaltest.Mem, recovered journal.Recovered) journaltest.Subject {
	return journaltest.Subject{
		Log:       m,
		Recovered: recovered,
		Flush:     m.Flush,
		Break:     m.Break,
		Crash: func(opts journal.Options) journaltest.Subject {
			return subject(m.Crash(m.Waiting()/2, opts))
		},
	}
}
