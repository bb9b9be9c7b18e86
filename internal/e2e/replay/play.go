package replay

import (
	"encoding/json"
	"strings"
	"testing"
)

// cues are what somebody did between the recorded exchanges, by how the caption of the next item begins.
type cues map[string]func(t *testing.T)

// play sends the requests of a section one after the other and compares all that follows each of them. It
// gives the number of items that were compared.
func (s *session) play(t *testing.T, sec section, cues cues) (compared int) {
	t.Helper()
	s.noteByHand(sec)
	for i := 0; i < len(sec.items); i++ {
		it := sec.items[i]
		for begin, act := range cues {
			if strings.HasPrefix(it.caption, begin) {
				act(t)
				delete(cues, begin)
			}
		}
		if it.request != nil {
			if i++; i == len(sec.items) || sec.items[i].response == nil {
				t.Fatalf("line %d: a request without a response", it.line)
			}
		}
		if it.plain != "" {
			continue
		}
		compared++
		t.Run(sec.title+" "+caption(it), func(t *testing.T) {
			var differences []string
			var err error
			switch {
			case it.request != nil:
				differences, err = s.exchange(it.request, sec.items[i].response)
			case it.response != nil: // to the subscription, once more
				differences, err = s.exchange(s.subscription, it.response)
			case it.event != "":
				differences, err = s.expect(it)
			case it.fate != "":
				differences = s.shareFate(it)
			}
			if err != nil {
				t.Fatalf("recorded in line %d: %v", it.line, err)
			}
			for _, d := range differences {
				t.Errorf("recorded in line %d: %s", it.line, d)
			}
		})
	}
	for begin := range cues {
		t.Errorf("nothing in %q begins with %q", sec.title, begin)
	}
	return compared
}

// caption is the beginning of what the recording says before an item.
func caption(it item) string {
	text, _, _ := strings.Cut(it.caption, ":")
	return strings.ReplaceAll(text, "/", "_")
}

// noteByHand finds the updates that the recording acknowledges itself.
func (s *session) noteByHand(sec section) {
	for _, it := range sec.items {
		if it.request == nil {
			continue
		}
		var call any
		if json.Unmarshal([]byte(it.request.body), &call) == nil {
			if uuid, ok := dig(call, "acknowledge", "uuid").(string); ok {
				s.byHand[uuid] = true
			}
		}
	}
}
