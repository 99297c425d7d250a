package prompt

import (
	"strings"
	"testing"
)

// shared returns how many words two texts have in common from the first on.
func shared(a, b string) int {
	x, y := strings.Fields(a), strings.Fields(b)
	n := 0
	for n < min(len(x), len(y)) && x[n] == y[n] {
		n++
	}
	return n
}

func TestPromptsAreApartFromTheirFirstTokenAndOfOneLength(t *testing.T) {
	const requests = 750
	var texts [requests]string
	for n := range texts {
		texts[n] = Apart(7, n)
		if words := strings.Fields(texts[n]); len(words) != apartLetters || len(texts[n]) != 2*apartLetters || !strings.HasSuffix(texts[n], " ") {
			t.Fatalf("request %d begins with %q", n, texts[n])
		}
		if texts[n] != Apart(7, n) {
			t.Fatalf("request %d begins in two ways", n)
		}
	}
	for i := range texts {
		for j := range i {
			most, apart := 0, i-j
			for ; apart%alphabet == 0; apart /= alphabet {
				most++
			}
			if n := shared(texts[i], texts[j]); n != most {
				t.Fatalf("requests %d and %d share %d letters, want %d", i, j, n, most)
			}
		}
	}
}

func TestSeedsKeepPromptsApart(t *testing.T) {
	most := 0
	for seed := range uint64(300) {
		for n := range 20 {
			most = max(most, shared(Apart(1<<40, 5), Apart(seed, n)))
		}
	}
	if most > 5 {
		t.Errorf("prompts of two seeds share %d letters of %d", most, apartLetters)
	}
	if a, b := Fresh("Hello"), Fresh("Hello"); a == b || !strings.HasSuffix(a, " Hello") {
		t.Errorf("%q and %q", a, b)
	}
}
