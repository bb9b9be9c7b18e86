package agent

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	executorpb "github.com/meseta/meseta/api/mesos/v1/executor"
	"github.com/meseta/meseta/internal/node"
	"github.com/meseta/meseta/internal/wire"
)

// tokens tell executors from those who only say that they are one. Each executor finds one in its environment and
// presents it with every call, as in Mesos with --authenticate_http_executors: a JSON web token whose claims are
// the ids of its framework, of itself and of its container, signed with a key that never leaves the work directory.
// Nil asks nobody for anything.
type tokens struct{ key []byte }

// claims are what a token says of its bearer, under the names that Mesos has for them.
type claims struct {
	Container string `json:"cid"`
	Executor  string `json:"eid"`
	Framework string `json:"fid"`
}

// tokenVariable is where an executor finds its token.
const tokenVariable = "MESOS_EXECUTOR_AUTHENTICATION_TOKEN"

// keyFile is in the work directory: executors keep their tokens when the agent is restarted.
const keyFile = "executor_key"

// openTokens reads the key, or makes one.
func openTokens(workDir string) (*tokens, error) {
	path := filepath.Join(workDir, keyFile)
	key, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key = make([]byte, sha256.Size)
		rand.Read(key)
		err = os.WriteFile(path, key, 0o600)
	case err == nil && len(key) != sha256.Size:
		err = fmt.Errorf("%s has %d bytes, expected %d: remove it, and executors that run have to be ended", path, len(key), sha256.Size)
	}
	if err != nil {
		return nil, fmt.Errorf("key for executors' tokens: %w", err)
	}
	return &tokens{key}, nil
}

// tokenHead is the first part of every token.
var tokenHead = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

// issue makes the token of an executor.
func (k *tokens) issue(s node.Sandbox) string {
	body, _ := json.Marshal(claims{string(s.Container), string(s.Executor), string(s.Framework)}) // of texts: it cannot fail
	text := tokenHead + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + k.sign(text)
}

func (k *tokens) sign(text string) string {
	mac := hmac.New(sha256.New, k.key)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// read gives what a token says, if it was issued here.
func (k *tokens) read(token string) (c claims, ok bool) {
	at := strings.LastIndexByte(token, '.')
	if at < 0 || !hmac.Equal([]byte(token[at+1:]), []byte(k.sign(token[:at]))) {
		return c, false
	}
	_, body, _ := strings.Cut(token[:at], ".")
	text, err := base64.RawURLEncoding.DecodeString(body)
	return c, err == nil && json.Unmarshal(text, &c) == nil
}

// bearer finds out who sends a request. It has answered if nobody may.
func (k *tokens) bearer(w http.ResponseWriter, r *http.Request) (c claims, ok bool) {
	if k == nil {
		return c, true
	}
	if token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		c, ok = k.read(token)
	}
	if !ok {
		w.Header()["WWW-Authenticate"] = []string{`Bearer realm="mesos-agent-executor"`}
		wire.Answer(w, http.StatusUnauthorized, "Expecting 'Authorization' to be 'Bearer ' and what the agent has given the executor in "+tokenVariable)
	}
	return c, ok
}

// speaksFor says why a call is not the bearer's; empty if it is.
func (k *tokens) speaksFor(c claims, call *executorpb.Call) string {
	framework, executor := call.GetFrameworkId().GetValue(), call.GetExecutorId().GetValue()
	if k == nil || c.Framework == framework && c.Executor == executor {
		return ""
	}
	return fmt.Sprintf("The token is that of executor %s of framework %s, and the call that of executor %s of framework %s",
		c.Executor, c.Framework, executor, framework)
}
