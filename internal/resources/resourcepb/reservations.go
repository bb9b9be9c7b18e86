package resourcepb

import (
	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/ids"
	"github.com/meseta/meseta/internal/resources"
)

func (rd *reader) reservations(m *mesos.Resource) ([]resources.Reservation, error) {
	claim := resources.Claim{}
	if m.Role != nil {
		claim.Role = rd.intern(*m.Role)
		if err := claim.Role.Validate(); err != nil {
			return nil, err
		}
	}
	if m.Reservation != nil {
		claim.Old = new(rd.reservation(m.Reservation))
	}
	for _, r := range m.GetReservations() {
		claim.Stack = append(claim.Stack, rd.reservation(r))
	}
	return claim.Resolve()
}

func (rd *reader) reservation(m *mesos.Resource_ReservationInfo) resources.Reservation {
	r := resources.Reservation{
		Role:      rd.intern(m.GetRole()),
		Principal: m.GetPrincipal(),
		Labels:    readLabels(m.GetLabels()),
	}
	switch m.GetType() {
	case mesos.Resource_ReservationInfo_STATIC:
		r.Kind = resources.Static
	case mesos.Resource_ReservationInfo_DYNAMIC:
		r.Kind = resources.Dynamic
	}
	return r
}

func writeReservations(m *mesos.Resource, stack []resources.Reservation, format Format) {
	if format != Classic || len(stack) > 1 {
		for _, r := range stack {
			m.Reservations = append(m.Reservations, writeReservation(r))
		}
	}
	if format == Stacked {
		return
	}
	switch len(stack) {
	case 0:
		m.Role = new(string(ids.AnyRole))
	case 1:
		m.Role = new(string(stack[0].Role))
		if stack[0].Kind == resources.Dynamic {
			m.Reservation = &mesos.Resource_ReservationInfo{
				Principal: optional(stack[0].Principal),
				Labels:    writeLabels(stack[0].Labels),
			}
		}
	}
}

func writeReservation(r resources.Reservation) *mesos.Resource_ReservationInfo {
	kind := mesos.Resource_ReservationInfo_STATIC
	if r.Kind == resources.Dynamic {
		kind = mesos.Resource_ReservationInfo_DYNAMIC
	}
	return &mesos.Resource_ReservationInfo{
		Type:      &kind,
		Role:      new(string(r.Role)),
		Principal: optional(r.Principal),
		Labels:    writeLabels(r.Labels),
	}
}

func readLabels(m *mesos.Labels) []resources.Label {
	var labels []resources.Label
	for _, l := range m.GetLabels() {
		labels = append(labels, resources.Label{Key: l.GetKey(), Value: l.GetValue(), HasValue: l.Value != nil})
	}
	return labels
}

func writeLabels(labels []resources.Label) *mesos.Labels {
	if len(labels) == 0 {
		return nil
	}
	m := &mesos.Labels{}
	for _, l := range labels {
		label := &mesos.Label{Key: new(l.Key)}
		if l.HasValue {
			label.Value = new(l.Value)
		}
		m.Labels = append(m.Labels, label)
	}
	return m
}
