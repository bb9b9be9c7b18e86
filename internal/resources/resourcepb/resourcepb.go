// Package resourcepb carries resources and attributes across the wire's edge:
// from Mesos' messages into the values of package resources, refusing what is
// malformed, and back.
//
// The wire has two ways of writing reservations. The older one, a role and a
// reservation, cannot express reservations on top of each other; the newer one
// is a stack of them. Both are read. What is written is up to the reader's
// [Format].
//
// Unknown fields of a Resource are dropped: two resources that differ in a
// field that we cannot read could be neither added nor told apart.
package resourcepb

import (
	"fmt"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

// Format is a way of writing reservations.
type Format uint8

// The formats, by who reads them.
const (
	// Stacked is the newer way: a list of reservations, absent from a resource
	// that is not reserved. Executors, agents and the frameworks that have the
	// capability RESERVATION_REFINEMENT read it.
	Stacked Format = iota
	// Classic is the older way, for all other frameworks: every resource has a
	// role, which is "*" unless it is reserved. What only a stack can express
	// is written as one; the allocator does not offer it to such frameworks.
	Classic
	// Both is for the operator's endpoints: the stack, and beside it the
	// classic fields as far as they can express it.
	Both
)

// FromProto reads a list of resources. Its error names the first that is
// malformed and says why.
func FromProto(messages []*mesos.Resource) (resources.List, error) {
	if len(messages) > resources.MaxResources {
		return resources.List{}, fmt.Errorf("%d resources are more than the %d that one list may have", len(messages), resources.MaxResources)
	}
	items := make([]resources.Resource, 0, len(messages))
	var reader reader
	for i, m := range messages {
		r, err := reader.resource(m)
		if err != nil {
			return resources.List{}, fmt.Errorf("resource %d of %d: %w", i+1, len(messages), err)
		}
		items = append(items, r)
	}
	return resources.ListOf(items...), nil
}

// ToProto writes l for a reader of the given format.
func ToProto(l resources.List, format Format) []*mesos.Resource {
	messages := make([]*mesos.Resource, 0, l.Len())
	for r := range l.All() {
		messages = append(messages, One(r, format))
	}
	return messages
}

// reader reads the resources of one list. They usually name the same role, of
// which one copy is enough for them all.
type reader struct {
	role ids.Role
}

func (rd *reader) intern(role string) ids.Role {
	switch {
	case role == string(ids.AnyRole):
		return ids.AnyRole
	case role != string(rd.role):
		rd.role = ids.Role(role)
	}
	return rd.role
}

func (rd *reader) resource(m *mesos.Resource) (resources.Resource, error) {
	spec := resources.Spec{
		Name:      m.GetName(),
		Allocated: rd.intern(m.GetAllocationInfo().GetRole()),
		Provider:  m.GetProviderId().GetValue(),
		Shared:    m.GetShared() != nil,
		Revocable: m.GetRevocable() != nil,
	}
	var err error
	if err = readValue(&spec, m); err != nil {
		return resources.Resource{}, fmt.Errorf("'%s': %w", m.GetName(), err)
	}
	if spec.Reservations, err = rd.reservations(m); err != nil {
		return resources.Resource{}, fmt.Errorf("'%s': %w", m.GetName(), err)
	}
	if spec.Disk, err = readDisk(m.GetDisk()); err != nil {
		return resources.Resource{}, fmt.Errorf("'%s': %w", m.GetName(), err)
	}
	return resources.New(spec)
}

// readValue reads the value that the type names, and refuses any other beside
// it.
func readValue(spec *resources.Spec, m *mesos.Resource) (err error) {
	scalar, ranges, set := m.GetScalar() != nil, m.GetRanges() != nil, m.GetSet() != nil
	if m == nil || m.Type == nil {
		return fmt.Errorf("the type is missing")
	}
	switch kind := m.GetType(); {
	case kind == mesos.Value_SCALAR && scalar && !ranges && !set:
		spec.Kind = resources.KindScalar
		spec.Scalar, err = resources.AmountOf(m.GetScalar().GetValue())
	case kind == mesos.Value_RANGES && ranges && !scalar && !set:
		spec.Kind = resources.KindRanges
		spec.Ranges, err = readRanges(m.GetRanges())
	case kind == mesos.Value_SET && set && !scalar && !ranges:
		spec.Kind = resources.KindSet
		spec.Set, err = resources.NewSet(m.GetSet().GetItem()...)
	case kind == mesos.Value_SCALAR || kind == mesos.Value_RANGES || kind == mesos.Value_SET:
		err = fmt.Errorf("the type is %s, so a value of that type must be set and no other", kind)
	default:
		err = fmt.Errorf("the type is %s; only SCALAR, RANGES and SET can be offered", kind)
	}
	return err
}

func readRanges(m *mesos.Value_Ranges) (resources.Ranges, error) {
	ranges := make([]resources.Range, 0, len(m.GetRange()))
	for _, r := range m.GetRange() {
		ranges = append(ranges, resources.Range{Begin: r.GetBegin(), End: r.GetEnd()})
	}
	return resources.NewRanges(ranges...)
}

// One writes r for a reader of the given format.
func One(r resources.Resource, format Format) *mesos.Resource {
	m := &mesos.Resource{
		Name: new(r.Name()),
		Type: new(mesos.Value_Type(r.Kind())),
	}
	switch r.Kind() {
	case resources.KindScalar:
		m.Scalar = &mesos.Value_Scalar{Value: new(r.Scalar().Float())}
	case resources.KindRanges:
		m.Ranges = writeRanges(r.Ranges())
	case resources.KindSet:
		m.Set = writeSet(r.Set())
	}
	if role := r.Allocated(); role != "" {
		m.AllocationInfo = &mesos.Resource_AllocationInfo{Role: new(string(role))}
	}
	if r.Plain() {
		writeReservations(m, nil, format)
		return m
	}
	spec := r.Spec()
	writeReservations(m, spec.Reservations, format)
	m.Disk = writeDisk(spec.Disk)
	if spec.Provider != "" {
		m.ProviderId = &mesos.ResourceProviderID{Value: &spec.Provider}
	}
	if spec.Shared {
		m.Shared = &mesos.Resource_SharedInfo{}
	}
	if spec.Revocable {
		m.Revocable = &mesos.Resource_RevocableInfo{}
	}
	return m
}

func writeRanges(ranges resources.Ranges) *mesos.Value_Ranges {
	m := &mesos.Value_Ranges{Range: make([]*mesos.Value_Range, 0, ranges.Len())}
	for r := range ranges.All() {
		m.Range = append(m.Range, &mesos.Value_Range{Begin: &r.Begin, End: &r.End})
	}
	return m
}

func writeSet(set resources.Set) *mesos.Value_Set {
	m := &mesos.Value_Set{Item: make([]string, 0, set.Len())}
	for item := range set.All() {
		m.Item = append(m.Item, item)
	}
	return m
}

// optional is a pointer to text, or nil if there is none: on the wire, an
// empty principal and an absent one mean the same.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
