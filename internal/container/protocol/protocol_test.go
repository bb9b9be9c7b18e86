package protocol

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/container"
)

// one reads the single frame in data.
func one(t interface {
	Helper()
	Fatalf(string, ...any)
}, data []byte) Frame {
	t.Helper()
	r := NewReader(bytes.NewReader(data))
	frame, err := r.Read()
	if err != nil {
		t.Fatalf("reading back a frame: %v", err)
	}
	frame.Body = bytes.Clone(frame.Body)
	if _, err := r.Read(); err != io.EOF {
		t.Fatalf("after the frame: %v, expected the end", err)
	}
	return frame
}

// What was once said must be understood forever: these bytes never change.
func TestTheBytesOfVersion1(t *testing.T) {
	at := time.Unix(1_700_000_000, 5)
	spec := &container.Spec{
		ID: "a", Argv: []string{"x", ""}, Env: []string{"A=b"}, Dir: "/d", Stdout: "/o", Stderr: "/e",
		User:       &container.User{UID: 1, GID: 2, Groups: []uint32{0, 300}},
		NoNewPrivs: true, Namespaces: container.NamespacePID,
		Limits: container.Limits{CPUShares: 1, CPUQuota: 2, CPUPeriod: 3, MemoryBytes: 4, PIDs: 5},
	}
	exit := container.Exit{ID: "a", Status: 0x100, Reason: container.ReasonKilled, At: at}
	started := container.Started{PID: 7, StartTime: 300, At: at}
	for _, c := range []struct {
		name, want string
		got        []byte
	}{
		{"hello", "0500000001010101" + "01", AppendHello(nil, 1, Hello{Version: 1})},
		{"launch", "420000000202" + "010161" + "020178" + "0200" + "0303413d62" + "04022f64" +
			"050e" + "010101" + "020102" + "0300" + "0304" + "0102ac02" +
			"06022f6f" + "07022f65" + "080101" + "090101" + "0a0f" + "010101020102030103040104050105",
			AppendLaunch(nil, 2, spec)},
		{"kill", "090000000303010161" + "0202e807", AppendKill(nil, 3, Kill{ID: "a", Grace: 1000})},
		{"list", "020000000404", AppendList(nil, 4)},
		{"watch", "020000000505", AppendWatch(nil, 5)},
		{"collect", "080000000606010161010162", AppendCollect(nil, 6, []container.ID{"a", "b"})},
		{"started", "160000004007" + "0312" + "010107" + "0202ac02" + "03098580a8b1e39fe7cb17", AppendAnswer(nil, 7, &Answer{Started: started})},
		{"exited", "170000004100" + "010161" + "02028002" + "030102" + "04098580a8b1e39fe7cb17", AppendExited(nil, exit)},
		{"launch error", "130000004008" + "010f" + "010106" + "030161" + "040107" + "050102" + "060178",
			AppendAnswer(nil, 8, &Answer{Err: &container.LaunchError{ID: "a", Stage: container.StageExec, Errno: syscall.ENOENT, What: "x"}})},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestTheBytesOfVersion2(t *testing.T) {
	spec := &container.Spec{
		ID: "a", Argv: []string{"x"}, Dir: "/", Program: "/p", OutputCap: 300, Capabilities: new(container.Capabilities(0)),
		Binds:  []container.Bind{{Source: "/s", Target: "/t", ReadOnly: true}},
		Limits: container.Limits{MemorySoftBytes: 6, NoSwap: true},
	}
	stats := container.Statistics{ID: "a", CPUUser: 1, CPUSystem: 2, CPUThrottledTime: 3, CPUPeriods: 4, CPUThrottled: 5, Memory: 6,
		MemoryAnonymous: 7, MemoryFile: 8, MemoryMapped: 9, MemorySwap: 10, MemoryPeak: 11, MemoryFailures: 12, MemoryKills: 13,
		Processes: 14, Threads: 15, Limits: container.Limits{PIDs: 5}}
	for _, c := range []struct {
		name, want string
		got        []byte
	}{
		{"launch", "2a0000000202" + "010161" + "020178" + "04012f" + "0a06" + "060106" + "070101" +
			"0b022f70" + "0c02ac02" + "0d00" + "0e0b" + "01022f73" + "02022f74" + "030101",
			AppendLaunch(nil, 2, spec)},
		{"limit", "0a0000000703" + "010161" + "0203" + "050107", AppendLimit(nil, 3, Limit{ID: "a", Limits: container.Limits{PIDs: 7}})},
		{"measure", "080000000804" + "010161" + "010162", AppendMeasure(nil, 4, []container.ID{"a", "b"})},
		{"measured", "390000004005" + "0735" + "010161" + "0303050105" + "040101" + "050102" + "060103" +
			"100104" + "110105" + "120106" + "130107" + "140108" + "150109" + "16010a" + "17010b" + "18010c" + "19010d" + "1a010e" + "1b010f",
			AppendAnswer(nil, 5, &Answer{Statistics: []container.Statistics{stats}})},
		{"exited", "130000004100" + "010161" + "020109" + "030105" + "0506" + "010107" + "020108",
			AppendExited(nil, container.Exit{ID: "a", Status: 9, Reason: container.ReasonMemory, OutOfMemory: container.OutOfMemory{Limit: 7, Peak: 8}})},
		{"hello", "140000004006" + "0410" + "010102" + "0200" + "0409" + "010103" + "020101" + "030178",
			AppendAnswer(nil, 6, &Answer{Hello: &ServerHello{Version: 2, Abilities: []container.Ability{{Feature: container.FeatureMemory, Works: true, How: "x"}}}})},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestSpecsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		spec := container.Spec{
			ID:         container.ID(text.Draw(t, "id")),
			Argv:       rapid.SliceOf(text).Draw(t, "argv"),
			Env:        rapid.SliceOf(text).Draw(t, "env"),
			Dir:        text.Draw(t, "dir"),
			Stdout:     text.Draw(t, "stdout"),
			Stderr:     text.Draw(t, "stderr"),
			NoNewPrivs: rapid.Bool().Draw(t, "no new privs"),
			Namespaces: container.Namespaces(rapid.Uint32().Draw(t, "namespaces")),
			Limits: container.Limits{
				CPUShares: rapid.Uint64().Draw(t, "shares"), CPUQuota: time.Duration(rapid.Int64().Draw(t, "quota")),
				CPUPeriod: time.Duration(rapid.Int64().Draw(t, "period")), MemoryBytes: rapid.Uint64().Draw(t, "memory"),
				PIDs: rapid.Uint64().Draw(t, "pids"), MemorySoftBytes: rapid.Uint64().Draw(t, "soft"),
				NoSwap: rapid.Bool().Draw(t, "no swap"),
			},
			Program:   text.Draw(t, "program"),
			OutputCap: rapid.Uint64().Draw(t, "cap"),
			Binds: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) container.Bind {
				return container.Bind{Source: text.Draw(t, "source"), Target: text.Draw(t, "target"), ReadOnly: rapid.Bool().Draw(t, "ro")}
			}), 0, 3).Draw(t, "binds"),
		}
		if rapid.Bool().Draw(t, "with capabilities") {
			spec.Capabilities = new(container.Capabilities(rapid.Uint64().Draw(t, "capabilities")))
		}
		if rapid.Bool().Draw(t, "with user") {
			spec.User = &container.User{UID: rapid.Uint32().Draw(t, "uid"), GID: rapid.Uint32().Draw(t, "gid"),
				Groups: rapid.SliceOf(rapid.Uint32()).Draw(t, "groups")}
		}
		got, err := DecodeLaunch(one(t, AppendLaunch(nil, 1, &spec)).Body)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(spec, got, equateEmpty); d != "" {
			t.Fatal(d)
		}
	})
}

// equateEmpty has no difference between no list and an empty one.
var equateEmpty = cmp.FilterValues(func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) && isEmptyList(a) },
	cmp.Comparer(func(a, b any) bool { return true }))

func isEmptyList(v any) bool {
	switch v := v.(type) {
	case []string:
		return len(v) == 0
	case []uint32:
		return len(v) == 0
	case []container.Bind:
		return len(v) == 0
	}
	return false
}

func TestAnswersSurviveTheWire(t *testing.T) {
	at := time.Unix(1_700_000_000, 12345)
	started := container.Started{PID: 1, StartTime: 2, At: at}
	exit := container.Exit{ID: "e", Status: container.SignalStatus(9), Reason: container.ReasonKilled, At: at}
	failure := &container.LaunchError{ID: "f", Stage: container.StageDir, Errno: syscall.ENOENT, What: "/d"}
	for _, want := range []Answer{
		{},
		{More: true},
		{Started: started},
		{Hello: &ServerHello{Version: 9, Process: started, Tracking: "somehow"}},
		{Hello: &ServerHello{Version: 2, Process: started, Abilities: []container.Ability{
			{Feature: container.FeatureMemory, How: "because"}, {Feature: container.FeatureUsers, Works: true}}}},
		{Statistics: []container.Statistics{{ID: "a", At: at, CPUUser: 5, Threads: 1 << 60, Limits: container.Limits{PIDs: 9}}, {ID: "b", At: at}}},
		{Exits: []container.Exit{{ID: "e", At: at, OutOfMemory: container.OutOfMemory{Limit: 1, Peak: 2}}}},
		{Exits: []container.Exit{exit, {ID: "zero"}}},
		{Infos: []container.Info{
			{ID: "r", State: container.StateRunning, Started: started},
			{ID: "e", State: container.StateExited, Started: started, Exit: &exit},
			{ID: "f", State: container.StateFailed, Failure: failure},
		}},
		{Err: failure},
	} {
		got, err := DecodeAnswer(one(t, AppendAnswer(nil, 1, &want)).Body)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

func TestErrorsKeepTheirMeaningAndTheirWords(t *testing.T) {
	for _, sentinel := range []error{container.ErrInvalid, container.ErrStopping, container.ErrFull, container.ErrUnknown, container.ErrUnsupported} {
		want := fmt.Errorf("a: %w: b", sentinel)
		a, err := DecodeAnswer(one(t, AppendAnswer(nil, 1, &Answer{Err: want})).Body)
		if err != nil || !errors.Is(a.Err, sentinel) || a.Err.Error() != want.Error() {
			t.Errorf("%v became %v (%v)", want, a.Err, err)
		}
	}
	a, _ := DecodeAnswer(one(t, AppendAnswer(nil, 1, &Answer{Err: errors.New("else")})).Body)
	if a.Err == nil || a.Err.Error() != "else" {
		t.Errorf("an error of no kind became %v", a.Err)
	}
}

func TestTagsAndKindsOfTheFutureArePassedOver(t *testing.T) {
	body := one(t, AppendKill(nil, 1, Kill{ID: "a", Grace: 5})).Body
	body = appendString(body, 99, "new")
	body = appendUint(body, 1<<40, uint64(1))
	if k, err := DecodeKill(body); err != nil || k.ID != "a" || k.Grace != 5 {
		t.Errorf("got %+v, %v", k, err)
	}
}

func TestFramesArriveHoweverTheyAreCut(t *testing.T) {
	var data []byte
	sizes := []int{0, 1, 100, 8 << 10, 9 << 10, 200 << 10, 3, 70 << 10, 1}
	for i, size := range sizes {
		data = AppendFrame(data, Kind(i+1), uint64(i), func(dst []byte) []byte { return append(dst, make([]byte, size)...) })
	}
	for name, cut := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "bytes": iotest.OneByteReader, "data with EOF": iotest.DataErrReader,
	} {
		r := NewReader(cut(bytes.NewReader(data)))
		for i, size := range sizes {
			f, err := r.Read()
			if err != nil || f.Kind != Kind(i+1) || f.Request != uint64(i) || len(f.Body) != size {
				t.Fatalf("%s: frame %d is %d, %d, %d bytes, %v", name, i, f.Kind, f.Request, len(f.Body), err)
			}
		}
		if _, err := r.Read(); err != io.EOF {
			t.Errorf("%s: at the end: %v", name, err)
		}
	}
	for n := 1; n < 7; n++ {
		if _, err := NewReader(bytes.NewReader(data[6 : 6+n])).Read(); err == nil || err == io.EOF {
			t.Errorf("a frame cut after %d bytes: %v", n, err)
		}
	}
}

func TestAFrameThatClaimsTooMuchIsRefusedBeforeItIsRead(t *testing.T) {
	r := NewReader(bytes.NewReader([]byte{0, 0, 0, 0xff, 1}))
	if _, err := r.Read(); !errors.Is(err, ErrFrameSize) {
		t.Errorf("got %v, expected ErrFrameSize", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(AppendHello(nil, 1, Hello{Version: 1}))
	f.Add(AppendLaunch(nil, 2, &container.Spec{ID: "a", Argv: []string{"x"}, User: &container.User{Groups: []uint32{1}}}))
	f.Add(AppendAnswer(nil, 3, &Answer{Err: container.ErrFull, Infos: []container.Info{{ID: "a", Exit: &container.Exit{}}}}))
	f.Add(AppendLogRecord(AppendLogHeader(nil, &LogHeader{Version: 1}), &LogRecord{Kind: 3, ID: "a"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(bytes.NewReader(data))
		for {
			frame, err := r.Read()
			if err != nil {
				return
			}
			DecodeHello(frame.Body)
			DecodeKill(frame.Body)
			DecodeIDs(frame.Body)
			DecodeLimit(frame.Body)
			DecodeAnswer(frame.Body)
			DecodeExit(frame.Body)
			DecodeLogHeader(frame.Body)
			DecodeLogRecord(frame.Body)
			if spec, err := DecodeLaunch(frame.Body); err == nil {
				again, err := DecodeLaunch(one(t, AppendLaunch(nil, 1, &spec)).Body)
				if d := cmp.Diff(spec, again, equateEmpty); err != nil || d != "" {
					t.Errorf("what was understood is not said again: %v\n%s", err, d)
				}
			}
		}
	})
}
