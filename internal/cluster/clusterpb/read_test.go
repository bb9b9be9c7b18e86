package clusterpb

import (
	"testing"

	"github.com/meseta/meseta/api/mesos/v1"
	"github.com/meseta/meseta/internal/cluster"
	"github.com/meseta/meseta/internal/resources"
)

func TestOffersAreWrittenForTheirReader(t *testing.T) {
	list, err := resources.Parse("cpus:4")
	if err != nil {
		t.Fatal(err)
	}
	const (
		multiRole  = mesos.FrameworkInfo_Capability_MULTI_ROLE
		refinement = mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT
	)
	for _, test := range []struct {
		reader     cluster.Capabilities
		classic    bool // with a role, the older way of writing reservations
		allocation string
	}{
		{0, true, ""},
		{cluster.Capabilities(0).With(multiRole), true, "dev"},
		{cluster.Capabilities(0).With(refinement), false, ""},
		{cluster.Capabilities(0).With(multiRole).With(refinement), false, "dev"},
	} {
		o := OfferTo(&cluster.Offer{ID: "O1", Role: "dev", Agent: &cluster.Agent{}, Reader: test.reader,
			Resources: list.Allocate("dev")})
		r := o.Resources[0]
		if got := r.Role != nil; got != test.classic {
			t.Errorf("reader %b: a role is given: %t, expected %t", test.reader, got, test.classic)
		}
		for _, got := range []string{r.GetAllocationInfo().GetRole(), o.GetAllocationInfo().GetRole()} {
			if got != test.allocation {
				t.Errorf("reader %b: allocated to %q, expected %q", test.reader, got, test.allocation)
			}
		}
	}
}
