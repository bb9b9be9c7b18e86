package master

import (
	"io"
	"strings"
	"testing"
	"time"

	linkpb "github.com/meseta/meseta/api/meseta/link/v1"
)

// TestSilentAgentIsGivenUpOnce is an agent behind a partition: nobody closes its link. The time that it may
// be away is not counted anew when the master closes it.
func TestSilentAgentIsGivenUpOnce(t *testing.T) {
	const patience = 1500 * time.Millisecond
	address, _ := start(t, Config{AgentPingTimeout: patience / 15, MaxAgentPingTimeouts: 15})
	link := join(t, address, &linkpb.Subscribe{Version: 1, AgentInfo: agentInfo(t, "quiet")})
	hear(t, link)
	var err error
	for err == nil { // pings, which it does not answer
		_, err = link.Receive()
	}
	listed := func() bool {
		text, err := io.ReadAll(post(t, address, "/api/v1", `{"type":"GET_AGENTS"}`, "Accept", "application/json").Body)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "quiet")
	}
	for closed := time.Now(); listed(); {
		if waited := time.Since(closed); waited > patience/2 {
			t.Fatalf("the agent is in the books %s after its link was closed for silence", waited)
		}
	}
}
