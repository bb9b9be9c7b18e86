package mesosjson_test

import (
	"bufio"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/meseta/meseta/api/mesos/v1/agent"
	_ "github.com/meseta/meseta/api/mesos/v1/allocator"
	_ "github.com/meseta/meseta/api/mesos/v1/executor"
	_ "github.com/meseta/meseta/api/mesos/v1/maintenance"
	_ "github.com/meseta/meseta/api/mesos/v1/master"
	_ "github.com/meseta/meseta/api/mesos/v1/quota"
	_ "github.com/meseta/meseta/api/mesos/v1/resource_provider"
	_ "github.com/meseta/meseta/api/mesos/v1/scheduler"
	"github.com/meseta/meseta/internal/wire/mesosjson"
)

// body is one line of testdata/recorded.txt.
type body struct {
	line   int
	writer string // "server", "server-trimmed" or "client"
	name   string // of the message type
	json   string
}

func (b body) fromMesos() bool { return strings.HasPrefix(b.writer, "server") }

func recorded(t testing.TB) []body {
	t.Helper()
	file, err := os.Open("testdata/recorded.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	var bodies []body
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for line := 1; lines.Scan(); line++ {
		text := lines.Text()
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		parts := strings.SplitN(text, " ", 3)
		bodies = append(bodies, body{line: line, writer: parts[0], name: parts[1], json: parts[2]})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return bodies
}

func newMessage(t testing.TB, name string) proto.Message {
	t.Helper()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		t.Fatal(err)
	}
	return kind.New().Interface()
}

func TestWhatMesosWroteIsWrittenAgainByteForByte(t *testing.T) {
	tested := 0
	for _, b := range recorded(t) {
		if !b.fromMesos() {
			continue
		}
		tested++
		message := newMessage(t, b.name)
		if err := mesosjson.Unmarshal([]byte(b.json), message); err != nil {
			t.Errorf("line %d: read %s: %v", b.line, b.name, err)
			continue
		}
		again, err := mesosjson.Marshal(message)
		if err != nil {
			t.Errorf("line %d: write %s: %v", b.line, b.name, err)
			continue
		}
		want := withClosestDigits(withoutAgentCheckpoint(b.json))
		if string(again) != want {
			t.Errorf("line %d: %s differs (-Mesos +we):\n%s\nMesos: %s\n   we: %s",
				b.line, b.name, cmp.Diff(tree(t, []byte(want)), tree(t, again)), want, again)
		}
	}
	if tested < 100 {
		t.Errorf("only %d bodies of Mesos in testdata", tested)
	}
}

// withoutAgentCheckpoint removes the one member that Mesos writes outside its v1 contract: its operator
// API shows the older API's AgentInfo, which has a checkpoint flag. Strict clients would refuse it.
func withoutAgentCheckpoint(body string) string {
	return strings.ReplaceAll(body, `,"checkpoint":true},"active":`, `},"active":`)
}

var seventeenDigits = regexp.MustCompile(`\b\d{10}\.\d{7}\b`)

// withClosestDigits rewrites the doubles that need seventeen digits. Mesos chooses digits that read back
// as the same double but are sometimes not the closest to it; ours are.
func withClosestDigits(body string) string {
	return seventeenDigits.ReplaceAllStringFunc(body, func(digits string) string {
		f, _ := strconv.ParseFloat(digits, 64)
		return strconv.FormatFloat(f, 'f', -1, 64)
	})
}

// tree is the JSON as plain Go values, to show a difference.
func tree(t testing.TB, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// What a client wrote is understood completely: each of its members comes out again with the same value,
// and what comes out means the same message.
func TestWhatClientsWroteIsUnderstood(t *testing.T) {
	tested := 0
	for _, b := range recorded(t) {
		if b.fromMesos() {
			continue
		}
		tested++
		message := newMessage(t, b.name)
		if err := mesosjson.Unmarshal([]byte(b.json), message); err != nil {
			t.Errorf("line %d: read %s: %v", b.line, b.name, err)
			continue
		}
		ours, err := mesosjson.Marshal(message)
		if err != nil {
			t.Errorf("line %d: write %s: %v", b.line, b.name, err)
			continue
		}
		if !contains(tree(t, ours), tree(t, []byte(b.json))) {
			t.Errorf("line %d: %s\nclient: %s\n    we: %s", b.line, b.name, b.json, ours)
		}
		again := newMessage(t, b.name)
		if err := mesosjson.Unmarshal(ours, again); err != nil {
			t.Errorf("line %d: read %s again: %v", b.line, b.name, err)
		}
		rewritten, err := mesosjson.Marshal(again)
		if err != nil || string(rewritten) != string(ours) {
			t.Errorf("line %d: written again: %s, %v\nbefore: %s", b.line, rewritten, err, ours)
		}
	}
	if tested < 100 {
		t.Errorf("only %d bodies of clients in testdata", tested)
	}
}

// contains tells whether whole has everything that part has. Empty lists need not be there.
func contains(whole, part any) bool {
	switch part := part.(type) {
	case map[string]any:
		whole, ok := whole.(map[string]any)
		for name, value := range part {
			if list, isList := value.([]any); isList && len(list) == 0 {
				continue
			}
			ok = ok && contains(whole[name], value)
		}
		return ok
	case []any:
		whole, ok := whole.([]any)
		ok = ok && len(whole) == len(part)
		for i := range part {
			ok = ok && contains(whole[i], part[i])
		}
		return ok
	default:
		return reflect.DeepEqual(whole, part)
	}
}
