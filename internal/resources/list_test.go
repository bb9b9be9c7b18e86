package resources

import (
	"slices"
	"testing"

	"github.com/meseta/meseta/internal/ids"
)

// volume is a persistent volume of 10 MiB that dev has reserved.
func volume(t *testing.T, id string, change func(*Spec)) List {
	t.Helper()
	spec := Spec{
		Name:         Disk,
		Scalar:       10 * One,
		Reservations: []Reservation{{Kind: Dynamic, Role: "dev"}},
		Disk:         &DiskInfo{Persistence: &Persistence{ID: id}, Volume: &Volume{ContainerPath: "data"}},
	}
	if change != nil {
		change(&spec)
	}
	r, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return ListOf(r)
}

func TestListAddsWhatCanBeAdded(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"cpus:1", "cpus:0.5", "cpus:1.5"},
		{"cpus:1;mem:32", "mem:32;disk:1", "cpus:1; mem:64; disk:1"},
		{"cpus:1", "cpus(dev):1", "cpus:1; cpus(reservations: [(STATIC,dev)]):1"},
		{"cpus(dev):2", "cpus(dev):1", "cpus(reservations: [(STATIC,dev)]):3"},
		{"ports:[1-5]", "ports:[6-9]", "ports:[1-9]"},
		{"keys:{a,b}", "keys:{b,c}", "keys:{a, b, c}"},
		{"cpus:0", "cpus:0", "{}"},
		{"", "cpus:1", "cpus:1"},
	} {
		if got := MustParse(tt.a).Add(MustParse(tt.b)).String(); got != tt.want {
			t.Errorf("%s + %s = %s, want %s", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestListSubtractsWhatIsThere(t *testing.T) {
	for _, tt := range []struct {
		a, b, want string
		contains   bool
	}{
		{"cpus:1;mem:32", "cpus:1", "mem:32", true},
		{"cpus:1;mem:32", "cpus:0.4", "cpus:0.6; mem:32", true},
		{"cpus:1", "cpus:2", "{}", false},
		{"cpus:1", "mem:2", "cpus:1", false},
		{"cpus(dev):1", "cpus:1", "cpus(reservations: [(STATIC,dev)]):1", false},
		{"ports:[1-9]", "ports:[3-4]", "ports:[1-2, 5-9]", true},
		{"ports:[1-9]", "ports:[9-12]", "ports:[1-8]", false},
		{"keys:{a,b}", "keys:{b}", "keys:{a}", true},
		{"cpus:1", "", "cpus:1", true},
	} {
		a, b := MustParse(tt.a), MustParse(tt.b)
		if got := a.Sub(b).String(); got != tt.want {
			t.Errorf("%s - %s = %s, want %s", tt.a, tt.b, got, tt.want)
		}
		rest, ok := a.Take(b)
		if ok != tt.contains || ok != a.Contains(b) {
			t.Errorf("%s contains %s: %v by Contains, %v by Take, want %v", tt.a, tt.b, a.Contains(b), ok, tt.contains)
		}
		if want := a.Sub(b); ok && !rest.Equal(want) || !ok && !rest.Equal(a) {
			t.Errorf("%s, with %s taken, left %s", tt.a, tt.b, rest)
		}
	}
}

func TestListKeepsTheOrderOfFirstAppearance(t *testing.T) {
	l := MustParse("ports:[31000-32000];cpus:8;mem:8192;disk:10000")
	l = l.Sub(MustParse("cpus:1;mem:100")).Add(MustParse("gpus:1;cpus:1"))
	if got, want := l.String(), "ports:[31000-32000]; cpus:8; mem:8092; disk:10000; gpus:1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var names []string
	for name := range l.Add(MustParse("cpus(dev):1")).Names() {
		names = append(names, name)
	}
	if want := []string{"ports", "cpus", "mem", "disk", "gpus"}; !slices.Equal(names, want) {
		t.Errorf("names are %v, want %v", names, want)
	}
}

func TestOperationsLeaveTheirOperandsAlone(t *testing.T) {
	a := MustParse("cpus:4;ports:[1-9];keys:{a,b}")
	before := a.String()
	a.Add(MustParse("cpus:1;ports:[20-30];keys:{c}"))
	a.Sub(MustParse("cpus:1;ports:[2-3];keys:{a}"))
	a.Take(MustParse("cpus:4"))
	a.Allocate("dev")
	if got := a.String(); got != before {
		t.Errorf("%s became %s", before, got)
	}

	labels := []Label{{Key: "a"}}
	spec := Spec{Name: CPUs, Scalar: One, Reservations: []Reservation{{Kind: Dynamic, Role: "dev", Labels: labels}}}
	r, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	labels[0].Key, spec.Reservations[0].Role = "b", "ops"
	r.Spec().Reservations[0].Role = "ops"
	r.Stack()[0].Labels[0].Key = "c"
	if got, want := r.String(), "cpus(reservations: [(DYNAMIC,dev,{a})]):1"; got != want {
		t.Errorf("somebody else's slice changed the resource to %s, want %s", got, want)
	}
}

func TestPersistentVolumesAreNeverDivided(t *testing.T) {
	v := volume(t, "v1", nil)
	part := volume(t, "v1", func(s *Spec) { s.Scalar = 4 * One })
	if v.Contains(part) || !v.Contains(v) {
		t.Errorf("a volume must contain itself whole only")
	}
	if got := v.Sub(part); !got.Equal(v) {
		t.Errorf("%s was divided into %s", v, got)
	}
	two := v.Add(v)
	if two.Len() != 2 || v.Contains(two) || !two.Contains(two) || two.Equal(v) {
		t.Errorf("two volumes with one id must stay two: %s", two)
	}
	if got := two.Sub(v); !got.Equal(v) {
		t.Errorf("two volumes without one are %s", got)
	}
}

func TestHowAVolumeIsMountedDoesNotKeepItApart(t *testing.T) {
	a := volume(t, "v1", nil)
	b := volume(t, "v1", func(s *Spec) {
		s.Disk.Volume.ContainerPath = "elsewhere"
		s.Disk.Persistence.Principal = "ops"
	})
	if !a.Equal(b) {
		t.Errorf("%s and %s are the same volume", a, b)
	}
	if c := volume(t, "v2", nil); a.Equal(c) {
		t.Errorf("%s and %s are two volumes", a, c)
	}
}

func TestSharedVolumesCountTheirHolders(t *testing.T) {
	one := volume(t, "v1", func(s *Spec) { s.Shared = true })
	two := one.Add(one)
	if two.Len() != 1 || !two.Contains(one) || one.Contains(two) {
		t.Errorf("two holders of a volume make %s", two)
	}
	if got, want := two.String(), "disk(reservations: [(DYNAMIC,dev)])[v1:data]<SHARED>:10<2>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := two.Scalar(Disk); got != 10*One {
		t.Errorf("a volume of 10 that two hold is %s", got)
	}
	if got := two.Sub(one); !got.Equal(one) {
		t.Errorf("one holder less leaves %s", got)
	}
	if got := one.Sub(two); !got.IsEmpty() {
		t.Errorf("more holders less than there are leaves %s", got)
	}
}

func TestDisksAreDividedByTheirKind(t *testing.T) {
	for _, tt := range []struct {
		source  DiskSource
		divided bool
	}{
		{DiskSource{Kind: DiskPath, Root: "/mnt/a"}, true},
		{DiskSource{Kind: DiskMount, Root: "/mnt/a"}, false},
		{DiskSource{Kind: DiskBlock}, false},
		{DiskSource{Kind: DiskRaw}, true},
		{DiskSource{Kind: DiskRaw, ID: "d1"}, false},
	} {
		whole := volume(t, "", func(s *Spec) { s.Disk = &DiskInfo{Source: &tt.source} })
		part := volume(t, "", func(s *Spec) { s.Disk, s.Scalar = &DiskInfo{Source: &tt.source}, One })
		if got := whole.Contains(part); got != tt.divided {
			t.Errorf("%s contains %s: %v, want %v", whole, part, got, tt.divided)
		}
	}
}

func TestWhatKeepsResourcesApart(t *testing.T) {
	reserved := func(rs ...Reservation) Spec { return Spec{Name: CPUs, Scalar: One, Reservations: rs} }
	dynamic := Reservation{Kind: Dynamic, Role: "dev"}
	labelled := func(labels ...Label) Reservation {
		return Reservation{Kind: Dynamic, Role: "dev", Labels: labels}
	}
	specs := []Spec{
		{Name: CPUs, Scalar: One},
		{Name: CPUs, Scalar: One, Allocated: "dev"},
		{Name: CPUs, Scalar: One, Provider: "p1"},
		{Name: CPUs, Scalar: One, Provider: "p2"},
		{Name: CPUs, Scalar: One, Revocable: true},
		{Name: Mem, Scalar: One},
		reserved(dynamic),
		reserved(Reservation{Kind: Static, Role: "dev"}),
		reserved(Reservation{Kind: Dynamic, Role: "ops"}),
		reserved(Reservation{Kind: Dynamic, Role: "dev", Principal: "a"}),
		reserved(dynamic, Reservation{Kind: Dynamic, Role: "dev/a"}),
		reserved(labelled(Label{Key: "a"})),
		reserved(labelled(Label{Key: "a", HasValue: true})),
		reserved(labelled(Label{Key: "a", Value: "b", HasValue: true})),
		reserved(labelled(Label{Key: "a"}, Label{Key: "a"})),
		{Name: Disk, Scalar: One},
		{Name: Disk, Scalar: One, Disk: &DiskInfo{}},
		{Name: Disk, Scalar: One, Disk: &DiskInfo{Source: &DiskSource{Kind: DiskPath, Root: "/a"}}},
		{Name: Disk, Scalar: One, Disk: &DiskInfo{Source: &DiskSource{Kind: DiskPath, Root: "/b"}}},
		{Name: Disk, Scalar: One, Disk: &DiskInfo{Source: &DiskSource{Kind: DiskPath, Vendor: "/a"}}},
	}
	for i, a := range specs {
		for j, b := range specs {
			l := ListOf(mustNew(t, a), mustNew(t, b))
			if want := 2; i != j && l.Len() != want {
				t.Errorf("specs %d and %d were added up: %s", i, j, l)
			} else if i == j && l.Len() != 1 {
				t.Errorf("spec %d was not added to itself: %s", i, l)
			}
		}
	}
	one := mustNew(t, reserved(labelled(Label{Key: "a"}, Label{Key: "b"})))
	other := mustNew(t, reserved(labelled(Label{Key: "b"}, Label{Key: "a"})))
	if !one.Equal(other) {
		t.Errorf("the order of labels keeps %s and %s apart", one, other)
	}
}

func mustNew(t *testing.T, spec Spec) Resource {
	t.Helper()
	r, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestListByReservation(t *testing.T) {
	l := MustParse("cpus:8;cpus(eng):4;cpus(eng/a):2;cpus(ops):1;ports:[1-9]")
	for _, tt := range []struct {
		part List
		want string
	}{
		{l.Unreserved(), "cpus:8; ports:[1-9]"},
		{l.Reserved("eng"), "cpus(reservations: [(STATIC,eng)]):4"},
		{l.AllocatableTo("ops").Sub(l.Unreserved()), "cpus(reservations: [(STATIC,ops)]):1"},
		{l.AllocatableTo("eng").Sub(l.Unreserved()), "cpus(reservations: [(STATIC,eng)]):4"},
		{l.AllocatableTo("eng/a").Sub(l.Unreserved()), "cpus(reservations: [(STATIC,eng)]):4; cpus(reservations: [(STATIC,eng/a)]):2"},
		{l.AllocatableTo("*"), "cpus:8; ports:[1-9]"},
	} {
		if got := tt.part.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestListByAllocation(t *testing.T) {
	l := MustParse("cpus:8;mem:100")
	dev := l.Allocate("dev")
	if role, ok := dev.AllocatedTo(); !ok || role != "dev" {
		t.Errorf("%s is allocated to %q, %v", dev, role, ok)
	}
	if !dev.Unallocated().Equal(l) {
		t.Errorf("%s without its allocation is %s", dev, dev.Unallocated())
	}
	both := dev.Add(l.Allocate("ops"))
	if role, ok := both.AllocatedTo(); ok {
		t.Errorf("%s is allocated to %q alone", both, role)
	}
	if got, want := both.Unallocated().String(), "cpus:16; mem:200"; got != want {
		t.Errorf("two roles together have %s, want %s", got, want)
	}
	if role, ok := l.AllocatedTo(); ok {
		t.Errorf("%s is allocated to %q", l, ids.Role(role))
	}
}

func TestListSums(t *testing.T) {
	l := MustParse("cpus:8;cpus(dev):0.5;ports:[1-9];ports(dev):[20-21];keys:{a};keys(dev):{b}")
	if got := l.Scalar(CPUs); got != 8500 {
		t.Errorf("cpus sum up to %s", got)
	}
	if got := l.Ranges(Ports).String(); got != "[1-9, 20-21]" {
		t.Errorf("ports sum up to %s", got)
	}
	if got := l.Set("keys").String(); got != "{a, b}" {
		t.Errorf("keys sum up to %s", got)
	}
	for _, tt := range []struct {
		want   Quantities
		covers bool
	}{
		{nil, true},
		{Quantities{{CPUs, 8500}}, true},
		{Quantities{{CPUs, 8501}}, false},
		{Quantities{{CPUs, 1}, {Mem, 1}}, false},
		{Quantities{{Ports, 11 * One}, {"keys", 2 * One}}, true},
		{Quantities{{Ports, 12 * One}}, false},
	} {
		if got := l.Covers(tt.want); got != tt.covers {
			t.Errorf("%s covers %v: %v", l, tt.want, got)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		spec Spec
		want string
	}{
		{Spec{}, "a resource needs a name"},
		{Spec{Name: "a", Kind: KindText}, "resource 'a' is a TEXT; only SCALAR, RANGES and SET can be offered"},
		{Spec{Name: "a", Scalar: -1}, "resource 'a' of -0.001 is not between 0 and 1125899906842.624"},
		{Spec{Name: "a", Allocated: "a b"}, "resource 'a' is allocated to a wrong role: Role component 'a b' is invalid because it contains backspace or whitespace"},
		{Spec{Name: "a", Disk: &DiskInfo{}}, "resource 'a' has a disk; only the resource 'disk' can"},
		{Spec{Name: "disk", Shared: true}, "resource 'disk' cannot be shared; only a persistent volume can"},
		{Spec{Name: "disk", Disk: &DiskInfo{Persistence: &Persistence{}}}, "resource 'disk': a persistent volume needs an id"},
		{Spec{Name: "disk", Disk: &DiskInfo{Source: &DiskSource{}}}, "resource 'disk': the type of its disk source is none of PATH, MOUNT, BLOCK and RAW"},
		{Spec{Name: "disk", Disk: &DiskInfo{Source: &DiskSource{Kind: DiskRaw, Root: "/a"}}}, `resource 'disk': a RAW disk has no root directory, but "/a" is given`},
		{Spec{Name: "a", Reservations: []Reservation{{Role: "dev"}}}, "resource 'a' is reserved wrongly: the reservation of role 'dev' is neither STATIC nor DYNAMIC"},
		{Spec{Name: "a", Reservations: []Reservation{{Kind: Static, Role: "*"}}}, "resource 'a' is reserved wrongly: role '*' is everybody's, nothing can be reserved to it"},
		{Spec{Name: "a", Reservations: []Reservation{{Kind: Static, Role: "/x"}}}, "resource 'a' is reserved wrongly: Role '/x' cannot start with a slash"},
		{Spec{Name: "a", Reservations: []Reservation{{Kind: Static, Role: "x"}, {Kind: Dynamic, Role: "y"}}}, "resource 'a' is reserved wrongly: role 'y' is not below role 'x', whose reservation it refines"},
		{Spec{Name: "a", Reservations: []Reservation{{Kind: Static, Role: "x"}, {Kind: Dynamic, Role: "x"}}}, "resource 'a' is reserved wrongly: role 'x' is not below role 'x', whose reservation it refines"},
		{Spec{Name: "a", Reservations: []Reservation{{Kind: Static, Role: "x"}, {Kind: Static, Role: "x/y"}}}, "resource 'a' is reserved wrongly: the reservation of role 'x/y' refines another one and so cannot be STATIC"},
	} {
		if _, err := New(tt.spec); err == nil || err.Error() != tt.want {
			t.Errorf("New(%+v) says\n  %v, want\n  %s", tt.spec, err, tt.want)
		}
	}
}
