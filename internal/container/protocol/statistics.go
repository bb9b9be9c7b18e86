package protocol

import (
	"time"

	"github.com/meseta/meseta/internal/container"
)

// The tags of statistics: those of durations and numbers follow each other from
// these on.
const (
	statsID       = 1
	statsAt       = 2
	statsLimits   = 3
	statsDuration = 4
	statsNumber   = 16
)

// durations and numbers are the fields in the order of their tags: append only.
func durations(s *container.Statistics) [3]*time.Duration {
	return [...]*time.Duration{&s.CPUUser, &s.CPUSystem, &s.CPUThrottledTime}
}

func numbers(s *container.Statistics) [12]*uint64 {
	return [...]*uint64{
		&s.CPUPeriods, &s.CPUThrottled,
		&s.Memory, &s.MemoryAnonymous, &s.MemoryFile, &s.MemoryMapped, &s.MemorySwap,
		&s.MemoryPeak, &s.MemoryFailures, &s.MemoryKills,
		&s.Processes, &s.Threads,
	}
}

func appendStatistics(dst []byte, s *container.Statistics) []byte {
	dst = appendString(dst, statsID, string(s.ID))
	dst = appendTime(dst, statsAt, s.At)
	dst = appendMessage(dst, statsLimits, func(dst []byte) []byte { return appendLimits(dst, &s.Limits) })
	for i, d := range durations(s) {
		dst = appendUint(dst, statsDuration+uint64(i), *d)
	}
	for i, n := range numbers(s) {
		dst = appendUint(dst, statsNumber+uint64(i), *n)
	}
	return dst
}

func decodeStatistics(body []byte) (s container.Statistics, err error) {
	durations, numbers := durations(&s), numbers(&s)
	err = decode(body, func(tag uint64, v value) (err error) {
		switch {
		case tag == statsID:
			s.ID = container.ID(v.string())
		case tag == statsAt:
			s.At = v.time()
		case tag == statsLimits:
			s.Limits, err = decodeLimits(v)
		case tag >= statsDuration && tag-statsDuration < uint64(len(durations)):
			*durations[tag-statsDuration] = v.duration()
		case tag >= statsNumber && tag-statsNumber < uint64(len(numbers)):
			*numbers[tag-statsNumber] = v.uint()
		}
		return err
	})
	return s, err
}
