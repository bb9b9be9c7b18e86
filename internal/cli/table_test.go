package cli

import (
	"bytes"
	"testing"
)

func tasksTable(t *testing.T, s *Screen, f Format, rows ...TaskRow) string {
	t.Helper()
	var out bytes.Buffer
	l := &list[TaskRow]{rows: rows, columns: []column[TaskRow]{
		{title: "TASK", cell: func(r TaskRow) string { return r.ID }, kind: anID},
		{title: "NAME", cell: func(r TaskRow) string { return r.Name }, kind: prose},
		{title: "STATE", cell: func(r TaskRow) string { return r.State }, kind: aState},
		{title: "AGENT", cell: func(r TaskRow) string { return r.Agent }, wide: true},
	}, empty: "no tasks"}
	if err := l.print(&out, s, f); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTables(t *testing.T) {
	long := TaskRow{ID: "0dd16f94-9cc1-4b6d-a86e-3b4a3c6d1a11-0001", Name: "counts pages", State: "RUNNING", Agent: "a"}
	pipe, terminal := &Screen{}, &Screen{width: 80, height: 24}
	for _, test := range []struct {
		name   string
		screen *Screen
		format Format
		rows   []TaskRow
		want   string
	}{
		{"names cannot steer a terminal", pipe, Table, []TaskRow{{ID: "t\x1b[2J", Name: "a\nb\tc\xff\u202e\"", State: "RUNNING"}, {ID: "ä"}},
			"TASK       NAME                 STATE\nt\\x1b[2J   a\\nb\\tc\\xff\\u202e\"   RUNNING\nä          -                    -\n"},
		{"a pipe gets all of it", pipe, Table, []TaskRow{long},
			"TASK                                        NAME           STATE\n0dd16f94-9cc1-4b6d-a86e-3b4a3c6d1a11-0001   counts pages   RUNNING\n"},
		{"what fits stays as it is", terminal, Table, []TaskRow{long},
			"TASK                                        NAME           STATE\n0dd16f94-9cc1-4b6d-a86e-3b4a3c6d1a11-0001   counts pages   RUNNING\n"},
		{"ids become short first", &Screen{width: 40}, Table, []TaskRow{long},
			"TASK             NAME           STATE\n0dd16f94…-0001   counts pages   RUNNING\n"},
		{"then prose is cut", &Screen{width: 37}, Table, []TaskRow{long},
			"TASK             NAME         STATE\n0dd16f94…-0001   counts pa…   RUNNING\n"},
		{"wide cuts nothing", &Screen{width: 40}, Wide, []TaskRow{long},
			"TASK             NAME           STATE     AGENT\n0dd16f94…-0001   counts pages   RUNNING   a\n"},
		{"colours do not shift columns", &Screen{width: 80, colored: true}, Table, []TaskRow{{ID: "t", Name: "n", State: "RUNNING"}},
			"\x1b[2mTASK\x1b[0m   \x1b[2mNAME\x1b[0m   \x1b[2mSTATE\x1b[0m\nt      n      \x1b[32mRUNNING\x1b[0m\n"},
		{"a person is told that there is nothing", terminal, Table, nil, "no tasks\n"},
		{"a pipe gets titles", pipe, Table, nil, "TASK   NAME   STATE\n"},
		{"a program gets an empty list", terminal, JSON, nil, "[]\n"},
	} {
		if got := tasksTable(t, test.screen, test.format, test.rows...); got != test.want {
			t.Errorf("%s: got\n%q, want\n%q", test.name, got, test.want)
		}
	}
}

func TestShortIDsAreToldApart(t *testing.T) {
	for id, want := range map[string]string{
		"run-3f2a":        "run-3f2a",
		"0123456789abcde": "0123456789abcde",
		"0dd16f94-9cc1-4b6d-a86e-3b4a3c6d1a11-0001":  "0dd16f94…-0001",
		"0dd16f94-9cc1-4b6d-a86e-3b4a3c6d1a11-S12":   "0dd16f94…-S12",
		"0dd16f94-9cc1-4b6d-a86e-3b4a3c6d1a11-O1234": "0dd16f94…-O1234",
		"0dd16f94-9cc1-4b6d-a86e-3b4a3c6d1a11":       "0dd16f94…d1a11",
		"ääääääääääääääääääääää":                     "ääääääää…äääää",
	} {
		if got := shortID(id); got != want {
			t.Errorf("%s is shown as %s, want %s", id, got, want)
		}
		if !fits(id, shortID(id)) {
			t.Errorf("%s is not found by its short form %s", id, shortID(id))
		}
	}
}

func TestLongFactsGoOnBelowTheirBeginning(t *testing.T) {
	var out bytes.Buffer
	s := &sheet{screen: &Screen{Out: &out, width: 40, height: 24}}
	s.add("Task", "t")
	s.add("Nothing", "")
	s.add("Resources", "cpus:4; mem:1024; ports:[31000-32000]; disk:4096")
	if err := s.print(); err != nil {
		t.Fatal(err)
	}
	if want := "Task        t\nResources   cpus:4; mem:1024;\n            ports:[31000-32000];\n            disk:4096\n"; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
