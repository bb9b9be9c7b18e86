// Package demand is how a command's needs are met by an offer: so many cpus, so much memory and disk, any
// so many ports.
//
// It takes from an offer what is reserved to the taker first, so that what everybody may have stays with
// everybody, and never what is worth more than its amount: persistent volumes, disks of their own, shared
// and revocable resources. Where a demand is not met it says what is short.
//
// It is pure arithmetic on package resources. `meseta run` and the master's framework of detached tasks
// use it alike; start reading at [Demand.Take].
package demand

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meseta/meseta/internal/resources"
)

// Demand is how much one instance of a command needs.
type Demand struct {
	CPUs, Mem, Disk, GPUs resources.Scalar // mem and disk in MiB
	Ports                 int              // how many, whichever they are
}

// MaxPorts is how many ports one demand may ask for.
const MaxPorts = 1000

// Of reads a demand from plain numbers. The error says which of them is none.
func Of(cpus, mem, disk, gpus float64, ports int) (Demand, error) {
	d := Demand{Ports: ports}
	for _, amount := range []struct {
		name  string
		given float64
		to    *resources.Scalar
	}{{resources.CPUs, cpus, &d.CPUs}, {resources.Mem, mem, &d.Mem}, {resources.Disk, disk, &d.Disk}, {resources.GPUs, gpus, &d.GPUs}} {
		var err error
		if *amount.to, err = resources.AmountOf(amount.given); err != nil || *amount.to < 0 {
			return d, fmt.Errorf("%s %v: expected an amount from 0 up to %s", amount.name, amount.given, resources.MaxScalar)
		}
	}
	switch {
	case d.GPUs%resources.One != 0:
		return d, fmt.Errorf("gpus %v: expected a whole number", gpus)
	case ports < 0 || ports > MaxPorts:
		return d, fmt.Errorf("ports %d: expected a number from 0 to %d", ports, MaxPorts)
	case d.CPUs == 0 && d.Mem == 0 && d.Disk == 0 && d.GPUs == 0 && ports == 0:
		return d, fmt.Errorf("nothing is asked for, expected some cpus or memory")
	}
	return d, nil
}

// scalars are the demanded amounts, in the order in which people name them.
func (d Demand) scalars() []amount {
	return []amount{{resources.CPUs, d.CPUs}, {resources.Mem, d.Mem}, {resources.Disk, d.Disk}, {resources.GPUs, d.GPUs}}
}

type amount struct {
	name string
	want resources.Scalar
}

// List is the demand as resources, but for the ports, which are any.
func (d Demand) List() (l resources.List) {
	for _, a := range d.scalars() {
		if r, err := resources.New(resources.Spec{Name: a.name, Scalar: a.want}); err == nil && a.want > 0 {
			l = l.Add(resources.ListOf(r))
		}
	}
	return l
}

// String says a demand in the words of the flags: "2 cpus, 32 MiB of memory".
func (d Demand) String() string {
	var words []string
	for _, a := range d.scalars() {
		if a.want > 0 {
			words = append(words, phrase(a.name, a.want.String()))
		}
	}
	if d.Ports > 0 {
		words = append(words, phrase(resources.Ports, strconv.Itoa(d.Ports)))
	}
	return strings.Join(words, ", ")
}

// phrase says an amount of one resource.
func phrase(name, amount string) string {
	switch name {
	case resources.Mem:
		return amount + " MiB of memory"
	case resources.Disk:
		return amount + " MiB of disk"
	}
	if amount == "1" {
		name = strings.TrimSuffix(name, "s")
	}
	return amount + " " + name
}

// Share is what a demand took of an offer.
type Share struct {
	Resources resources.List
	Ports     []uint64
}

// Variables tell a command its ports: PORT0, PORT1, …, all of them in PORTS, and the first in PORT.
func (s Share) Variables() (variables [][2]string) {
	var all []string
	for i, p := range s.Ports {
		text := strconv.FormatUint(p, 10)
		all = append(all, text)
		variables = append(variables, [2]string{"PORT" + strconv.Itoa(i), text})
	}
	if len(all) > 0 {
		variables = append(variables, [2]string{"PORTS", strings.Join(all, ",")}, [2]string{"PORT", all[0]})
	}
	return variables
}

// Take takes what is needed of an offer; false if the offer is too small. What it takes is allocated as the
// offer was.
func (d Demand) Take(offered resources.List) (Share, bool) {
	entries := usable(offered)
	var share Share
	for _, a := range d.scalars() {
		left := a.want
		for _, r := range entries {
			if left == 0 || r.Name() != a.name || r.Kind() != resources.KindScalar {
				continue
			}
			part := r.Spec()
			part.Scalar = min(left, r.Scalar())
			share.add(part)
			left -= part.Scalar
		}
		if left > 0 {
			return Share{}, false
		}
	}
	return share, share.takePorts(entries, d.Ports)
}

func (s *Share) takePorts(entries []resources.Resource, want int) bool {
	for _, r := range entries {
		if r.Name() != resources.Ports || r.Kind() != resources.KindRanges || len(s.Ports) == want {
			continue
		}
		taken := first(r.Ranges(), want-len(s.Ports))
		ranges, err := resources.NewRanges(taken...)
		if err != nil {
			return false
		}
		part := r.Spec()
		part.Ranges = ranges
		s.add(part)
		for _, one := range taken {
			for p := one.Begin; p <= one.End; p++ {
				s.Ports = append(s.Ports, p)
			}
		}
	}
	return len(s.Ports) == want
}

// first gives the first n numbers of ranges.
func first(ranges resources.Ranges, n int) (taken []resources.Range) {
	for r := range ranges.All() {
		if n == 0 {
			break
		}
		if size := r.End - r.Begin + 1; size > uint64(n) || size == 0 {
			r.End = r.Begin + uint64(n) - 1
		}
		taken = append(taken, r)
		n -= int(r.End - r.Begin + 1)
	}
	return taken
}

// add adds a part of an offered resource, which cannot be wrong as the whole was not.
func (s *Share) add(part resources.Spec) {
	if r, err := resources.New(part); err == nil {
		s.Resources = s.Resources.Add(resources.ListOf(r))
	}
}

// usable is the part of a list that a command may take, what is reserved most narrowly first.
func usable(l resources.List) []resources.Resource {
	all := slices.Collect(l.Filter(func(r resources.Resource) bool {
		return !r.Shared() && !r.Revocable() && r.Disk() == nil
	}).All())
	slices.SortStableFunc(all, func(a, b resources.Resource) int { return cmp.Compare(b.Reservations(), a.Reservations()) })
	return all
}

// Shortage is one resource of which there is not enough.
type Shortage struct {
	Name       string
	Want, Have resources.Scalar
}

// Short says what of a demand a list does not hold; nothing if it holds all of it.
func (d Demand) Short(have resources.List) (short []Shortage) {
	entries := usable(have)
	for _, a := range append(d.scalars(), amount{resources.Ports, resources.Scalar(d.Ports) * resources.One}) {
		var sum resources.Scalar
		for _, r := range entries {
			if r.Name() == a.name {
				sum = sum.Plus(size(r))
			}
		}
		if sum < a.want {
			short = append(short, Shortage{a.name, a.want, sum})
		}
	}
	return short
}

func size(r resources.Resource) resources.Scalar {
	if r.Kind() == resources.KindRanges {
		return resources.Scalar(min(r.Ranges().Count(), MaxPorts*1000)) * resources.One
	}
	return r.Scalar()
}

// String says how much there is: "8 cpus".
func (s Shortage) String() string { return phrase(s.Name, s.Have.String()) }
