package catalogue

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest returns the names of the list that look most like the one given, best
// first, at most three; none if nothing is close.
func Nearest(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	want := strings.ToLower(name)
	for _, have := range names {
		low := strings.ToLower(have)
		d := distance(want, low)
		if strings.Contains(low, want) || strings.Contains(want, low) {
			d = min(d, 2)
		}
		if d <= max(2, len(want)/2) {
			near = append(near, candidate{have, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, c := range near[:min(3, len(near))] {
		out = append(out, c.name)
	}
	return out
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
