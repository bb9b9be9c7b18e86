package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// agentPatience is how long the agent of a task that has ended is waited for, to get what it wrote last.
const agentPatience = 10 * time.Second

// print prints a file of the sandbox as it grows, to its end.
func (i *instance) print(ctx context.Context, c *Client, file string, w *lines) error {
	return errors.Join(i.stream(ctx, c, file, w), w.flush())
}

// stream copies a file of the sandbox as it grows. An agent that is away, say to be upgraded, is waited for:
// the task goes on without it.
func (i *instance) stream(ctx context.Context, c *Client, file string, w io.Writer) error {
	select {
	case <-i.started:
	case <-i.ended:
		select {
		case <-i.started:
		default:
			return nil
		}
	case <-ctx.Done():
		return nil
	}
	f := &sandboxFile{client: c, agent: i.agent, path: i.path + file}
	var giveUp <-chan time.Time
	ended := i.ended
	for {
		over := false
		select {
		case <-ended:
			over, ended = true, nil
			giveUp = time.After(agentPatience)
		case <-giveUp:
			return fmt.Errorf("the end of what task %s wrote to %s could not be read: its agent is away", i.task, file)
		case <-ctx.Done():
			return nil
		case <-time.After(followPause):
			over = giveUp != nil
		}
		err := f.copy(ctx, w)
		if absent(err) { // not written yet, or never
			err = nil
		}
		var away *awayError
		if err == nil && over || err != nil && !errors.As(err, &away) {
			return err
		}
	}
}

// prefixer is an output that several instances share. Each of their lines begins with the instance's number;
// what one instance alone writes passes as it is.
type prefixer struct {
	alone bool
	mu    sync.Mutex
	w     io.Writer // guarded by mu
}

func newPrefixer(w io.Writer, instances int) *prefixer {
	return &prefixer{w: w, alone: instances == 1}
}

// of is where one instance writes to.
func (p *prefixer) of(instance int) *lines {
	return &lines{to: p, prefix: fmt.Appendf(nil, "[%d] ", instance)}
}

// lines cuts what one instance writes into whole lines.
type lines struct {
	to     *prefixer
	prefix []byte
	rest   []byte // the beginning of a line
}

// maxLine is how much of a line is waited for: a longer one is printed as several.
const maxLine = 64 << 10

// Write prints the lines that are whole now.
func (l *lines) Write(b []byte) (int, error) {
	l.to.mu.Lock()
	defer l.to.mu.Unlock()
	if l.to.alone {
		return l.to.w.Write(b)
	}
	var whole []byte
	for line := range bytes.Lines(append(l.rest, b...)) {
		if line[len(line)-1] != '\n' && len(line) < maxLine {
			l.rest = bytes.Clone(line)
			return len(b), l.put(whole)
		}
		whole = append(append(whole, l.prefix...), line...)
		if line[len(line)-1] != '\n' {
			whole = append(whole, '\n')
		}
	}
	l.rest = nil
	return len(b), l.put(whole)
}

func (l *lines) put(whole []byte) error {
	if len(whole) == 0 {
		return nil
	}
	_, err := l.to.w.Write(whole)
	return err
}

// flush prints the beginning of a line that never ended.
func (l *lines) flush() error {
	if len(l.rest) == 0 {
		return nil
	}
	_, err := l.Write([]byte{'\n'})
	return err
}
