package exo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// unknownError is about a name that is neither exo's nor the catalogue's.
type unknownError struct {
	name string
	// nearest are the names that exo lists and that look most like it, best
	// first; few, or none.
	nearest []string
}

func (e *unknownError) Error() string { return fmt.Sprintf("exo knows no model %q", e.name) }

// nearest returns the names of at most three cards that a person may have
// meant by name.
func nearest(name string, cards []modelCard) []string {
	type candidate struct {
		name        string
		start, full int
	}
	var candidates []candidate
	for _, card := range cards {
		start, full := distance(strings.ToLower(name), strings.ToLower(card.name))
		if start <= max(2, len(name)/3) {
			candidates = append(candidates, candidate{card.name, start, full})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.full, b.full))
	})
	var names []string
	for _, c := range candidates {
		if len(names) < 3 && !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

// distance returns how many single-letter edits turn typed into the nearest
// start of name, and into all of name. People leave off the end of a model's
// name ("llama-3.2-1b"), which the distance to the whole would punish most.
func distance(typed, name string) (start, full int) {
	row := make([]int, len(name)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(typed); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(name); j++ {
			replace := diagonal
			if typed[i-1] != name[j-1] {
				replace++
			}
			diagonal = row[j]
			row[j] = min(replace, row[j]+1, row[j-1]+1)
		}
	}
	return slices.Min(row), row[len(name)]
}
