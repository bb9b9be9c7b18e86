package registry

import "testing"

func TestAMemberRestsWhenItHasAppliedAllForAWhile(t *testing.T) {
	var r rest
	for i, look := range []struct {
		applied, committed uint64
		rests              bool
	}{
		{0, 0, false}, {0, 0, false}, {0, 0, false}, {0, 0, false}, // it has not begun
		{5, 9, false}, {9, 9, false}, {9, 9, false}, {9, 9, false},
		{9, 12, false}, // another page of the log
		{12, 12, false}, {12, 12, false}, {12, 12, false}, {12, 12, true}, {12, 12, true},
	} {
		if got := r.at(look.applied, look.committed); got != look.rests {
			t.Errorf("look %d, %d of %d applied: rests %t, want %t", i, look.applied, look.committed, got, look.rests)
		}
	}
}
