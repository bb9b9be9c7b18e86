package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meseta/meseta/internal/journal"
	"github.com/meseta/meseta/internal/journal/journaltest"
)

// filled returns a disk with a snapshot and two segments behind it, and the records on it.
func filled(t testing.TB) (*journaltest.Disk, []string) {
	disk := &journaltest.Disk{}
	j, _ := open(t, disk, journal.Options{SegmentSize: 300})
	put(t, j, "forgotten")
	if err := j.Snapshot(slices.Values([][]byte{[]byte("s1"), []byte("s2")})); err != nil {
		t.Fatal(err)
	}
	want := []string{"s1", "s2"}
	for i := range 6 {
		want = append(want, fmt.Sprintf("record %d of those behind the snapshot", i))
		put(t, j, want[len(want)-1])
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return disk, want
}

func files(t testing.TB, disk *journaltest.Disk) (names []string, content map[string][]byte) {
	t.Helper()
	names, err := disk.List()
	if err != nil {
		t.Fatal(err)
	}
	content = map[string][]byte{}
	for _, name := range names {
		if content[name], err = disk.Read(name); err != nil {
			t.Fatal(err)
		}
	}
	return names, content
}

// Every bit of every file: either Open refuses, or it has cut the last commit and says so, or the bit
// did not matter. It never hands out anything else than a prefix of what was written.
func TestEveryFlippedBitIsNoticed(t *testing.T) {
	disk, want := filled(t)
	names, content := files(t, disk)
	if len(names) != 3 {
		t.Fatalf("the scene is wrong: %q", names)
	}
	outcomes := map[string]int{}
	for _, name := range names {
		for bit := range int64(len(content[name])) * 8 {
			disk := &journaltest.Disk{}
			for _, n := range names {
				disk.Put(n, content[n])
			}
			disk.Damage(name, bit)
			outcomes[flipped(t, disk, name, bit, want)]++
		}
	}
	for _, o := range []string{"refused", "cut"} {
		if outcomes[o] == 0 {
			t.Errorf("no bit was %s: %v", o, outcomes)
		}
	}
	if unseen := outcomes["unseen"]; unseen > 8*7*10 { // only padding may be
		t.Errorf("%d bits went unnoticed", unseen)
	}
}

func flipped(t *testing.T, disk *journaltest.Disk, name string, bit int64, want []string) string {
	before, content := files(t, disk)
	j, recovered, err := journal.OpenDisk(disk, journal.Options{})
	corrupt, ok := errors.AsType[*journal.CorruptError](err)
	switch {
	case ok:
		if corrupt.File != name && !strings.HasSuffix(corrupt.File, ".log") {
			t.Errorf("bit %d of %s: %v", bit, name, err)
		}
		after, left := files(t, disk)
		if !slices.Equal(before, after) || !bytes.Equal(content[name], left[name]) {
			t.Errorf("bit %d of %s: refused, but the files are changed", bit, name)
		}
		return "refused"
	case errors.Is(err, journal.ErrVersion):
		t.Errorf("bit %d of %s: taken for a version", bit, name)
		return "refused"
	case err != nil:
		t.Errorf("bit %d of %s: %v", bit, name, err)
		return "refused"
	}
	defer j.Close()
	got := texts(recovered)
	if recovered.Cut == nil {
		if !slices.Equal(got, want) {
			t.Errorf("bit %d of %s: recovered %q without a word", bit, name, got)
		}
		return "unseen"
	}
	if !slices.Equal(got, want[:len(want)-1]) || recovered.Cut.File != name {
		t.Errorf("bit %d of %s: recovered %q and %v", bit, name, got, recovered.Cut)
	}
	return "cut"
}

func TestTornTailIsCutAndSaid(t *testing.T) {
	disk, want := filled(t)
	names, content := files(t, disk)
	last := names[len(names)-1]
	whole := content[last]
	for end := len(whole) - 1; end > len(whole)-40; end-- {
		disk.Put(last, append(slices.Clone(whole[:end]), make([]byte, 100)...)) // preallocated
		j, recovered := open(t, disk, journal.Options{})
		got := texts(recovered)
		if recovered.Cut == nil { // no more than padding is missing
			if !slices.Equal(got, want) {
				t.Fatalf("cut to %d of %d bytes: recovered %q", end, len(whole), got)
			}
			continue
		}
		if !slices.Equal(got, want[:len(want)-1]) {
			t.Fatalf("cut to %d of %d bytes: recovered %q", end, len(whole), got)
		}
		if c := recovered.Cut; c.File != last || c.Offset+c.Bytes != int64(end) || !strings.Contains(c.String(), last) {
			t.Errorf("file of %d bytes: %v", end, c)
		}
		put(t, j, "after")
		_, recovered = open(t, disk, journal.Options{})
		if got := texts(recovered); got[len(got)-1] != "after" || recovered.Cut != nil {
			t.Errorf("after a cut: %q, %v", got, recovered.Cut)
		}
	}
}

func TestWhatCannotBeTheJournalIsRefused(t *testing.T) {
	disk, _ := filled(t)
	names, content := files(t, disk)
	first, second, snapshot := names[0], "", ""
	for _, n := range names {
		switch {
		case strings.HasSuffix(n, ".snap"):
			snapshot = n
		case n != first:
			second = n
		}
	}
	foreign, _ := filled(t)
	_, foreignContent := files(t, foreign)
	for name, spoil := range map[string]func(*journaltest.Disk){
		"the first segment is missing":         func(d *journaltest.Disk) { d.Put(first, nil) },
		"every segment is missing":             func(d *journaltest.Disk) { d.Put(first, nil); d.Put(second, nil) },
		"the snapshot is missing":              func(d *journaltest.Disk) { d.Put(snapshot, nil) },
		"a segment in the middle is short":     func(d *journaltest.Disk) { d.Put(first, content[first][:len(content[first])-60]) },
		"a segment in the middle is empty":     func(d *journaltest.Disk) { d.Put(first, []byte{}) },
		"the last segment is empty":            func(d *journaltest.Disk) { d.Put(second, []byte{}) },
		"the snapshot has no end":              func(d *journaltest.Disk) { d.Put(snapshot, content[snapshot][:len(content[snapshot])-8]) },
		"a segment of another journal":         func(d *journaltest.Disk) { d.Put(second, foreignContent[second]) },
		"a segment under another's name":       func(d *journaltest.Disk) { d.Put(second, content[first]) },
		"a snapshot under the name of another": func(d *journaltest.Disk) { d.Put("0000000000000003.snap", content[snapshot]) },
		"a segment in a snapshot's place":      func(d *journaltest.Disk) { d.Put(snapshot, content[first]) },
	} {
		t.Run(name, func(t *testing.T) {
			disk := &journaltest.Disk{}
			for _, n := range names {
				disk.Put(n, content[n])
			}
			spoil(disk)
			_, _, err := journal.OpenDisk(disk, journal.Options{})
			if _, ok := errors.AsType[*journal.CorruptError](err); !ok {
				t.Errorf("open: %v, want a CorruptError", err)
			} else {
				t.Log(err)
			}
		})
	}
}

func TestSalvageKeepsWhatIsSoundAndSetsTheRestAside(t *testing.T) {
	for name, spoil := range map[string]func(d *journaltest.Disk, first, second string, content []byte){
		"damage in the first segment": func(d *journaltest.Disk, first, _ string, content []byte) { d.Damage(first, int64(len(content)-20)*8) },
		"no header":                   func(d *journaltest.Disk, _, second string, _ []byte) { d.Put(second, []byte("nonsense")) },
		"a missing segment":           func(d *journaltest.Disk, first, _ string, _ []byte) { d.Put(first, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			disk, want := filled(t)
			names, content := files(t, disk)
			first, second := names[0], names[2]
			spoil(disk, first, second, content[first])
			if _, _, err := journal.OpenDisk(disk, journal.Options{}); err == nil {
				t.Fatal("the scene is wrong: nothing is damaged")
			}
			j, recovered := open(t, disk, journal.Options{Salvage: true})
			got := texts(recovered)
			if len(got) < 2 || len(got) >= len(want) || !slices.Equal(got, want[:len(got)]) {
				t.Errorf("salvaged %q", got)
			}
			if recovered.Damage == nil || recovered.Damage.Sound != len(got) {
				t.Errorf("salvaged %d records and said %v", len(got), recovered.Damage)
			}
			after, kept := files(t, disk)
			if !slices.ContainsFunc(after, func(n string) bool { return strings.HasSuffix(n, ".damaged") && len(kept[n]) > 0 }) {
				t.Errorf("nothing was set aside: %q", after)
			}
			put(t, j, "more")
			_, recovered = open(t, disk, journal.Options{})
			if all := texts(recovered); !slices.Equal(all, append(got, "more")) || recovered.Damage != nil {
				t.Errorf("after salvage: %q", all)
			}
		})
	}
}

// Whatever is in the files, Open answers, and what it hands out can be read again.
func FuzzOpen(f *testing.F) {
	disk, _ := filled(f)
	names, content := files(f, disk)
	f.Add(content[names[1]], content[names[0]], content[names[2]], false)
	f.Add(content[names[1]], content[names[0]], content[names[2]][:100], true)
	f.Add([]byte{}, []byte{}, []byte{}, true)
	f.Fuzz(func(t *testing.T, snapshot, first, second []byte, salvage bool) {
		disk := &journaltest.Disk{}
		for i, data := range [][]byte{first, snapshot, second} {
			if len(data) > 0 {
				disk.Put(names[i], data)
			}
		}
		j, recovered, err := journal.OpenDisk(disk, journal.Options{Salvage: salvage})
		if err != nil {
			return
		}
		defer j.Close()
		_, again := open(t, disk, journal.Options{})
		if got, want := texts(again), texts(recovered); !slices.Equal(got, want) {
			t.Errorf("opened twice: first %q, then %q", want, got)
		}
	})
}
