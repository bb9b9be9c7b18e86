package resourcepb

import (
	"fmt"
	"math"

	mesos "github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/resources"
)

// AttributesFromProto reads what an agent says about itself.
func AttributesFromProto(messages []*mesos.Attribute) ([]resources.Attribute, error) {
	var attributes []resources.Attribute
	for i, m := range messages {
		a, err := readAttribute(m)
		if err != nil {
			return nil, fmt.Errorf("attribute %d, '%s': %w", i+1, m.GetName(), err)
		}
		attributes = append(attributes, a)
	}
	return attributes, nil
}

func readAttribute(m *mesos.Attribute) (a resources.Attribute, err error) {
	if m.GetName() == "" {
		return a, fmt.Errorf("the name is missing")
	}
	a.Name = m.GetName()
	switch kind := m.GetType(); {
	case kind == mesos.Value_SCALAR && m.Scalar != nil:
		a.Value = resources.Value{Kind: resources.KindScalar, Number: m.Scalar.GetValue()}
		if math.IsNaN(a.Value.Number) || math.IsInf(a.Value.Number, 0) {
			err = fmt.Errorf("%g is not a number that JSON can express", a.Value.Number)
		}
	case kind == mesos.Value_RANGES && m.Ranges != nil:
		a.Value.Kind = resources.KindRanges
		a.Value.Ranges, err = readRanges(m.Ranges)
	case kind == mesos.Value_SET && m.Set != nil:
		a.Value.Kind = resources.KindSet
		a.Value.Set, err = resources.NewSet(m.Set.GetItem()...)
	case kind == mesos.Value_TEXT && m.Text != nil:
		a.Value = resources.Value{Kind: resources.KindText, Text: m.Text.GetValue()}
	default:
		err = fmt.Errorf("the type is %s, but there is no value of that type", kind)
	}
	return a, err
}

// AttributesToProto writes what an agent says about itself.
func AttributesToProto(attributes []resources.Attribute) []*mesos.Attribute {
	messages := make([]*mesos.Attribute, 0, len(attributes))
	for _, a := range attributes {
		m := &mesos.Attribute{Name: &a.Name, Type: new(mesos.Value_Type(a.Value.Kind))}
		switch a.Value.Kind {
		case resources.KindScalar:
			m.Scalar = &mesos.Value_Scalar{Value: &a.Value.Number}
		case resources.KindRanges:
			m.Ranges = writeRanges(a.Value.Ranges)
		case resources.KindSet:
			m.Set = writeSet(a.Value.Set)
		case resources.KindText:
			m.Text = &mesos.Value_Text{Value: &a.Value.Text}
		}
		messages = append(messages, m)
	}
	return messages
}
