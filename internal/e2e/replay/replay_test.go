package replay

import (
	"os"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestMain(m *testing.M) { os.Exit(testcluster.Run(m)) }

func recording(t *testing.T) []section {
	t.Helper()
	text, err := os.ReadFile("testdata/recorded.md")
	if err != nil {
		t.Fatal(err)
	}
	sections, err := parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return sections
}

// start starts a cluster like the recorded one.
func start(t *testing.T) (*session, *testcluster.Cluster) {
	c := testcluster.Start(t, testcluster.Options{AgentFlags: []string{"--resources=cpus:8;mem:8192;disk:10000"}})
	s := &session{address: c.Master.Address, names: &names{ours: map[string]string{}}}
	t.Cleanup(s.close)
	return s, c
}

// subscribe opens a stream as the recorded frameworks did before a part began, and binds its ids.
func (s *session) subscribe(t *testing.T, master string) *stream {
	t.Helper()
	request := &message{
		start:   "POST /api/v1/scheduler HTTP/1.1",
		headers: []string{"Host: x", "Content-Type: application/json", "Accept: application/json", "Content-Length: 0"},
		body: `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"demo","roles":["*"],` +
			`"capabilities":[{"type":"MULTI_ROLE"}],"failover_timeout":60.0}}}`,
	}
	answer := &message{start: "HTTP/1.1 200 OK", headers: []string{"Date: x", "Transfer-Encoding: chunked",
		"Mesos-Stream-Id: first", "Content-Type: application/json"}}
	differences, err := s.exchange(request, answer)
	if err != nil || len(differences) > 0 {
		t.Fatal(err, differences)
	}
	st := s.streams[len(s.streams)-1]
	event := (<-st.events).(map[string]any)
	id := event["subscribed"].(map[string]any)["framework_id"].(map[string]any)["value"].(string)
	s.names.ours[master+"-0000"] = id
	s.names.ours[master] = strings.TrimSuffix(id, "-0000")
	return st
}

// TestErrorAnswers replays everything that a Mesos master refuses.
func TestErrorAnswers(t *testing.T) {
	s, _ := start(t)
	const master = "08009066-222e-4b7e-8f5f-262018015a2a"
	st := s.subscribe(t, master)
	s.names.ours["1afd783c-3465-4bbd-b97d-44cb0bf0dd7b"] = st.id
	played := 0
	for _, sec := range recording(t) {
		if sec.part == "Scheduler API: error answers" && sec.title != "Connection behaviour" {
			played += s.play(t, sec)
		}
	}
	if played < 40 {
		t.Errorf("only %d exchanges were played", played)
	}
}

// play sends the requests of a section one after the other and compares what follows each of them.
func (s *session) play(t *testing.T, sec section) (played int) {
	for i := 0; i < len(sec.items); i++ {
		request := sec.items[i]
		if request.request == nil || i+1 == len(sec.items) || sec.items[i+1].response == nil {
			continue
		}
		played++
		i++
		response := sec.items[i].response
		var events []item
		for i+1 < len(sec.items) && sec.items[i+1].event != "" {
			i++
			events = append(events, sec.items[i])
		}
		name := strings.NewReplacer(":", "", "/", "_").Replace(request.caption)
		t.Run(name, func(t *testing.T) {
			differences, err := s.exchange(request.request, response)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				more, err := s.expect(s.streams[len(s.streams)-1], e.event)
				if err != nil {
					t.Fatal(err)
				}
				differences = append(differences, more...)
			}
			for _, d := range differences {
				t.Errorf("recorded in line %d: %s", request.line, d)
			}
		})
	}
	return played
}
