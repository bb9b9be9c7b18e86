package replay

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// offer is an offer of ours.
type offer struct {
	id   string
	cpus float64
}

// offerID finds the recorded offers in a request.
var offerID = regexp.MustCompile(`[0-9a-f-]{36}-O\d+`)

// bindOffers finds offers of ours for those that a request names and the recording never showed: the
// largest that is open.
func (s *session) bindOffers(body string) error {
	for _, recorded := range offerID.FindAllString(body, -1) {
		if s.names.ours[recorded] == "" {
			if len(s.open) == 0 {
				if err := s.awaitOffers(s.newest(masterHost)); err != nil {
					return err
				}
			}
			s.names.ours[recorded] = slices.MaxFunc(s.open, func(a, b offer) int { return cmp.Compare(a.cpus, b.cpus) }).id
		}
		s.open = slices.DeleteFunc(s.open, func(o offer) bool { return o.id == s.names.ours[recorded] })
	}
	return nil
}

func (s *session) awaitOffers(st *stream) error {
	for deadline := time.After(patience); len(s.open) == 0; {
		select {
		case e, ok := <-st.events:
			if !ok {
				return fmt.Errorf("the stream ended (%s) before offers came", <-st.ended)
			}
			s.noteOffers(e)
		case <-deadline:
			return fmt.Errorf("no offers within %s", patience)
		}
	}
	return nil
}

// noteOffers keeps the offers of an event for later.
func (s *session) noteOffers(event any) {
	if kind(event) != "OFFERS" {
		return
	}
	for _, o := range dig(event, "offers", "offers").([]any) {
		one := offer{id: dig(o, "id", "value").(string)}
		s.agent, _ = dig(o, "agent_id", "value").(string)
		for _, r := range dig(o, "resources").([]any) {
			if dig(r, "name") == "cpus" {
				one.cpus, _ = dig(r, "scalar", "value").(float64)
			}
		}
		s.open = append(s.open, one)
	}
}
