package demand

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/meseta/meseta/internal/resources"
)

func TestADemandTakesWhatIsReservedFirst(t *testing.T) {
	for _, test := range []struct {
		name, offered string
		demand        Demand
		resources     string
		ports         []uint64
	}{
		{"a part", "cpus:4;mem:1024;disk:100", Demand{CPUs: 500, Mem: 32000}, "cpus:0.5; mem:32", nil},
		{"exactly all", "cpus:4;mem:32", Demand{CPUs: 4000, Mem: 32000}, "cpus:4; mem:32", nil},
		{"too little", "cpus:4;mem:31", Demand{CPUs: 4000, Mem: 32000}, "", nil},
		{"nothing of a kind", "cpus:4", Demand{CPUs: 1000, GPUs: 1000}, "", nil},
		{"reserved first", "cpus:4;cpus(dev):1", Demand{CPUs: 3000}, "cpus(reservations: [(STATIC,dev)]):1; cpus:2", nil},
		{"ports of two ranges", "cpus:1;ports:[31000-31001, 31005-31009]", Demand{CPUs: 1000, Ports: 3},
			"cpus:1; ports:[31000-31001, 31005-31005]", []uint64{31000, 31001, 31005}},
		{"ports of two kinds", "ports(dev):[1-1];ports:[5-9]", Demand{Ports: 2},
			"ports(reservations: [(STATIC,dev)]):[1-1]; ports:[5-5]", []uint64{1, 5}},
		{"too few ports", "cpus:1;ports:[31000-31001]", Demand{CPUs: 1000, Ports: 3}, "", nil},
		{"no disk of its own", `[{"name":"disk","type":"SCALAR","scalar":{"value":9},"disk":{"source":{"type":"MOUNT","mount":{"root":"/x"}}}}]`,
			Demand{Disk: 1000}, "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			share, ok := test.demand.Take(resources.MustParse(test.offered))
			if ok != (test.resources != "") {
				t.Fatalf("taken: %v", ok)
			}
			if !ok {
				if short := test.demand.Short(resources.MustParse(test.offered)); len(short) == 0 {
					t.Error("too small, and nothing is short")
				}
				return
			}
			if got := share.Resources.String(); got != test.resources || fmt.Sprint(share.Ports) != fmt.Sprint(test.ports) {
				t.Errorf("got %s and ports %v", got, share.Ports)
			}
		})
	}
}

func TestPortsAreToldInVariables(t *testing.T) {
	got := fmt.Sprint(Share{Ports: []uint64{31000, 31007}}.Variables())
	if want := "[[PORT0 31000] [PORT1 31007] [PORTS 31000,31007] [PORT 31000]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if (Share{}).Variables() != nil {
		t.Error("variables without ports")
	}
}

func TestNumbersThatAreNoDemand(t *testing.T) {
	for _, test := range []struct {
		cpus, mem, disk, gpus float64
		ports                 int
		want                  string
	}{
		{cpus: -1, want: "cpus -1: expected an amount from 0 up to 1125899906842.624"},
		{cpus: 1, gpus: 0.5, want: "gpus 0.5: expected a whole number"},
		{cpus: 1, ports: 5000, want: "ports 5000: expected a number from 0 to 1000"},
		{want: "nothing is asked for, expected some cpus or memory"},
	} {
		if _, err := Of(test.cpus, test.mem, test.disk, test.gpus, test.ports); err == nil || err.Error() != test.want {
			t.Errorf("%+v: got %v", test, err)
		}
	}
	if d, err := Of(0.1, 32, 0, 2, 1); err != nil || d.String() != "0.1 cpus, 32 MiB of memory, 2 gpus, 1 port" {
		t.Errorf("got %s, %v", d, err)
	}
}

// TestAShareIsPartOfTheOfferAndEnough: what is taken was there, is what was asked for, and it is taken
// exactly when nothing is short.
func TestAShareIsPartOfTheOfferAndEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string) int { return rapid.IntRange(0, 6).Draw(t, name) }
		offer := resources.MustParse(fmt.Sprintf("cpus:%d.5;cpus(a):%d;mem(a):%d;mem:%d;ports(a):[1-%d];ports:[20-%d, 40-%d]",
			n("cpus"), n("cpus(a)"), n("mem(a)"), n("mem"), 1+n("ports(a)"), 20+n("ports"), 40+n("ports")))
		d := Demand{CPUs: resources.Scalar(n("want cpus")) * 1500, Mem: resources.Scalar(n("want mem")) * 2000, Ports: 3 * n("want ports")}
		share, ok := d.Take(offer)
		if short := d.Short(offer); ok != (len(short) == 0) {
			t.Fatalf("%s of %s: taken %v, short %v", d, offer, ok, short)
		}
		if !ok {
			return
		}
		if !offer.Contains(share.Resources) {
			t.Fatalf("%s is not in %s", share.Resources, offer)
		}
		if share.Resources.Scalar("cpus") != d.CPUs || share.Resources.Scalar("mem") != d.Mem ||
			share.Resources.Ranges("ports").Count() != uint64(d.Ports) || len(share.Ports) != d.Ports {
			t.Fatalf("%s was asked for, %s taken, ports %v", d, share.Resources, share.Ports)
		}
	})
}
