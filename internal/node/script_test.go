package node

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/core"
	"github.com/meseta/meseta/internal/ids"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

// TestTranscripts plays the scripts in testdata. A line that begins with ">" is an input, the lines below
// it are what the core answers; -update rewrites them. "#" begins a comment. See script.do for the inputs.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := playScript(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("the transcript reads differently now (go test -run Transcripts -update rewrites it):\n%s", firstDifference(got, string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			expected := "(nothing)"
			if i < len(w) {
				expected = w[i]
			}
			return fmt.Sprintf("line %d\n got: %s\nwant: %s\n\nall of it:\n%s", i+1, g[i], expected, got)
		}
	}
	return "it ends early:\n" + got
}

// playScript answers a script anew.
func playScript(t *testing.T, text string) string {
	s := newScript()
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, ">"):
			fmt.Fprintln(&b, line)
			for _, out := range s.do(t, strings.Fields(line[1:])) {
				fmt.Fprintln(&b, "  "+out)
			}
		case line == "" || strings.HasPrefix(line, "#"):
			fmt.Fprintln(&b, line)
		}
	}
	return b.String()
}

// script is one core and what a transcript has done to it.
type script struct {
	config  Config
	node    *Node
	now     core.Time
	log     []Record // what was persisted, by tickets that were reported
	pending []Persist
	issued  Ticket
	stream  StreamID
	request RequestID
	links   LinkID
	state   map[ids.ContainerID]ContainerState
	quiet   bool
}

func newScript() *script {
	s := &script{
		config: Config{Boot: "boot-1", WorkDir: "/var/lib/meseta"},
		now:    core.Time{Mono: time.Hour, Wall: time.Unix(1_000_000, 0)},
		state:  make(map[ids.ContainerID]ContainerState),
	}
	return s
}

var errNoCommand = errors.New("no such command")

// do carries out one input line and prints the outputs:
//
//	isolation [hard]              hold containers to their limits from the next start on
//	start                         a fresh core, recovered from the log so far
//	link [epoch] [cluster]        a connection that gets Subscribed at once
//	connect   welcome             the same in two steps
//	unlink | stale <line>         the connection breaks | a message of another session
//	run F T [exec=E [lives]] [uri] [user-problem] [unsupported] [aware] [killing] [max=10s] [grace=1s] [disk=B] [executor-disk=B]
//	  [cpus=MILLI] [mem=B] [max-cpus=MILLI] [max-mem=B]
//	kill F T [grace]   ack F T uN   message F E   shutdown F E   end F   end-all
//	disk C BYTES   out-of-memory C LIMIT PEAK
//	started C PID   exited C STATUS   failed C CAUSE   lost C
//	update-framework F   refused [final|gone]
//	subscribe F E [T…]   update F E T STATE uN   send F E   closed STREAM   accepting
//	persisted [N]   written   broken   no-room   room   wait 10s   boot ID
func (s *script) do(t *testing.T, args []string) []string {
	t.Helper()
	name, args := args[0], args[1:]
	switch name {
	case "start":
		return s.start(args)
	case "isolation":
		s.config.Isolation = Isolation{CPU: true, Mem: true, PIDs: 100, HardCPU: len(args) > 0 && args[0] == "hard"}
		return nil
	case "boot":
		s.config.Boot = args[0]
		return nil
	case "stale":
		in := s.input(t, args[0], args[1:])
		from := in.(FromMaster)
		from.Session += 100
		return s.step(from)
	case "link":
		return s.link(args)
	case "connect":
		s.links++
		return s.step(LinkOpened{s.links})
	case "welcome":
		return s.step(s.welcome(1, "cluster"))
	case "wait":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			t.Fatal(err)
		}
		return s.wait(d)
	}
	return s.step(s.input(t, name, args))
}

// wait lets time pass, and the deadlines ring when they are due.
func (s *script) wait(d time.Duration) []string {
	var out []string
	end := s.now.Mono + d
	for {
		at := s.node.NextDeadline()
		if at > end {
			s.now = s.now.Add(end - s.now.Mono)
			return out
		}
		s.now = s.now.Add(at - s.now.Mono)
		for _, line := range s.step(Tick{}) {
			out = append(out, fmt.Sprintf("+%v %s", s.now.Mono-(end-d), line))
		}
	}
}

// start begins a run of the agent on the log so far; what was not reported as persisted is lost.
func (s *script) start(args []string) []string {
	s.issued, s.pending = 0, nil
	s.config.Seed[0]++
	s.node = New(s.config)
	for _, r := range s.log {
		s.node.Step(s.now, Replayed{r})
	}
	var containers []ContainerState
	for _, a := range args {
		name, what, _ := strings.Cut(a, "=")
		c := ContainerState{Container: parseContainer(name)}
		switch status, err := strconv.Atoi(what); {
		case what == "running":
			c.PID = 7
		case what == "lost":
			c.End = &End{Lost: "the supervisor died"}
		case err == nil:
			c.End = &End{Status: status, Text: fmt.Sprintf("exited with status %d", status>>8)}
		}
		containers = append(containers, c)
	}
	return s.step(Recovered{Containers: containers})
}

func (s *script) link(args []string) []string {
	s.links++
	epoch, cluster := uint64(1), "cluster"
	if len(args) > 0 {
		epoch, _ = strconv.ParseUint(args[0], 10, 64)
	}
	if len(args) > 1 {
		cluster = args[1]
	}
	out := s.step(LinkOpened{s.links})
	return append(out, s.step(s.welcome(epoch, cluster))...)
}

func (s *script) welcome(epoch uint64, cluster string) Input {
	return FromMaster{Link: s.links, Session: uint64(s.links) * 10, Epoch: epoch,
		Body: Subscribed{Agent: "A", Cluster: cluster, Master: "M"}}
}

func (s *script) fromMaster(body MasterBody) Input {
	return FromMaster{Link: s.links, Session: uint64(s.links) * 10, Epoch: s.node.link.epoch, Body: body}
}

func (s *script) input(t *testing.T, name string, a []string) Input {
	t.Helper()
	s.request++
	arg := func(i int) string {
		if i < len(a) {
			return a[i]
		}
		return ""
	}
	f, e, c := ids.FrameworkID(arg(0)), ids.ExecutorID(arg(1)), parseContainer(arg(0))
	switch name {
	case "unlink":
		return LinkClosed{s.links}
	case "run":
		return s.fromMaster(runOf(a))
	case "kill":
		in := KillTask{Framework: f, Task: ids.TaskID(arg(1))}
		if g := arg(2); g != "" {
			d, _ := time.ParseDuration(g)
			in.Grace = &d
		}
		return s.fromMaster(in)
	case "ack":
		return s.fromMaster(Acknowledge{f, ids.TaskID(arg(1)), parseUUID(arg(2))})
	case "message":
		return s.fromMaster(FrameworkMessage{f, e, []byte("hello")})
	case "shutdown":
		return s.fromMaster(ShutdownExecutor{f, e})
	case "end":
		return s.fromMaster(ShutdownFramework{f})
	case "refused":
		return s.fromMaster(Refused{Reason: "no", Final: arg(0) == "final", Gone: arg(0) == "gone"})
	case "update-framework":
		return s.fromMaster(UpdateFramework{Framework{ID: f, User: "root", Info: []byte("new info")}})
	case "end-all":
		return EndAll{}
	case "started":
		pid, _ := strconv.Atoi(arg(1))
		return ContainerStarted{c, pid}
	case "exited":
		status, _ := strconv.Atoi(arg(1))
		end := End{Status: status, Text: fmt.Sprintf("exited with status %d", status>>8)}
		if status&0x7f != 0 {
			end.Text = fmt.Sprintf("terminated with signal %d", status&0x7f)
		}
		return ContainerEnded{c, end}
	case "disk":
		bytes, _ := strconv.ParseInt(arg(1), 10, 64)
		return DiskUsed{c, bytes}
	case "out-of-memory":
		o := &OutOfMemory{}
		o.Limit, _ = strconv.ParseInt(arg(1), 10, 64)
		o.Peak, _ = strconv.ParseInt(arg(2), 10, 64)
		return ContainerEnded{c, End{Status: 9, Text: "terminated with signal 9", OutOfMemory: o}}
	case "lost":
		return ContainerEnded{c, End{Lost: "the supervisor died"}}
	case "failed":
		causes := map[string]StartCause{"fetch": CauseFetch, "sandbox": CauseSandbox, "exec": CauseExec, "killed": CauseKilled}
		return ContainerStartFailed{c, causes[arg(1)], "http://x: no answer"}
	case "subscribe":
		s.stream++
		in := ExecutorSubscribes{Request: s.request, Stream: s.stream, Framework: f, Executor: e}
		for _, id := range a[2:] {
			in.Tasks = append(in.Tasks, ids.TaskID(id))
		}
		return in
	case "update":
		return ExecutorUpdates{s.request, f, e, ExecutorUpdate{ids.TaskID(arg(2)), Status{
			UUID: parseUUID(arg(4)), State: mesos.TaskState(mesos.TaskState_value["TASK_"+arg(3)]), Source: mesos.TaskStatus_SOURCE_EXECUTOR, Reason: NoReason}}}
	case "send":
		return ExecutorSends{s.request, f, e, []byte("hello")}
	case "beat":
		return ExecutorBeats{s.request, f, e}
	case "closed":
		id, _ := strconv.Atoi(arg(0))
		return StreamClosed{StreamID(id)}
	case "accepting":
		return Accepting{}
	case "written":
		return Written{s.issued}
	case "persisted":
		ticket := s.issued
		if arg(0) != "" {
			k, _ := strconv.Atoi(arg(0))
			ticket = Ticket(k)
		}
		return Persisted{ticket}
	case "no-room":
		return DiskRoom{"9 MiB free"}
	case "room":
		return DiskRoom{}
	case "broken":
		return PersistFailed{"disk full"}
	}
	t.Fatalf("%s: %v", name, errNoCommand)
	return nil
}

// runOf makes a RunTask of "F T option…".
func runOf(a []string) RunTask {
	m := RunTask{
		Framework: Framework{ID: ids.FrameworkID(a[0]), User: "root", Info: []byte("info of " + a[0])},
		Task:      TaskInfo{ID: ids.TaskID(a[1]), Command: Command{Shell: true, Value: "true"}, Info: []byte("info of " + a[1])},
	}
	for _, option := range a[2:] {
		name, value, _ := strings.Cut(option, "=")
		d, _ := time.ParseDuration(value)
		switch name {
		case "exec":
			m.Executor = &ExecutorInfo{ID: ids.ExecutorID(value), Info: []byte("info of " + value)}
		case "lives":
			m.ExecutorLives = true
		case "uri":
			m.Task.Command.URIs = []URI{{Value: "http://x"}}
		case "unsupported":
			m.Unsupported = "no images here"
		case "user-problem":
			m.UserProblem = "No such user 'root'"
		case "aware":
			m.Framework.PartitionAware = true
		case "killing":
			m.Framework.KillingState = true
		case "disk":
			m.Task.Demand.Disk, _ = strconv.ParseInt(value, 10, 64)
		case "cpus":
			m.Task.Demand.CPUs, _ = strconv.ParseInt(value, 10, 64)
		case "mem":
			m.Task.Demand.Mem, _ = strconv.ParseInt(value, 10, 64)
		case "max-cpus":
			m.Task.Demand.CPULimit, _ = strconv.ParseInt(value, 10, 64)
		case "max-mem":
			m.Task.Demand.MemLimit, _ = strconv.ParseInt(value, 10, 64)
		case "executor-disk":
			m.Executor.Demand.Disk, _ = strconv.ParseInt(value, 10, 64)
		case "max":
			m.Task.MaxTime = d
		case "grace":
			m.Task.KillGrace = &d
		}
	}
	return m
}

// step applies an input, keeps what is persisted for the next start, and prints the outputs.
func (s *script) step(in Input) []string {
	var lines []string
	for _, out := range s.node.Step(s.now, in) {
		if p, ok := out.(Persist); ok {
			s.issued = p.Ticket
			s.pending = append(s.pending, p)
		}
		lines = append(lines, describe(out))
	}
	switch in := in.(type) {
	case Persisted:
		s.keep(in.Ticket)
	case Written:
		s.keep(in.Ticket)
	}
	return lines
}

// keep has the next start find what was persisted.
func (s *script) keep(upTo Ticket) {
	for len(s.pending) > 0 && s.pending[0].Ticket <= upTo {
		s.log = append(s.log, s.pending[0].Records...)
		s.pending = s.pending[1:]
	}
}

// ---- names in transcripts: u<run>.<n> is the nth uuid of a run, c<run>.<n> a container of that uuid

func nameUUID(u UUID) string {
	if u == (UUID{}) {
		return "-"
	}
	if u[8] == 0 { // of an executor
		return "x" + strconv.Itoa(int(u[15]))
	}
	return fmt.Sprintf("%d.%d", u[0], binary.BigEndian.Uint32(u[12:]))
}

func parseUUID(text string) UUID {
	var u UUID
	if n, ok := strings.CutPrefix(text, "x"); ok {
		k, _ := strconv.Atoi(n)
		u[15] = byte(k)
		return u
	}
	run, n, _ := strings.Cut(text, ".")
	r, _ := strconv.Atoi(run)
	k, _ := strconv.Atoi(n)
	u[0], u[6], u[8] = byte(r), 0x40, 0x80
	binary.BigEndian.PutUint32(u[12:], uint32(k))
	return u
}

func parseContainer(text string) ids.ContainerID {
	n, ok := strings.CutPrefix(text, "c")
	if !ok {
		return ids.ContainerID(text)
	}
	return ids.ContainerID(parseUUID(n).String())
}

func nameContainer(c ids.ContainerID) string {
	var u UUID
	if _, err := fmt.Sscanf(strings.ReplaceAll(string(c), "-", ""), "%x", (*hexUUID)(&u)); err != nil {
		return string(c)
	}
	return "c" + nameUUID(u)
}

type hexUUID UUID

func (h *hexUUID) Scan(state fmt.ScanState, verb rune) error {
	token, err := state.Token(true, nil)
	if err != nil || len(token) != 32 {
		return errors.New("not a uuid")
	}
	for i := range h {
		v, err := strconv.ParseUint(string(token[2*i:2*i+2]), 16, 8)
		if err != nil {
			return err
		}
		h[i] = byte(v)
	}
	return nil
}
