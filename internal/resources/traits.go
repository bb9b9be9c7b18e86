package resources

import (
	"encoding/binary"
	"slices"

	"github.com/meseta/meseta/internal/ids"
)

// traits are the rarer properties that keep a resource apart from another one
// of the same name. A plain resource has none, which is a nil pointer: then
// telling two resources apart costs two comparisons of short strings.
//
// The naive way, comparing field by field, walks two stacks of reservations
// with unordered labels for each pair of resources that might be added. Here
// the walk is done once, when the resource comes in: equal keys are equal
// properties.
type traits struct {
	key         string // canonical encoding of all that follows, except how a volume is mounted
	stack       []Reservation
	disk        *DiskInfo
	provider    string
	shared      bool
	revocable   bool
	indivisible bool // equal amounts are not added but kept side by side
}

func newTraits(spec *Spec) *traits {
	if len(spec.Reservations) == 0 && spec.Disk == nil && spec.Provider == "" && !spec.Shared && !spec.Revocable {
		return nil
	}
	t := &traits{
		stack:     cloneStack(spec.Reservations),
		provider:  spec.Provider,
		shared:    spec.Shared,
		revocable: spec.Revocable,
	}
	if spec.Disk != nil {
		t.disk = spec.Disk.clone()
		t.indivisible = t.disk.indivisible()
	}
	t.key = t.encode()
	return t
}

func (t *traits) equal(u *traits) bool {
	return t == u || t != nil && u != nil && t.key == u.key
}

// role is the role that the uppermost reservation gives the resource to.
func (t *traits) role() (ids.Role, bool) {
	if t == nil || len(t.stack) == 0 {
		return "", false
	}
	return t.stack[len(t.stack)-1].Role, true
}

// encode writes every property behind a letter of its own and every string
// behind its length, so that no two sets of properties look alike.
func (t *traits) encode() string {
	var key []byte
	for _, r := range t.stack {
		key = encodeReservation(key, r)
	}
	if t.disk != nil {
		key = encodeDisk(append(key, 'D'), t.disk)
	}
	if t.provider != "" {
		key = encodeString(append(key, 'O'), t.provider)
	}
	if t.shared {
		key = append(key, 'S')
	}
	if t.revocable {
		key = append(key, 'V')
	}
	return string(key)
}

func encodeReservation(key []byte, r Reservation) []byte {
	key = append(key, 'R', byte(r.Kind))
	key = encodeString(key, string(r.Role))
	key = encodeString(key, r.Principal)
	return encodeLabels(key, r.Labels)
}

func encodeDisk(key []byte, d *DiskInfo) []byte {
	if s := d.Source; s != nil {
		key = append(key, 's', byte(s.Kind))
		for _, text := range []string{s.Root, s.Vendor, s.ID, s.Profile} {
			key = encodeString(key, text)
		}
		key = encodeLabels(key, s.Metadata)
	}
	if p := d.Persistence; p != nil {
		key = encodeString(append(key, 'p'), p.ID)
	}
	return key
}

func encodeLabels(key []byte, labels []Label) []byte {
	key = binary.AppendUvarint(key, uint64(len(labels)))
	for _, l := range slices.SortedFunc(slices.Values(labels), compareLabels) {
		key = encodeString(key, l.Key)
		if l.HasValue {
			key = encodeString(append(key, '='), l.Value)
		} else {
			key = append(key, '.')
		}
	}
	return key
}

func encodeString(key []byte, text string) []byte {
	key = binary.AppendUvarint(key, uint64(len(text)))
	return append(key, text...)
}
