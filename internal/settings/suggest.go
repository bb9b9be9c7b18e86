package settings

import (
	"slices"

	"github.com/spf13/pflag"
)

// names are those of all flags, those that are hidden included: a slip in "--qourum" is one too.
func names(flags *pflag.FlagSet) []string {
	var all []string
	flags.VisitAll(func(f *pflag.Flag) { all = append(all, f.Name) })
	return all
}

// suggestion ends the sentence on a name that does not exist.
func suggestion(prefix, name string, known []string, command string) string {
	if near := nearest(underscored(name), underscoredAll(known)); near != "" {
		return "; did you mean " + prefix + near + "?"
	}
	return "; " + command + " --help lists them all"
}

func underscoredAll(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = underscored(n)
	}
	return all
}

// nearest is the name that was probably meant: a slip in every third letter at the most. "" if there is none.
func nearest(name string, known []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters have to be changed, added, left out, or swapped with their neighbour, to
// make one name of the other.
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
