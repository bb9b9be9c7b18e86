package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// names binds recorded ids to ours: each is bound where it first appears in an answer, and stands for
// ours in everything that is sent later.
type names struct{ ours map[string]string }

// translate replaces recorded ids in a text that is about to be sent. Longer ids first: a framework's
// id begins with its master's.
func (n *names) translate(text string) string {
	ids := slices.SortedFunc(maps.Keys(n.ours), func(a, b string) int { return len(b) - len(a) })
	for i, id := range ids {
		text = strings.ReplaceAll(text, id, fmt.Sprintf("\x00%d\x00", i))
	}
	for i, id := range ids {
		text = strings.ReplaceAll(text, fmt.Sprintf("\x00%d\x00", i), n.ours[id])
	}
	return text
}

// volatile are the members whose values are ours to choose: times, processes, addresses, versions.
var volatile = map[string]bool{"timestamp": true, "executor_pid": true, "port": true, "pid": true, "version": true,
	"hostname": true, "nanoseconds": true}

// compare says in how far a live value differs from the recorded one. Ids are bound on the way.
func (n *names) compare(path string, recorded, live any) (differences []string) {
	differ := func(format string, args ...any) {
		differences = append(differences, path+": "+fmt.Sprintf(format, args...))
	}
	switch want := recorded.(type) {
	case map[string]any:
		got, ok := live.(map[string]any)
		if !ok {
			differ("recorded an object, got %s", text(live))
			return
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if _, ok := got[k]; !ok {
				differ("%s is missing", k)
				continue
			}
			differences = append(differences, n.compare(path+"."+k, want[k], got[k])...)
		}
		for _, k := range slices.Sorted(maps.Keys(got)) {
			if _, ok := want[k]; !ok {
				differ("%s is too much: %s", k, text(got[k]))
			}
		}
	case []any:
		got, ok := live.([]any)
		if !ok || len(got) != len(want) {
			differ("recorded %s, got %s", text(want), text(live))
			return
		}
		for i := range want {
			differences = append(differences, n.compare(fmt.Sprintf("%s[%d]", path, i), want[i], got[i])...)
		}
	default:
		key := path[strings.LastIndexByte(path, '.')+1:]
		switch {
		case fmt.Sprintf("%T", recorded) != fmt.Sprintf("%T", live):
			differ("recorded %s, got %s", text(recorded), text(live))
		case volatile[key]:
		case isID(path, key):
			differences = append(differences, n.bind(path, recorded.(string), live.(string))...)
		case key == "message":
			if want, got := mask(n.translate(recorded.(string))), mask(live.(string)); got != want {
				differ("recorded %q, got %q", want, got)
			}
		case text(recorded) != text(live):
			differ("recorded %s, got %s", text(recorded), text(live))
		}
	}
	return differences
}

var (
	amount = regexp.MustCompile(`\):[0-9.]+`)
	place  = regexp.MustCompile(`'[^']*/slaves/[^']*'|container '[0-9a-f-]+'`)
)

// mask takes out of a sentence what is ours to choose: how much is left of an agent at the moment, where
// a sandbox is and what a container is called.
func mask(sentence string) string {
	return place.ReplaceAllString(amount.ReplaceAllString(sentence, "):N"), "PLACE")
}

// isID tells whether a string is an id: the value of some …_id, the id of a master, the uuid of a status.
func isID(path, key string) bool {
	if key == "uuid" || strings.HasSuffix(path, "master_info.id") {
		return true
	}
	if key != "value" {
		return false
	}
	for _, id := range []string{"framework_id.", "agent_id.", "offer_id.", "container_id.", ".id.", "executor_id.", "task_id."} {
		if strings.Contains(path, id) {
			return true
		}
	}
	return false
}

func (n *names) bind(path, recorded, live string) []string {
	ours, bound := n.ours[recorded]
	if bound && ours != live {
		return []string{fmt.Sprintf("%s: recorded %s, which is %s here, got %s", path, recorded, ours, live)}
	}
	n.ours[recorded] = live
	return nil
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
