package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyTheLinesOfABuildAreTaken(t *testing.T) {
	list := "# comment\na.All # for all\n2.12: a.Old\n2.13: a.New\n4.0:a.Newest\n\n"
	got, err := wanted(list, []string{"4.0", "2.13"})
	if d := cmp.Diff([]string{"a.All", "a.New", "a.Newest"}, got); d != "" || err != nil {
		t.Errorf("classes of a build (-want +got): %v\n%s", err, d)
	}
}

func TestWhatIsNoClassFileIsRefused(t *testing.T) {
	for _, b := range []string{"", "\xca\xfe\xba\xbe", "PK\x03\x04 and more", "\xca\xfe\xba\xbe\x00\x00\x00\x3d\x00\x02\x01\xff\xff"} {
		if _, err := parseClass([]byte(b)); err == nil {
			t.Errorf("%q is taken for a class file", b)
		}
	}
}
