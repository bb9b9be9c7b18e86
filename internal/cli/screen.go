package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// Screen is where a command prints. A terminal gets colours, a pager for what is too long, and lines that fit;
// whatever else reads gets plain and whole text.
type Screen struct {
	Out, Err io.Writer
	In       io.Reader // answers questions; nil where nobody can be asked

	width, height int // zero where there is no terminal
	colored       bool
	pager         string // a shell command; empty for none
}

// NewScreen looks at what out is and what the environment says of it.
func NewScreen(in io.Reader, out, err io.Writer, getenv func(string) string) *Screen {
	s := &Screen{Out: out, Err: err}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.In = f
	}
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	s.width, s.height = 80, 24
	if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
		s.width, s.height = w, h
	}
	dumb := getenv("TERM") == "dumb"
	s.colored = getenv("NO_COLOR") == "" && !dumb
	if !dumb {
		s.pager = pagerOf(getenv)
	}
	return s
}

// pagerOf is what long text goes through: PAGER, or less, which ends by itself where the text fits.
func pagerOf(getenv func(string) string) string {
	if own := getenv("PAGER"); own != "" {
		return own
	}
	if _, err := exec.LookPath("less"); err != nil {
		return ""
	}
	return "less -FRX"
}

// Terminal tells whether a person looks at what is printed.
func (s *Screen) Terminal() bool { return s.width > 0 }

// resize notes how large the terminal is now.
func (s *Screen) resize() {
	if f, ok := s.Out.(*os.File); ok && s.Terminal() {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			s.width, s.height = w, h
		}
	}
}

// page prints text, through the pager if it is longer than the screen.
func (s *Screen) page(text []byte) error {
	if s.pager == "" || s.pager == "cat" || !s.Terminal() || bytes.Count(text, []byte("\n")) < s.height {
		_, err := s.Out.Write(text)
		return err
	}
	cmd := exec.Command("sh", "-c", s.pager)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), s.Out, s.Err
	err := cmd.Run()
	var code *exec.ExitError
	switch {
	case errors.As(err, &code) && code.ExitCode() == 127: // there is no such pager
		_, err = s.Out.Write(text)
	case errors.As(err, &code), errors.Is(err, syscall.EPIPE): // it was left early
		err = nil
	}
	return err
}

// ask asks a question that is answered with yes or no; whatever is not yes is no.
func (s *Screen) ask(question string) (bool, error) {
	fmt.Fprintf(s.Err, "%s [y/N] ", question)
	var answer string
	if _, err := fmt.Fscanln(s.In, &answer); err != nil && !errors.Is(err, io.EOF) && answer != "" {
		return false, err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}

// color is how a word looks on a terminal.
type color string

const (
	plain  color = ""
	bold   color = "1"
	dim    color = "2"
	red    color = "31"
	green  color = "32"
	yellow color = "33"
	cyan   color = "36"
)

// paint gives a word its colour, if there are any.
func (s *Screen) paint(c color, text string) string {
	if !s.colored || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// stateColor is the colour of a state of anything.
func stateColor(state string) color {
	switch state {
	case "RUNNING", "active", "connected":
		return green
	case "STAGING", "STARTING", "KILLING":
		return cyan
	case "FAILED", "ERROR", "LOST", "DROPPED", "GONE", "UNREACHABLE", "away", "disconnected":
		return red
	case "KILLED":
		return yellow
	case "FINISHED", "completed":
		return dim
	}
	return plain
}
