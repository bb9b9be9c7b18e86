package resources

import "testing"

// The texts are those that a real master printed, in the recorded exchanges,
// where there is one.
func TestListsPrintAsMesosPrintsThem(t *testing.T) {
	labels := []Label{{Key: "a", Value: "b", HasValue: true}, {Key: "c"}}
	for _, tt := range []struct {
		list List
		want string
	}{
		{List{}, "{}"},
		{MustParse("cpus:1000;mem:32").Allocate("*"), "cpus(allocated: *):1000; mem(allocated: *):32"},
		{
			MustParse("ports:[31000-32000];cpus:7.9;mem:8160;disk:10000").Allocate("*"),
			"ports(allocated: *):[31000-32000]; cpus(allocated: *):7.9; mem(allocated: *):8160; disk(allocated: *):10000",
		},
		{MustParse("cpus:8;mem:8192;disk:10000;ports:[31000-32000]"), "cpus:8; mem:8192; disk:10000; ports:[31000-32000]"},
		{
			ListOf(mustNew(t, Spec{Name: Mem, Scalar: 64 * One, Reservations: []Reservation{{Kind: Dynamic, Role: "dev"}}})),
			"mem(reservations: [(DYNAMIC,dev)]):64",
		},
		{
			ListOf(mustNew(t, Spec{Name: CPUs, Scalar: One, Reservations: []Reservation{
				{Kind: Static, Role: "dev"}, {Kind: Dynamic, Role: "dev/a", Principal: "ops", Labels: labels},
			}})).Allocate("dev/a"),
			"cpus(allocated: dev/a)(reservations: [(STATIC,dev),(DYNAMIC,dev/a,ops,{a: b, c})]):1",
		},
		{ListOf(mustNew(t, Spec{Name: CPUs, Scalar: One, Revocable: true})), "cpus{REV}:1"},
		{volume(t, "v1", func(s *Spec) {
			s.Disk.Source = &DiskSource{Kind: DiskMount, Root: "/mnt/a"}
			s.Disk.Volume.HostPath, s.Disk.Volume.ReadOnly = "host", true
		}), "disk(reservations: [(DYNAMIC,dev)])[MOUNT:/mnt/a,v1:host:data:ro]:10"},
		{volume(t, "", func(s *Spec) {
			s.Disk = &DiskInfo{Source: &DiskSource{Kind: DiskRaw, ID: "d1", Vendor: "v", Profile: "fast"}}
		}), "disk(reservations: [(DYNAMIC,dev)])[RAW(v,d1,fast)]:10"},
	} {
		if got := tt.list.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
