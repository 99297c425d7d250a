package embedded

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWordsAreDistinctAndNeverEmpty(t *testing.T) {
	tokens := tokenizer{20000}
	seen := map[string]int{}
	long, longer := 0, 0
	for id := range tokens.vocab {
		w := tokens.text(id)
		if other, ok := seen[w]; ok {
			t.Fatalf("tokens %d and %d are both %q", other, id, w)
		}
		seen[w] = id
		if len(w) < 4 || w[0] != ' ' || strings.ContainsAny(w[1:], " \"\\") || !utf8.ValidString(w) {
			t.Fatalf("token %d is %q", id, w)
		}
		for _, r := range w {
			switch utf8.RuneLen(r) {
			case 2:
				long++
			case 3:
				longer++
			}
		}
	}
	if long == 0 || longer == 0 {
		t.Errorf("%d characters of two bytes and %d of three", long, longer)
	}
}

func TestPromptsHaveRealisticLengths(t *testing.T) {
	tokens := tokenizer{4509}
	const text = "Compare classical and quantum computing. Explain what a qubit is, and why error correction matters so much for practical machines."
	n := len(tokens.encode(text))
	if perToken := float64(len(text)) / float64(n); perToken < 3.5 || perToken > 5.5 {
		t.Errorf("%d tokens for %d bytes, %.1f bytes a token", n, len(text), perToken)
	}
	if extra := len(tokens.prompt([]message{{"user", content(text)}})) - n; extra != 8 {
		t.Errorf("the template adds %d tokens, want 8", extra)
	}
	for _, id := range tokens.encode(text) {
		if id < firstWord || id >= tokens.vocab {
			t.Fatalf("token %d", id)
		}
	}
}

func TestPiecesAddUpToTheText(t *testing.T) {
	for text, want := range map[string]int{
		"":                       0,
		"word":                   1,
		"two words":              2,
		"internationalisation":   4, // 20 letters in pieces of 6
		"a, b":                   3,
		"   x":                   2, // a space takes the one after it, as it would any other sign
		"\n\n":                   2,
		"größenwahn":             2,
		"日本語":                    2,
		string([]byte{'a', 255}): 2, // not UTF-8
	} {
		n, rest := 0, text
		for rest != "" {
			rest = rest[piece(rest):]
			n++
		}
		if n != want || len((tokenizer{99}).encode(text)) != want {
			t.Errorf("%q has %d pieces, want %d", text, n, want)
		}
	}
}

func TestStopper(t *testing.T) {
	for _, c := range []struct {
		name   string
		stops  []string
		tokens []string
		want   string
		stop   bool
	}{
		{"nothing to stop at", nil, []string{" a", " b"}, " a b", false},
		{"an empty string stops nothing", []string{""}, []string{" a", " b"}, " a b", false},
		{"within one token", []string{"b"}, []string{" a", " xby"}, " a x", true},
		{"across tokens: what was shown stays", []string{"a b"}, []string{" a", " b", " c"}, " a", true},
		{"across three tokens", []string{"a b c"}, []string{" a", " b", " c"}, " a b", true},
		{"the first of two", []string{"z", "y"}, []string{"xyz"}, "x", true},
		{"almost", []string{"abc"}, []string{"ab", "ab", "d"}, "ababd", false},
	} {
		s := newStopper(c.stops)
		var got strings.Builder
		stopped := false
		for _, token := range c.tokens {
			var text string
			text, stopped = s.feed(token)
			got.WriteString(text)
			if stopped {
				break
			}
		}
		if got.String() != c.want || stopped != c.stop {
			t.Errorf("%s: %q, stopped %v; want %q, %v", c.name, got.String(), stopped, c.want, c.stop)
		}
	}
}
