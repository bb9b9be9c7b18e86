package resources

// Quantity is an amount of something, whoever has or may have it.
type Quantity struct {
	Name   string
	Amount Scalar
}

// Quantities are amounts of several things, each name once: what an offer must
// have at least, or what a role may have at most.
type Quantities []Quantity

// Covers says whether l has at least that much of everything, counting the
// numbers in ranges and the words in sets.
func (l List) Covers(q Quantities) bool {
	for _, want := range q {
		if l.amount(want.Name) < want.Amount {
			return false
		}
	}
	return true
}

// amount is how much of name there is, ranges and sets counted in whole units.
func (l List) amount(name string) Scalar {
	var sum Scalar
	for _, r := range l.items {
		if r.name == name {
			sum = sum.Plus(r.size())
		}
	}
	return sum
}

func (r Resource) size() Scalar {
	switch r.kind {
	case KindScalar:
		return r.scalar
	case KindRanges:
		return Scalar(min(r.Ranges().Count(), uint64(MaxScalar/One))) * One
	}
	return Scalar(r.Set().Len()) * One
}
