package stagetest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Complaints runs a test that is expected to fail, with its cleanups, and gives what it has said.
func Complaints(t *testing.T, test func(testing.TB)) string {
	l := &listener{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer l.cleanUp()
		test(l)
	}()
	<-done
	return strings.Join(l.said, "\n")
}

// listener is a testing.TB that keeps why a test failed instead of failing.
type listener struct {
	testing.TB
	said     []string
	cleanups []func()
}

func (l *listener) cleanUp() {
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
}

func (l *listener) Helper()          {}
func (l *listener) Cleanup(f func()) { l.cleanups = append(l.cleanups, f) }
func (l *listener) Failed() bool     { return l.said != nil }
func (l *listener) Log(args ...any)  { l.said = append(l.said, fmt.Sprint(args...)) }

func (l *listener) Errorf(format string, args ...any) {
	l.said = append(l.said, fmt.Sprintf(format, args...))
}

func (l *listener) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	runtime.Goexit()
}
