package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ListOptions say how to list.
type ListOptions struct {
	Format Format
	All    bool          // also what ended
	Watch  time.Duration // list again and again, this often; zero for once
}

// printList loads a list and prints it, once or, to watch it, again and again until ctx ends.
func printList[R any](ctx context.Context, s *Screen, o ListOptions, load func(context.Context) (*list[R], error)) error {
	if o.Watch > 0 {
		return watchList(ctx, s, o, load)
	}
	l, err := load(ctx)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := l.print(&text, s, o.Format); err != nil {
		return err
	}
	return s.page(text.Bytes())
}

// minWatch is how often a master may be asked by one who watches.
const minWatch = 100 * time.Millisecond

// watchList keeps a terminal up to date. To whatever else reads, it prints the list anew whenever something
// in it has changed, with an empty line between.
func watchList[R any](ctx context.Context, s *Screen, o ListOptions, load func(context.Context) (*list[R], error)) error {
	o.Watch = max(o.Watch, minWatch)
	tick := time.NewTicker(o.Watch)
	defer tick.Stop()
	var last, complaint string
	for begun := false; ; {
		l, err := load(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !begun:
			return err
		case s.Terminal():
			err = redraw(s, o, l, err, !begun)
		case err != nil: // said once, until it is over
			if complaint != err.Error() {
				complaint = err.Error()
				fmt.Fprintf(s.Err, "meseta: %s; trying again every %s\n", complaint, o.Watch)
			}
			err = nil
		default:
			complaint = ""
			last, err = printChanged(s, o, l, last)
		}
		if err != nil {
			return err
		}
		begun = true
		select {
		case <-tick.C:
		case <-ctx.Done():
			if s.Terminal() {
				fmt.Fprintln(s.Out)
			}
			return nil
		}
	}
}

// printChanged prints the list if it is not as it was, whatever time has passed, and returns how it is.
func printChanged[R any](s *Screen, o ListOptions, l *list[R], last string) (string, error) {
	is, err := json.Marshal(l.rows)
	if err != nil || string(is) == last {
		return last, err
	}
	if last != "" && o.Format != JSON {
		fmt.Fprintln(s.Out)
	}
	return string(is), l.print(s.Out, s, o.Format)
}

// redraw draws the list over what it was, cut to the screen. A complaint is shown in place of it.
func redraw[R any](s *Screen, o ListOptions, l *list[R], complaint error, first bool) error {
	s.resize()
	var text bytes.Buffer
	if complaint != nil {
		fmt.Fprintf(&text, "%s\n", complaint)
	} else if err := l.print(&text, s, o.Format); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if most := s.height - 3; len(lines) > most && most > 0 {
		more := len(lines) - most + 1
		lines = append(lines[:most-1], s.paint(dim, fmt.Sprintf("… %d more lines", more)))
	}
	var out bytes.Buffer
	if first {
		out.WriteString("\x1b[2J")
	}
	out.WriteString("\x1b[H\x1b[?7l") // what is too long is cut by the terminal, or the lines below would be pushed out
	head := fmt.Sprintf("every %s, Ctrl-C ends", o.Watch)
	now := time.Now().Format(time.TimeOnly)
	lines = append([]string{s.paint(dim, head+strings.Repeat(" ", max(1, s.width-len(head)-len(now)))+now), ""}, lines...)
	for _, line := range lines {
		out.WriteString(line + "\x1b[K\n")
	}
	out.WriteString("\x1b[J\x1b[?7h")
	_, err := s.Out.Write(out.Bytes())
	return err
}
