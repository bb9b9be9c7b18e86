package resources

import (
	"encoding/json"
	"fmt"

	"github.com/meseta/meseta/internal/ids"
)

// jsonResource is a resource as it stands in the JSON that an operator writes:
// the fields of Mesos' Resource message, as far as an agent may be given them.
type jsonResource struct {
	Name         string             `json:"name"`
	Type         string             `json:"type"`
	Scalar       *jsonScalar        `json:"scalar"`
	Ranges       *jsonRanges        `json:"ranges"`
	Set          *jsonSet           `json:"set"`
	Role         ids.Role           `json:"role"`
	Reservation  *jsonReservation   `json:"reservation"`
	Reservations []*jsonReservation `json:"reservations"`
	Disk         *jsonDisk          `json:"disk"`
	Revocable    *struct{}          `json:"revocable"`
	Shared       *struct{}          `json:"shared"`
}

type jsonScalar struct {
	Value *float64 `json:"value"`
}

type jsonRanges struct {
	Range []Range `json:"range"`
}

type jsonSet struct {
	Item []string `json:"item"`
}

type jsonReservation struct {
	Type      string      `json:"type"`
	Role      ids.Role    `json:"role"`
	Principal string      `json:"principal"`
	Labels    *jsonLabels `json:"labels"`
}

type jsonLabels struct {
	Labels []struct {
		Key   string  `json:"key"`
		Value *string `json:"value"`
	} `json:"labels"`
}

type jsonDisk struct {
	Persistence json.RawMessage `json:"persistence"`
	Volume      json.RawMessage `json:"volume"`
	Source      *struct {
		Type     string      `json:"type"`
		Path     *jsonRoot   `json:"path"`
		Mount    *jsonRoot   `json:"mount"`
		Vendor   string      `json:"vendor"`
		ID       string      `json:"id"`
		Profile  string      `json:"profile"`
		Metadata *jsonLabels `json:"metadata"`
	} `json:"source"`
}

type jsonRoot struct {
	Root string `json:"root"`
}

func parseJSON(text string) ([]Spec, error) {
	var list []*jsonResource
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("the resources are not a JSON array of resources: %w", err)
	}
	if len(list) > MaxResources {
		return nil, fmt.Errorf("%d resources are given; %d are possible", len(list), MaxResources)
	}
	var specs []Spec
	for i, item := range list {
		spec, err := item.spec()
		if err != nil {
			return nil, fmt.Errorf("resource %d of the JSON array: %w", i+1, err)
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

func (j *jsonResource) spec() (Spec, error) {
	switch {
	case j == nil || j.Name == "":
		return Spec{}, fmt.Errorf("it has no name")
	case j.Revocable != nil:
		return Spec{}, fmt.Errorf("'%s' is revocable, which an agent cannot be given but finds out itself", j.Name)
	case j.Shared != nil || j.Disk != nil && (j.Disk.Persistence != nil || j.Disk.Volume != nil):
		return Spec{}, fmt.Errorf("'%s' is a volume, which an agent cannot be given but a framework creates", j.Name)
	}
	spec := Spec{Name: j.Name}
	if err := j.value(&spec); err != nil {
		return Spec{}, err
	}
	if err := j.reservations(&spec); err != nil {
		return Spec{}, fmt.Errorf("'%s': %w", j.Name, err)
	}
	if j.Disk != nil {
		disk, err := j.Disk.info()
		if err != nil {
			return Spec{}, fmt.Errorf("'%s': %w", j.Name, err)
		}
		spec.Disk = disk
	}
	return spec, nil
}

func (j *jsonResource) value(spec *Spec) (err error) {
	switch {
	case j.Type == "SCALAR" && j.Scalar != nil && j.Scalar.Value != nil:
		spec.Kind = KindScalar
		spec.Scalar, err = AmountOf(*j.Scalar.Value)
	case j.Type == "RANGES" && j.Ranges != nil:
		spec.Kind = KindRanges
		spec.Ranges, err = NewRanges(j.Ranges.Range...)
	case j.Type == "SET" && j.Set != nil:
		spec.Kind = KindSet
		spec.Set, err = NewSet(j.Set.Item...)
	default:
		return fmt.Errorf("'%s' has the type %q, but no value of it; there are SCALAR, RANGES and SET", j.Name, j.Type)
	}
	if err != nil {
		return fmt.Errorf("'%s': %w", j.Name, err)
	}
	return nil
}

func (j *jsonResource) reservations(spec *Spec) error {
	claim := Claim{Role: j.Role}
	if j.Reservation != nil {
		old, err := j.Reservation.reservation()
		if err != nil {
			return err
		}
		claim.Old = &old
	}
	for _, r := range j.Reservations {
		if r == nil {
			return fmt.Errorf("a reservation is null")
		}
		reservation, err := r.reservation()
		if err != nil {
			return err
		}
		claim.Stack = append(claim.Stack, reservation)
	}
	stack, err := claim.Resolve()
	if err != nil {
		return err
	}
	for _, r := range stack {
		if r.Kind == Dynamic {
			return fmt.Errorf("the reservation of role '%s' is DYNAMIC, but an agent can only be given STATIC ones", r.Role)
		}
	}
	spec.Reservations = stack
	return nil
}

func (j *jsonReservation) reservation() (Reservation, error) {
	r := Reservation{Role: j.Role, Principal: j.Principal, Labels: j.Labels.list()}
	switch j.Type {
	case "STATIC":
		r.Kind = Static
	case "DYNAMIC":
		r.Kind = Dynamic
	case "":
	default:
		return r, fmt.Errorf("a reservation has the type %q; there are STATIC and DYNAMIC", j.Type)
	}
	return r, nil
}

func (j *jsonLabels) list() []Label {
	if j == nil {
		return nil
	}
	var labels []Label
	for _, l := range j.Labels {
		label := Label{Key: l.Key, HasValue: l.Value != nil}
		if l.Value != nil {
			label.Value = *l.Value
		}
		labels = append(labels, label)
	}
	return labels
}

func (j *jsonDisk) info() (*DiskInfo, error) {
	s := j.Source
	if s == nil {
		return nil, fmt.Errorf("it has a disk without a source")
	}
	source := &DiskSource{Vendor: s.Vendor, ID: s.ID, Profile: s.Profile, Metadata: s.Metadata.list()}
	for kind := DiskPath; kind <= DiskRaw; kind++ {
		if kind.String() == s.Type {
			source.Kind = kind
		}
	}
	switch {
	case s.Path != nil && source.Kind == DiskPath && s.Mount == nil:
		source.Root = s.Path.Root
	case s.Mount != nil && source.Kind == DiskMount && s.Path == nil:
		source.Root = s.Mount.Root
	case s.Path != nil || s.Mount != nil:
		return nil, fmt.Errorf("its disk source is a %s, but has the root of something else", source.Kind)
	}
	return &DiskInfo{Source: source}, nil
}
