package summary

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"exobench"
)

func TestTheEnginesOfAModelStandSideBySide(t *testing.T) {
	h := header()
	h.Plan.Models = []string{"one", "two", "three"}
	h.Engines = append(h.Engines, exobench.Engine{Name: "ollama", Models: []exobench.Model{{Name: "two"}, {Name: "four"}}})
	// "four" follows "two" since ollama says so; "three" has no ollama.
	want := []Subject{{"exo", "one"}, {"exo", "two"}, {"ollama", "two"}, {"ollama", "four"}, {"exo", "three"}}
	if got := build(t, h).Subjects(); !slices.Equal(got, want) {
		t.Errorf("subjects %v, want %v", got, want)
	}
}

func TestModelsAreMergedInThePlansOrder(t *testing.T) {
	models := func(names ...string) (all []exobench.Model) {
		for _, name := range names {
			all = append(all, exobench.Model{Name: name})
		}
		return all
	}
	for _, row := range []struct {
		why     string
		plan    []string
		engines [][]exobench.Model
		want    string
	}{
		{"the plan decides", []string{"a", "b"}, [][]exobench.Model{models("a"), models("b", "a")}, "[a b]"},
		{"engines lack models", []string{"a", "b", "c"}, [][]exobench.Model{models("b"), models("a", "c")}, "[a b c]"},
		{"a model has another name than was asked for", []string{"A", "b"}, [][]exobench.Model{models("a", "b")}, "[a A b]"},
		{"no engine was asked", []string{"b", "a"}, nil, "[b a]"},
	} {
		h := exobench.Header{Plan: exobench.Plan{Models: row.plan}}
		for _, m := range row.engines {
			h.Engines = append(h.Engines, exobench.Engine{Models: m})
		}
		ranks := newOrder(&h).models
		byRank := func(a, b string) int { return ranks[a] - ranks[b] }
		if got := fmt.Sprint(slices.SortedFunc(maps.Keys(ranks), byRank)); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}
