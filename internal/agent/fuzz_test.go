package agent

import (
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/wire"
	"github.com/meseta/meseta/internal/wire/wiretest"
)

// FuzzHTTP sends requests of any kind to a whole agent that runs an executor.
func FuzzHTTP(f *testing.F) {
	wiretest.Seed(f, "../e2e/replay/testdata/recorded.md")
	const head = "POST /api/v1/executor HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nAccept: application/json"
	for _, path := range []string{"/health", "/version", "/files/browse?path=/", "/files/read?path=/frameworks/f/executors/E/runs/latest/stdout&offset=0&length=1",
		"/slave(1)/files/download?path=../../etc/passwd"} {
		f.Add("GET "+path+" HTTP/1.1\r\nHost: h", []byte{})
	}
	for _, c := range []*executorpb.Call{
		{Type: executorpb.Call_SUBSCRIBE.Enum(), Subscribe: &executorpb.Call_Subscribe{}},
		{Type: executorpb.Call_UPDATE.Enum(), Update: &executorpb.Call_Update{Status: status("t1", 1, 1)}},
		{Type: executorpb.Call_MESSAGE.Enum(), Message: &executorpb.Call_Message{Data: []byte("x")}},
		{Type: executorpb.Call_HEARTBEAT.Enum()},
	} {
		c.ExecutorId, c.FrameworkId = call(0).ExecutorId, call(0).FrameworkId
		body, err := wire.JSON.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(head, body)
	}
	log := wiretest.NewLog()
	m := newTestMaster(f)
	var over sync.WaitGroup
	done := make(chan struct{})
	f.Cleanup(func() { close(done); over.Wait() })
	over.Go(func() { // what the agent says is not looked at
		for {
			select {
			case <-m.said:
			case <-done:
				return
			}
		}
	})
	a := &testAgent{t: f, log: slog.New(log), config: Config{Masters: []string{m.address()}, Port: -1, WorkDir: f.TempDir(),
		KillTasksOnStop: true, Resources: "cpus:2;mem:1024;disk:1024", ExecutorRegistrationTimeout: time.Hour}}
	a.start()
	f.Cleanup(a.end)
	waitUntilLinked(m)
	m.run(frameworkInfo(), customTask("t1", "E"))
	client := http.Client{Timeout: time.Minute}
	f.Cleanup(client.CloseIdleConnections)
	f.Fuzz(func(t *testing.T, head string, body []byte) {
		wiretest.Ask(t, a.address, head, body)
		log.Check(t)
		answer, err := client.Get("http://" + a.address + "/version")
		if err != nil {
			t.Fatalf("the agent does not answer any more: %v", err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	})
}

// waitUntilLinked waits until an agent has been taken.
func waitUntilLinked(m *testMaster) {
	for {
		m.mu.Lock()
		linked := m.link != nil
		m.mu.Unlock()
		if linked {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
