package replay

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/e2e/testcluster"
)

func TestMain(m *testing.M) {
	code := testcluster.Run(m)
	if code == 0 && flag.Lookup("test.run").Value.String() == "" {
		if err := stale(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// notYet are the sections that wait for what is not built yet. Of "Connection behaviour", the compression of
// GET_METRICS waits too.
var notYet = map[string]string{
	"UPDATE_FRAMEWORK": "answered 501",
	"Health check and COMMAND check in TaskStatus": "health checks and checks are ignored",
}

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
	s := newSession(c.Master.Address, c.Agents[0].Address)
	t.Cleanup(s.close)
	return s, c
}

// demo is the framework of most parts of the recording.
const demo = `"user":"root","name":"demo","roles":["*"],"failover_timeout":60.0,"capabilities":[{"type":"MULTI_ROLE"}]`

// subscribe opens a stream as the recorded frameworks did before a part began. The ids of the recorded
// master and of its n-th framework are bound to ours.
func (s *session) subscribe(t *testing.T, master string, n int, framework string) *stream {
	t.Helper()
	request := &message{
		start:   "POST /api/v1/scheduler HTTP/1.1",
		headers: []string{"Host: " + masterHost, "Content-Type: application/json", "Accept: application/json", "Content-Length: 0"},
		body:    `{"type":"SUBSCRIBE","subscribe":{"framework_info":{` + framework + `}}}`,
	}
	answer := &message{start: "HTTP/1.1 200 OK", headers: []string{"Date: x", "Transfer-Encoding: chunked",
		"Mesos-Stream-Id: unrecorded", "Content-Type: application/json", "Connection: close"}}
	differences, err := s.exchange(request, answer)
	if err != nil || len(differences) > 0 {
		t.Fatal(err, differences)
	}
	st := s.newest(masterHost)
	id, _ := dig(<-st.events, "subscribed", "framework_id", "value").(string)
	s.names.ours[fmt.Sprintf("%s-%04d", master, n)] = id
	s.names.ours[master] = id[:strings.LastIndexByte(id, '-')]
	return st
}

// sandbox is the directory of the latest run of an executor or command task.
func sandbox(t *testing.T, c *testcluster.Cluster, executor string) string {
	t.Helper()
	pattern := filepath.Join(c.Dir(), "agent-0/slaves/*/frameworks/*/executors", executor, "runs/latest")
	var found string
	testcluster.Eventually(t, "there is a sandbox of "+executor, func() bool {
		links, err := filepath.Glob(pattern)
		if err != nil || len(links) != 1 {
			return false
		}
		found, err = filepath.EvalSymlinks(links[0])
		return err == nil
	})
	return found
}

// output waits until a file of a sandbox is not empty.
func output(t *testing.T, c *testcluster.Cluster, executor, name string) string {
	t.Helper()
	path := filepath.Join(sandbox(t, c, executor), name)
	var text []byte
	testcluster.Eventually(t, executor+" writes "+name, func() bool {
		text, _ = os.ReadFile(path)
		return len(text) > 0
	})
	return string(text)
}
