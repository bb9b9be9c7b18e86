package replay

import (
	"encoding/json"
	"fmt"
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

// subscribe opens a stream as the recorded frameworks did before a part began. The ids of the recorded
// master and of its n-th framework are bound to ours.
func (s *session) subscribe(t *testing.T, master string, n int) *stream {
	t.Helper()
	return s.subscribeAs(t, master, n, `"capabilities":[{"type":"MULTI_ROLE"}]`)
}

func (s *session) subscribeAs(t *testing.T, master string, n int, capabilities string) *stream {
	t.Helper()
	request := &message{
		start:   "POST /api/v1/scheduler HTTP/1.1",
		headers: []string{"Host: x", "Content-Type: application/json", "Accept: application/json", "Content-Length: 0"},
		body: `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"demo","roles":["*"],"failover_timeout":60.0,` +
			capabilities + `}}}`,
	}
	answer := &message{start: "HTTP/1.1 200 OK", headers: []string{"Date: x", "Transfer-Encoding: chunked",
		"Mesos-Stream-Id: unrecorded", "Content-Type: application/json"}}
	differences, err := s.exchange(request, answer)
	if err != nil || len(differences) > 0 {
		t.Fatal(err, differences)
	}
	st := s.streams[len(s.streams)-1]
	id, _ := dig(<-st.events, "subscribed", "framework_id", "value").(string)
	s.names.ours[fmt.Sprintf("%s-%04d", master, n)] = id
	s.names.ours[master] = id[:strings.LastIndexByte(id, '-')]
	return st
}

// TestErrorAnswers replays everything that a Mesos master refuses.
func TestErrorAnswers(t *testing.T) {
	s, _ := start(t)
	const master = "08009066-222e-4b7e-8f5f-262018015a2a"
	st := s.subscribe(t, master, 0)
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
	s.noteByHand(sec)
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
		t.Run(sec.title+" "+caption(request), func(t *testing.T) {
			differences, err := s.exchange(request.request, response)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				more, err := s.expect(s.streamOf(e), e.event)
				if err != nil {
					t.Fatalf("line %d: %v", e.line, err)
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

// caption is the beginning of what the recording says before a request.
func caption(it item) string {
	text, _, _ := strings.Cut(it.caption, ":")
	return strings.ReplaceAll(text, "/", "_")
}

// streamOf is the stream that a recorded event came on: the newest, unless the recording says otherwise.
func (s *session) streamOf(e item) *stream {
	n := len(s.streams) - 1
	if strings.Contains(e.caption, "OLD connection") {
		n--
	}
	return s.streams[n]
}

// noteByHand finds the updates that the recording acknowledges itself.
func (s *session) noteByHand(sec section) {
	s.byHand = map[string]bool{}
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
