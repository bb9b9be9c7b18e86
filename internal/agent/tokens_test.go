package agent

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/wire"
)

// TestExecutorsAreAskedWhoTheyAre runs two executors, and calls as one with the token of the other, with none, and
// with one that was tampered with.
func TestExecutorsAreAskedWhoTheyAre(t *testing.T) {
	m := newTestMaster(t)
	a := startAgent(t, m, func(c *Config) { c.AuthenticateExecutors = true })
	m.subscribed()
	token := func(executor string) string {
		t.Helper()
		waitForFile(t, filepath.Join(a.sandbox(executor), "env.txt"))
		env, err := os.ReadFile(filepath.Join(a.sandbox(executor), "env.txt"))
		if err != nil {
			t.Fatal(err)
		}
		_, after, found := strings.Cut(string(env), tokenVariable+"=")
		if !found {
			t.Fatalf("executor %s finds no token in\n%s", executor, env)
		}
		value, _, _ := strings.Cut(after, "\n")
		return value
	}
	m.run(frameworkInfo(), customTask("t1", "E"))
	m.run(frameworkInfo(), customTask("t2", "F"))
	own, other := token("E"), token("F")
	body, err := wire.JSON.Marshal(call(executorpb.Call_HEARTBEAT))
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Split(other, ".")
	forged[1] = base64.RawURLEncoding.EncodeToString([]byte(`{"cid":"","eid":"E","fid":"framework-1"}`))
	for _, test := range []struct {
		name, authorization string
		code                int
		text                string
	}{
		{"no token", "", 401, "Expecting 'Authorization' to be 'Bearer '"},
		{"a password", wire.BasicAuth("E", "x"), 401, "Expecting 'Authorization' to be 'Bearer '"},
		{"not a token", "Bearer x", 401, "Expecting 'Authorization' to be 'Bearer '"},
		{"another's token with our name", "Bearer " + strings.Join(forged, "."), 401, "Expecting 'Authorization' to be 'Bearer '"},
		{"another's token", "Bearer " + other, 403, "The token is that of executor F of framework framework-1, and the call that of executor E"},
		{"our token", "Bearer " + own, 403, "Executor is not subscribed"},
	} {
		code, text := a.ask(body, "Authorization", test.authorization)
		if code != test.code || !strings.HasPrefix(text, test.text) {
			t.Errorf("%s: %d %q, want %d %q", test.name, code, text, test.code, test.text)
		}
	}
	if code, _ := a.ask([]byte("{"), "Authorization", ""); code != http.StatusUnauthorized {
		t.Errorf("a stranger's nonsense is answered %d, want 401 before it is read", code)
	}
}

func TestTokensOutliveTheAgent(t *testing.T) {
	dir := t.TempDir()
	before, err := openTokens(dir)
	if err != nil {
		t.Fatal(err)
	}
	token := before.issue(node.Sandbox{Framework: "f", Executor: "e", Container: "c"})
	after, err := openTokens(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := after.read(token); !ok || got != (claims{"c", "e", "f"}) {
		t.Errorf("after a restart the token says %v, %t", got, ok)
	}
	if info, err := os.Stat(filepath.Join(dir, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v; want it to be readable by its owner alone", info, err)
	}
	stranger, err := openTokens(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := stranger.read(token); ok {
		t.Error("another agent takes the token")
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openTokens(dir); err == nil || !strings.Contains(err.Error(), "has 5 bytes, expected 32") {
		t.Errorf("a damaged key: %v", err)
	}
}
