package registry

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxOps is the number of keys in one transaction: etcd allows 128 unless told otherwise, and the
	// leader's key is one.
	maxOps = 127

	// maxBytes is the size from which a transaction gets no further ops.
	maxBytes = 256 << 10
)

// ledger is what a leader knows to stand in the registry: enough to tell what changes nothing, and
// what to forget. It is true as long as nobody else writes, which the epoch sees to. It is pure.
type ledger struct {
	keys    keys
	limit   int // MaxRemembered, but in tests
	entries map[string]entry
	aged    map[string][]age // by kind; oldest first
}

// entry is what is known of one record.
type entry struct {
	digest digest
	since  int64
}

// digest stands for a value. It is cut from SHA-256: two infos must not be made to have the same.
type digest [16]byte

// age is the place of one record in the order in which those of its kind are forgotten.
type age struct {
	since int64
	key   string
}

func (a age) compare(b age) int {
	return cmp.Or(cmp.Compare(a.since, b.since), strings.Compare(a.key, b.key))
}

func newLedger(k keys) *ledger {
	return &ledger{keys: k, limit: MaxRemembered, entries: map[string]entry{}, aged: map[string][]age{}}
}

// note takes up what a change leaves at its key.
func (l *ledger) note(c change) {
	kind := l.keys.kindOf(c.key)
	if was, known := l.entries[c.key]; known && aging(kind) {
		at, _ := slices.BinarySearchFunc(l.aged[kind], age{was.since, c.key}, age.compare)
		l.aged[kind] = slices.Delete(l.aged[kind], at, at+1)
	}
	if c.value == nil {
		delete(l.entries, c.key)
		return
	}
	l.entries[c.key] = entry{digestOf(c.value), c.since}
	if aging(kind) {
		a := age{c.since, c.key}
		at, _ := slices.BinarySearchFunc(l.aged[kind], a, age.compare)
		l.aged[kind] = slices.Insert(l.aged[kind], at, a)
	}
}

// plan divides ops into transactions, in order, and notes them as done. An op is never divided. What
// would not change anything is left out.
func (l *ledger) plan(ops []Op) [][]change {
	var plan [][]change
	t := transaction{}
	for _, op := range ops {
		changes := l.effective(op)
		if t.exceeds(changes) {
			plan = append(plan, t.changes)
			t = transaction{}
		}
		for _, c := range changes {
			t.add(c)
		}
	}
	if len(t.changes) > 0 {
		plan = append(plan, t.changes)
	}
	return plan
}

// effective returns those changes of an op that change something, with what is forgotten because of
// them, and notes them.
func (l *ledger) effective(op Op) []change {
	var changes []change
	for _, c := range l.keys.changes(op) {
		if l.holds(c) {
			continue
		}
		l.note(c)
		changes = append(changes, c)
		if aged := l.aged[l.keys.kindOf(c.key)]; len(aged) > l.limit {
			forget := change{key: aged[0].key}
			l.note(forget)
			changes = append(changes, forget)
		}
	}
	return changes
}

// holds tells that a change would change nothing.
func (l *ledger) holds(c change) bool {
	was, known := l.entries[c.key]
	if c.value == nil {
		return !known
	}
	return known && was.digest == digestOf(c.value)
}

// transaction gathers changes; of several to one key the last one holds.
type transaction struct {
	changes []change
	bytes   int
}

func (t *transaction) exceeds(more []change) bool {
	return len(t.changes) > 0 && (len(t.changes)+len(more) > maxOps || t.bytes >= maxBytes)
}

func (t *transaction) add(c change) {
	t.bytes += len(c.key) + len(c.value)
	if i := slices.IndexFunc(t.changes, func(o change) bool { return o.key == c.key }); i >= 0 {
		t.changes[i] = c
		return
	}
	t.changes = append(t.changes, c)
}

func digestOf(value []byte) digest {
	sum := sha256.Sum256(value)
	return digest(sum[:])
}

func validText(s string) bool { return utf8.ValidString(s) }
