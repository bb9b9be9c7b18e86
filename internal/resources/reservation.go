package resources

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/meseta/meseta/internal/ids"
)

// ReservationKind says who made a reservation.
type ReservationKind uint8

// A static reservation is made by an agent's configuration and stays; a
// dynamic one is made and undone through the API.
const (
	Static ReservationKind = iota + 1
	Dynamic
)

// String gives the name that the wire uses.
func (k ReservationKind) String() string {
	switch k {
	case Static:
		return "STATIC"
	case Dynamic:
		return "DYNAMIC"
	}
	return "UNKNOWN"
}

// Reservation binds a resource to a role. Reservations are stacked: a role's
// share may be reserved further, to a role below it.
type Reservation struct {
	Kind      ReservationKind
	Role      ids.Role
	Principal string // who asked for it, if anybody said
	Labels    []Label
}

// Equal says whether r and o are the same reservation. The order of labels has
// no meaning.
func (r Reservation) Equal(o Reservation) bool {
	return bytes.Equal(encodeReservation(nil, r), encodeReservation(nil, o))
}

// Label is a note that somebody left on a reservation or disk.
type Label struct {
	Key, Value string
	HasValue   bool // a label may have a key alone
}

// compareLabels puts labels into some order: the order that they come in has
// no meaning.
func compareLabels(a, b Label) int {
	valued := func(l Label) int {
		if l.HasValue {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(valued(a), valued(b)), cmp.Compare(a.Value, b.Value))
}

// checkStack says whether reservations may lie on top of each other: each must
// be of a role below the one before it, and only the lowest may be static.
func checkStack(stack []Reservation) error {
	if len(stack) > maxNesting {
		return fmt.Errorf("%d reservations on top of each other are more than %d", len(stack), maxNesting)
	}
	for i, r := range stack {
		if r.Kind != Static && r.Kind != Dynamic {
			return fmt.Errorf("the reservation of role '%s' is neither STATIC nor DYNAMIC", r.Role)
		}
		if err := r.Role.Validate(); err != nil {
			return err
		}
		if r.Role == ids.AnyRole {
			return fmt.Errorf("role '*' is everybody's, nothing can be reserved to it")
		}
		if i == 0 {
			continue
		}
		if below := stack[i-1].Role; r.Role == below || !r.Role.Within(below) {
			return fmt.Errorf("role '%s' is not below role '%s', whose reservation it refines", r.Role, below)
		}
		if r.Kind == Static {
			return fmt.Errorf("the reservation of role '%s' refines another one and so cannot be STATIC", r.Role)
		}
	}
	return nil
}

// Claim is what the wire says about reservations, in the two ways it has of
// saying it: the stack, and the older pair of a role and a reservation without
// role and type.
type Claim struct {
	Role  ids.Role // the old field; "" when absent
	Old   *Reservation
	Stack []Reservation
}

// Resolve gives the stack that c means. Both ways may be used at once, as old
// endpoints answer, if they agree.
func (c Claim) Resolve() ([]Reservation, error) {
	if c.Old != nil && (c.Old.Kind != 0 || c.Old.Role != "") {
		return nil, fmt.Errorf("the field 'reservation' must have neither type nor role; 'reservations' is where they go")
	}
	old, err := c.oldStack()
	if err != nil {
		return nil, err
	}
	if len(c.Stack) == 0 {
		return old, nil
	}
	if c.Role == "" && c.Old == nil {
		return c.Stack, nil
	}
	if len(c.Stack) > 1 {
		return nil, fmt.Errorf("the fields 'role' and 'reservation' cannot express %d reservations and must not be set", len(c.Stack))
	}
	if len(old) != 1 || !old[0].Equal(c.Stack[0]) {
		return nil, fmt.Errorf("the fields 'role' and 'reservation' contradict '(reservations: %s)'", formatStack(c.Stack))
	}
	return c.Stack, nil
}

func (c Claim) oldStack() ([]Reservation, error) {
	switch {
	case c.Role != "" && c.Role != ids.AnyRole && c.Old == nil:
		return []Reservation{{Kind: Static, Role: c.Role}}, nil
	case c.Role != "" && c.Role != ids.AnyRole:
		return []Reservation{{Kind: Dynamic, Role: c.Role, Principal: c.Old.Principal, Labels: c.Old.Labels}}, nil
	case c.Old != nil && len(c.Stack) == 0:
		return nil, fmt.Errorf("role '*' is everybody's, nothing can be reserved to it")
	}
	return nil, nil
}

// cloneStack copies stack with its labels, so that the caller's copy may change.
func cloneStack(stack []Reservation) []Reservation {
	stack = slices.Clone(stack)
	for i := range stack {
		stack[i].Labels = slices.Clone(stack[i].Labels)
	}
	return stack
}
