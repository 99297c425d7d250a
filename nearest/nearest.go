// Package nearest finds the names that a mistyped one may have been meant as. It
// knows nothing of what the names stand for.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

const (
	// most is how many names are returned at most.
	most = 3
	// inside is what it counts that one of two names holds the other, in edits.
	inside = 2
)

// Names returns those of the names that look most like what was typed, best
// first, at most three and each once; none where nothing is close. Case does not
// count.
func Names(typed string, names []string) []string {
	type candidate struct {
		name        string
		start, full int
	}
	var near []candidate
	want := strings.ToLower(typed)
	for _, name := range names {
		have := strings.ToLower(name)
		start, full := distances(want, have)
		if strings.Contains(have, want) || strings.Contains(want, have) {
			start = min(start, inside)
		}
		if start <= max(2, len(want)/3) {
			near = append(near, candidate{name, start, full})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.full, b.full))
	})
	var best []string
	for _, c := range near {
		if len(best) < most && !slices.Contains(best, c.name) {
			best = append(best, c.name)
		}
	}
	return best
}

// distances returns how many edits of one byte (Levenshtein, 1965) turn what was
// typed into the nearest start of the name, and into all of it. People leave off
// the end of a model's name ("llama-3.2-1b"), which the distance to the whole
// would punish most.
func distances(typed, name string) (start, full int) {
	row := make([]int, len(name)+1) // from what was typed so far to each start
	for j := range row {
		row[j] = j
	}
	for i := range len(typed) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(name) {
			replace := diagonal
			if typed[i] != name[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return slices.Min(row), row[len(name)]
}
