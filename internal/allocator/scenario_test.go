package allocator

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// TestScenarios plays the conversations in testdata. A line is an order; what
// follows it, indented, is the answer. `go test -update` rewrites the answers.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(text) {
				t.Errorf("%s went differently:\n%s", file, got)
			}
		})
	}
}

// play carries out the orders in a scenario, and gives it with the answers.
func play(t *testing.T, text string) string {
	s := &stage{Allocator: New(Options{})}
	var out strings.Builder
	for line := range strings.Lines(text) {
		order := strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(order, "  "):
			continue // an answer
		case order == "" || strings.HasPrefix(order, "#"):
			fmt.Fprintln(&out, order)
			continue
		}
		fmt.Fprintln(&out, order)
		words := strings.Fields(order)
		answer, err := s.do(words[0], words[1:])
		if err != nil {
			answer = []string{"error: " + err.Error()}
		}
		for _, line := range answer {
			fmt.Fprintln(&out, "  "+line)
		}
	}
	return out.String()
}

// stage is an allocator with a clock, which takes orders in words.
type stage struct {
	*Allocator
	now core.Time
}

func (s *stage) do(order string, words []string) (answer []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	switch order {
	case "agent", "framework", "weight":
		return nil, s.describe(order, words)
	case "remove-agent":
		s.RemoveAgent(ids.AgentID(words[0]))
	case "deactivate-agent":
		s.DeactivateAgent(ids.AgentID(words[0]))
	case "activate-agent":
		s.ActivateAgent(ids.AgentID(words[0]))
	case "forget-refusals":
		s.ForgetRefusals(ids.AgentID(words[0]))
	case "remove":
		s.RemoveFramework(ids.FrameworkID(words[0]))
	case "deactivate":
		s.DeactivateFramework(ids.FrameworkID(words[0]))
	case "activate":
		s.ActivateFramework(ids.FrameworkID(words[0]))
	case "suppress":
		s.Suppress(ids.FrameworkID(words[0]), roles(words[1:])...)
	case "revive":
		s.Revive(ids.FrameworkID(words[0]), roles(words[1:])...)
	case "adopt", "recover", "decline":
		return nil, s.move(order, words)
	case "wait":
		d, err := time.ParseDuration(words[0])
		s.now = s.now.Add(d)
		return nil, err
	case "allocate":
		return show(s.Allocate(s.now)), nil
	default:
		return s.ask(order, words)
	}
	return nil, nil
}

// describe carries out
//
//	agent <id> <resources>
//	framework <id> <role,role!> [gpus] [revocable] [shared] [refined]   ("!": suppressed)
//	weight <role> <weight>
func (s *stage) describe(order string, words []string) error {
	switch order {
	case "agent":
		total, err := parse(words[1])
		s.SetAgent(ids.AgentID(words[0]), total)
		return err
	case "weight":
		weight, err := strconv.ParseFloat(words[1], 64)
		if err != nil {
			return err
		}
		return s.SetWeight(ids.Role(words[0]), weight)
	}
	f := Framework{ID: ids.FrameworkID(words[0])}
	for role := range strings.SplitSeq(words[1], ",") {
		name, suppressed := strings.CutSuffix(role, "!")
		f.Roles = append(f.Roles, ids.Role(name))
		if suppressed {
			f.Suppressed = append(f.Suppressed, ids.Role(name))
		}
	}
	for _, word := range words[2:] {
		switch word {
		case "gpus":
			f.Capabilities.GPUs = true
		case "revocable":
			f.Capabilities.Revocable = true
		case "shared":
			f.Capabilities.Shared = true
		case "refined":
			f.Capabilities.ReservationRefinement = true
		default:
			return fmt.Errorf("no capability is called %s", word)
		}
	}
	s.SetFramework(f)
	s.ActivateFramework(f.ID)
	return nil
}

// move carries out
//
//	adopt <framework> <role> <agent> <resources>
//	recover <framework> <role> <agent> <resources>
//	decline <framework> <role> <agent> <resources> <duration>
func (s *stage) move(order string, words []string) error {
	framework, agent := ids.FrameworkID(words[0]), ids.AgentID(words[2])
	l, err := parse(words[3])
	if err != nil {
		return err
	}
	l = l.Allocate(ids.Role(words[1]))
	switch order {
	case "adopt":
		return s.Adopt(framework, agent, l)
	case "recover":
		return s.Recover(s.now, framework, agent, l, 0)
	}
	refuse, err := time.ParseDuration(words[4])
	if err != nil {
		return err
	}
	return s.Recover(s.now, framework, agent, l, refuse)
}

// ask answers
//
//	idle <agent>
//	share <role>
//	deadline
//	explain <framework> <role> <agent>
func (s *stage) ask(order string, words []string) ([]string, error) {
	switch order {
	case "idle":
		return []string{s.Idle(ids.AgentID(words[0])).String()}, nil
	case "share":
		return []string{strconv.FormatFloat(s.Share(ids.Role(words[0])), 'g', 4, 64)}, nil
	case "deadline":
		if d := s.NextDeadline(); d != core.Never {
			return []string{"in " + (d - s.now.Mono).String()}, nil
		}
		return []string{"never"}, nil
	case "explain":
		return []string{s.Explain(ids.FrameworkID(words[0]), ids.Role(words[1]), ids.AgentID(words[2])).String()}, nil
	}
	return nil, fmt.Errorf("nobody understands %q", order)
}

func roles(words []string) (roles []ids.Role) {
	for _, word := range words {
		roles = append(roles, ids.Role(word))
	}
	return roles
}

func show(offers []Offer) (lines []string) {
	for _, o := range offers {
		lines = append(lines, fmt.Sprintf("%s as %s on %s: %s", o.Framework, o.Role, o.Agent, o.Resources.Unallocated()))
	}
	if lines == nil {
		lines = []string{"nothing"}
	}
	return lines
}

// parse reads resources in the flag syntax, and three kinds that it cannot
// express: cpus(dev+dev/a) is reserved twice, cpus! is revocable, and volume is
// a shared persistent one of dev.
func parse(text string) (resources.List, error) {
	var list resources.List
	for part := range strings.SplitSeq(text, ";") {
		l, err := parsePart(part)
		if err != nil {
			return list, err
		}
		list = list.Add(l)
	}
	return list, nil
}

func parsePart(part string) (resources.List, error) {
	name, amount, _ := strings.Cut(part, ":")
	milli, _ := strconv.ParseFloat(amount, 64)
	scalar, err := resources.ScalarOf(milli)
	spec := resources.Spec{Name: name, Scalar: scalar}
	switch {
	case name == "volume":
		spec.Name, spec.Shared = resources.Disk, true
		spec.Reservations = []resources.Reservation{{Kind: resources.Dynamic, Role: "dev"}}
		spec.Disk = &resources.DiskInfo{Persistence: &resources.Persistence{ID: "v1"}}
	case strings.HasSuffix(name, "!"):
		spec.Name, spec.Revocable = strings.TrimSuffix(name, "!"), true
	case strings.Contains(name, "+"):
		base, stack, _ := strings.Cut(strings.TrimSuffix(name, ")"), "(")
		spec.Name = base
		for role := range strings.SplitSeq(stack, "+") {
			spec.Reservations = append(spec.Reservations, resources.Reservation{Kind: resources.Dynamic, Role: ids.Role(role)})
		}
	default:
		return resources.Parse(part)
	}
	if err != nil {
		return resources.List{}, err
	}
	r, err := resources.New(spec)
	return resources.ListOf(r), err
}
