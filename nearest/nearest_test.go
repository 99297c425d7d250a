package nearest

import (
	"slices"
	"testing"
)

func TestNamesAreTheLikelyOnesBestFirst(t *testing.T) {
	short := []string{"llama-3.1-8b", "llama-3.2-1b", "mistral-7b", "qwen-1.5-7b", "deepseek-r1-671b", "deepseek-r1"}
	long := []string{"Qwen3-0.6B-4bit", "Llama-3.2-3B-Instruct-4bit", "Llama-3.2-1B-Instruct-4bit", "Llama-3.2-1B-Instruct-4bit"}
	for _, c := range []struct {
		says, typed string
		names, want []string
	}{
		{"a letter is missing", "lama-3.1-8b", short, []string{"llama-3.1-8b", "llama-3.2-1b"}},
		{"the end is missing", "mistral", short, []string{"mistral-7b"}},
		{"of equal starts the shorter name", "deepseek", short, []string{"deepseek-r1", "deepseek-r1-671b"}},
		{"both, case does not count, and each once", "lama-3.2-1b", long, []string{"Llama-3.2-1B-Instruct-4bit", "Llama-3.2-3B-Instruct-4bit"}},
		{"the end of a name", "1.5-7B", short, []string{"qwen-1.5-7b"}},
		{"more than the name", "mlx-community/mistral-7b", short, []string{"mistral-7b"}},
		{"three at most", "model-0", []string{"model-1", "model-2", "model-3", "model-4"}, []string{"model-1", "model-2", "model-3"}},
		{"nothing is close", "completely-different-thing", short, nil},
		{"there are no names", "mistral", nil, nil},
	} {
		if got := Names(c.typed, c.names); !slices.Equal(got, c.want) {
			t.Errorf("%s: nearest to %q are %q, want %q", c.says, c.typed, got, c.want)
		}
	}
}

func TestDistancesAreToTheNearestStartAndToTheWhole(t *testing.T) {
	for _, c := range []struct {
		typed, name string
		start, full int
	}{
		{"", "", 0, 0},
		{"", "abc", 0, 3},
		{"abc", "", 3, 3},
		{"kitten", "sitting", 2, 3},
		{"abc", "abcdef", 0, 3},
		{"flaw", "lawn", 1, 2},
	} {
		if start, full := distances(c.typed, c.name); start != c.start || full != c.full {
			t.Errorf("%q to %q: %d, %d; want %d, %d", c.typed, c.name, start, full, c.start, c.full)
		}
	}
}
