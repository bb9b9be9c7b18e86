package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/resources"
	"github.com/meseta/meseta/internal/resources/resourcepb"
)

func scalar(rs []*mesos.Resource, name string) (sum float64) {
	for _, r := range rs {
		if r.GetName() == name {
			sum += r.GetScalar().GetValue()
		}
	}
	return sum
}

// inWords gives resources as flags and offers have them: "cpus:1; mem:128".
func inWords(rs []*mesos.Resource) string {
	l, err := resourcepb.FromProto(rs)
	if err != nil {
		return err.Error()
	}
	return listed(l.Unallocated())
}

func listed(l resources.List) string {
	if l.IsEmpty() {
		return "nothing"
	}
	return l.String()
}

func shortState(s mesos.TaskState) string { return strings.TrimPrefix(s.String(), "TASK_") }

// number prints an amount with as many decimals as it has, three at most.
func number(f float64) string { return strconv.FormatFloat(math.Round(f*1000)/1000, 'f', -1, 64) }

func used(part, whole float64) string { return number(part) + "/" + number(whole) }

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// plural is a number of things: "1 task", "3 tasks".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// moment is a time on the wire.
func moment(seconds float64) time.Time { return time.UnixMicro(int64(seconds * 1e6)) }

// seconds is a time as the lists have it; zero for none.
func seconds(t *mesos.TimeInfo) float64 { return float64(t.GetNanoseconds()) / 1e9 }

// ago says how long ago a moment was, as coarsely as people do.
func ago(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	d := max(0, time.Since(moment(seconds)))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// since says when something was, and how long ago.
func since(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %s ago", moment(seconds).Format(time.DateTime), ago(seconds))
}
