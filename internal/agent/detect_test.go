package agent

import (
	"net/netip"
	"testing"

	"github.com/meseta/meseta/internal/endpoint"
)

func TestResourcesThatNameNoRoleAreReservedForTheDefaultOne(t *testing.T) {
	c := Defaults()
	c.WorkDir, c.Resources, c.DefaultRole = t.TempDir(), "cpus:4;cpus(ops):2;mem:100;disk:100;ports:[1-2]", "dev"
	if err := (&Config{Masters: []string{"m:5050"}, WorkDir: "x", DefaultRole: "a//b"}).Validate(); err == nil {
		t.Error("a role that cannot be was accepted")
	}
	info, err := describe(&c, endpoint.Endpoint{Address: netip.MustParseAddrPort("127.0.0.1:5051")})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range info.base.Resources {
		want := "dev"
		if r.GetScalar().GetValue() == 2 {
			want = "ops"
		}
		if len(r.Reservations) != 1 || r.Reservations[0].GetRole() != want {
			t.Errorf("%v: want it reserved for %s", r, want)
		}
	}
}
