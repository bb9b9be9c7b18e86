package resources

import (
	"fmt"
	"slices"

	"github.com/meseta/meseta/internal/ids"
)

// Kind is the kind of value that a resource or attribute has. The numbers are
// the wire's.
type Kind uint8

// Kinds of values. A resource is never a text, an attribute may be.
const (
	KindScalar Kind = iota
	KindRanges
	KindSet
	KindText
)

// String gives the name that the wire uses.
func (k Kind) String() string {
	if k > KindText {
		return "UNKNOWN"
	}
	return [...]string{"SCALAR", "RANGES", "SET", "TEXT"}[k]
}

// Resource is some amount of one thing, with all that keeps it apart from more
// of the same thing. It is immutable; [New] makes one.
type Resource struct {
	name      string
	allocated ids.Role // "" while nobody has it
	traits    *traits  // nil for a plain resource
	bulk      *bulk    // the value, unless it is a scalar
	scalar    Scalar
	kind      Kind
	copies    int32 // how many hold it, if it is shared; otherwise 1
}

// bulk is a value that is larger than a word.
type bulk struct {
	ranges Ranges
	set    Set
}

// Spec describes a resource field by field. The value is in the field that
// Kind names.
type Spec struct {
	Name         string
	Kind         Kind
	Scalar       Scalar
	Ranges       Ranges
	Set          Set
	Allocated    ids.Role // the role that has it; "" while nobody does
	Reservations []Reservation
	Disk         *DiskInfo
	Provider     string // the resource provider behind it; "" for the agent itself
	Shared       bool
	Revocable    bool
}

// New makes the resource that spec describes, or says what is wrong with it.
func New(spec Spec) (Resource, error) {
	if err := spec.check(); err != nil {
		return Resource{}, err
	}
	r := Resource{
		name:      wellKnown(spec.Name),
		allocated: spec.Allocated,
		traits:    newTraits(&spec),
		kind:      spec.Kind,
		copies:    1,
	}
	switch spec.Kind {
	case KindScalar:
		r.scalar = spec.Scalar
	case KindRanges:
		r.bulk = &bulk{ranges: spec.Ranges}
	case KindSet:
		r.bulk = &bulk{set: spec.Set}
	}
	return r, nil
}

func (s *Spec) check() error {
	switch {
	case s.Name == "":
		return fmt.Errorf("a resource needs a name")
	case s.Kind > KindSet:
		return fmt.Errorf("resource '%s' is a %s; only SCALAR, RANGES and SET can be offered", s.Name, s.Kind)
	case s.Kind == KindScalar && (s.Scalar < 0 || s.Scalar > MaxScalar):
		return fmt.Errorf("resource '%s' of %s is not between 0 and %s", s.Name, s.Scalar, MaxScalar)
	case s.Disk != nil && s.Name != Disk:
		return fmt.Errorf("resource '%s' has a disk; only the resource 'disk' can", s.Name)
	case s.Shared && (s.Disk == nil || s.Disk.Persistence == nil):
		return fmt.Errorf("resource '%s' cannot be shared; only a persistent volume can", s.Name)
	}
	if s.Allocated != "" {
		if err := s.Allocated.Validate(); err != nil {
			return fmt.Errorf("resource '%s' is allocated to a wrong role: %w", s.Name, err)
		}
	}
	if err := checkStack(s.Reservations); err != nil {
		return fmt.Errorf("resource '%s' is reserved wrongly: %w", s.Name, err)
	}
	if s.Disk != nil {
		if err := s.Disk.check(); err != nil {
			return fmt.Errorf("resource '%s': %w", s.Name, err)
		}
	}
	return nil
}

// Spec takes r apart. What it points to is the caller's.
func (r Resource) Spec() Spec {
	s := Spec{Name: r.name, Kind: r.kind, Scalar: r.scalar, Ranges: r.Ranges(), Set: r.Set(), Allocated: r.allocated}
	if t := r.traits; t != nil {
		s.Reservations = cloneStack(t.stack)
		if t.disk != nil {
			s.Disk = t.disk.clone()
		}
		s.Provider, s.Shared, s.Revocable = t.provider, t.shared, t.revocable
	}
	return s
}

// Name is what it is a resource of: "cpus".
func (r Resource) Name() string { return r.name }

// Kind is the kind of its value.
func (r Resource) Kind() Kind { return r.kind }

// Scalar is its value, if that is a scalar.
func (r Resource) Scalar() Scalar { return r.scalar }

// Ranges is its value, if that is a number of ranges.
func (r Resource) Ranges() Ranges {
	if r.bulk == nil {
		return Ranges{}
	}
	return r.bulk.ranges
}

// Set is its value, if that is a set.
func (r Resource) Set() Set {
	if r.bulk == nil {
		return Set{}
	}
	return r.bulk.set
}

// Allocated is the role that has r, or "" while nobody does.
func (r Resource) Allocated() ids.Role { return r.allocated }

// Reserved says whether r is reserved to some role.
func (r Resource) Reserved() bool { return r.traits != nil && len(r.traits.stack) > 0 }

// ReservedTo is the role that r is reserved to, which is that of the uppermost
// reservation.
func (r Resource) ReservedTo() (ids.Role, bool) { return r.traits.role() }

// Reservations is the number of reservations on top of each other.
func (r Resource) Reservations() int {
	if r.traits == nil {
		return 0
	}
	return len(r.traits.stack)
}

// AllocatableTo says whether role may have r: it is reserved to nobody, or to
// role or a role above it.
func (r Resource) AllocatableTo(role ids.Role) bool {
	reserved, ok := r.traits.role()
	return !ok || role.Within(reserved)
}

// Plain says whether r is free of reservations, disks, sharing, revocation and
// resource providers.
func (r Resource) Plain() bool { return r.traits == nil }

// Shared says whether several tasks may use r at once.
func (r Resource) Shared() bool { return r.traits != nil && r.traits.shared }

// Revocable says whether r may be taken back at any time.
func (r Resource) Revocable() bool { return r.traits != nil && r.traits.revocable }

// Persistent gives the id of the persistent volume that r is, if it is one.
func (r Resource) Persistent() (string, bool) {
	if r.traits == nil || r.traits.disk == nil || r.traits.disk.Persistence == nil {
		return "", false
	}
	return r.traits.disk.Persistence.ID, true
}

// IsEmpty says whether r is nothing at all.
func (r Resource) IsEmpty() bool {
	switch r.kind {
	case KindScalar:
		return r.scalar == 0
	case KindRanges:
		return r.Ranges().IsEmpty()
	}
	return r.Set().IsEmpty()
}

// Equal says whether r and s are the same amount of the same thing.
func (r Resource) Equal(s Resource) bool {
	return r.sameThing(&s) && r.sameValue(&s) && r.copies == s.copies
}

// sameThing says whether r and s differ in nothing but their value.
func (r *Resource) sameThing(s *Resource) bool {
	return r.kind == s.kind && r.name == s.name && r.allocated == s.allocated && r.traits.equal(s.traits)
}

func (r *Resource) sameValue(s *Resource) bool {
	switch r.kind {
	case KindScalar:
		return r.scalar == s.scalar
	case KindRanges:
		return r.Ranges().Equal(s.Ranges())
	}
	return r.Set().Equal(s.Set())
}

// whole says whether r is never divided: it is there as it is, or not.
func (r *Resource) whole() bool {
	return r.traits != nil && (r.traits.shared || r.traits.indivisible)
}

// matches says whether s, which is to be taken away from r or compared with
// it, can be a part of it.
func (r *Resource) matches(s *Resource) bool {
	return r.sameThing(s) && (!r.whole() || r.sameValue(s))
}

// absorbs says whether s can be added to r. Two equal volumes that are not
// shared are two volumes, even if that should not happen on one agent.
func (r *Resource) absorbs(s *Resource) bool {
	return r.matches(s) && (!r.whole() || r.traits.shared)
}

// covers says whether r, which s matches, is at least as much as s.
func (r *Resource) covers(s *Resource) bool {
	switch {
	case r.whole():
		return r.copies >= s.copies
	case r.kind == KindScalar:
		return r.scalar >= s.scalar
	case r.kind == KindRanges:
		return r.Ranges().Contains(s.Ranges())
	}
	return r.Set().Contains(s.Set())
}

// plus is r and s, which r absorbs, in one.
func (r Resource) plus(s *Resource) Resource {
	switch {
	case r.whole():
		r.copies += s.copies
	case r.kind == KindScalar:
		r.scalar = r.scalar.Plus(s.scalar)
	case r.kind == KindRanges:
		r.bulk = &bulk{ranges: r.Ranges().Plus(s.Ranges())}
	default:
		r.bulk = &bulk{set: r.Set().Plus(s.Set())}
	}
	return r
}

// minus is what r is without s, which matches it, and whether that is anything.
func (r Resource) minus(s *Resource) (Resource, bool) {
	switch {
	case r.whole():
		r.copies -= s.copies
		return r, r.copies > 0
	case r.kind == KindScalar:
		r.scalar -= s.scalar
		return r, r.scalar > 0
	case r.sameValue(s):
		return r, false
	case r.kind == KindRanges:
		r.bulk = &bulk{ranges: r.Ranges().Minus(s.Ranges())}
	default:
		r.bulk = &bulk{set: r.Set().Minus(s.Set())}
	}
	return r, !r.IsEmpty()
}

// Disk says which disk and volume r is on; nil unless something is to be said.
// What it points to is the caller's.
func (r Resource) Disk() *DiskInfo {
	if r.traits == nil || r.traits.disk == nil {
		return nil
	}
	return r.traits.disk.clone()
}

// Stack gives the reservations on r, lowest first. The slice is the caller's.
func (r Resource) Stack() []Reservation {
	if r.traits == nil {
		return nil
	}
	return cloneStack(slices.Clip(r.traits.stack))
}
