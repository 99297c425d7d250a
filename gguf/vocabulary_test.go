package gguf

import (
	"regexp"
	"strings"
	"testing"

	"exobench/shape"
)

// pieces cuts text about as Llama 3's tokenizer does.
var pieces = regexp.MustCompile(`'(?:s|t|re|ve|m|ll|d)|[^\r\n\pL\pN]?\pL+|\pN{1,3}| ?[^\s\pL\pN]+[\r\n]*|\s*[\r\n]+|\s+`)

const sample = `Large language models answer questions, write stories and explain difficult ideas in simple words.
Renewable energy reduces greenhouse gas emissions, improves public health and creates new jobs. However, the wind
does not always blow, so that storage and better networks are needed. In 2023 about 30% of the world's electricity
came from renewable sources; it wasn't enough. Photosynthesis converts sunlight, water and carbon dioxide into
glucose and oxygen. She walked slowly through the old town, thinking about everything that had happened yesterday.`

func TestEnglishFallsIntoTokensOfAboutFourCharacters(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		size     int
		low, top float64 // characters a token
	}{
		{32768, 3.9, 5.2}, {128256, 3.9, 5.2}, {151936, 3.9, 5.2}, {1000, 1.8, 4},
	} {
		v := newVocabulary(row.size, []string{"<|end|>"})
		var tokens int
		for _, piece := range pieces.FindAllString(sample, -1) {
			tokens += len(v.split(piece))
		}
		if ratio := float64(len(sample)) / float64(tokens); ratio < row.low || ratio > row.top {
			t.Errorf("vocabulary of %d: %.2f characters a token, want %g to %g", row.size, ratio, row.low, row.top)
		}
	}
}

func TestVocabulariesHaveTheAskedSizeAndNoTokenTwice(t *testing.T) {
	t.Parallel()
	special := tokensOf[shape.Llama].special
	for _, size := range []int{minVocab, 1000, 32000, 151936, 262144} {
		v := newVocabulary(size, special)
		if len(v.tokens) != size || len(v.ids) != size {
			t.Errorf("size %d: %d tokens, %d of them different", size, len(v.tokens), len(v.ids))
		}
		for i, text := range special {
			if got := v.ids[text]; got != size-len(special)+i {
				t.Errorf("size %d: %s is token %d, want it at the end", size, text, got)
			}
		}
	}
}

func TestMergesMakeTokensOfOlderOnes(t *testing.T) {
	t.Parallel()
	v := newVocabulary(20000, nil)
	made := map[int]bool{}
	for id := range 256 {
		made[id] = true
	}
	seen := map[[2]int]bool{}
	for rank, pair := range v.merges {
		joined, known := v.ids[v.tokens[pair[0]]+v.tokens[pair[1]]]
		if !known || !made[pair[0]] || !made[pair[1]] || seen[pair] {
			t.Fatalf("merge %d of %q and %q: known %v, made %v and %v, twice %v", rank,
				v.tokens[pair[0]], v.tokens[pair[1]], known, made[pair[0]], made[pair[1]], seen[pair])
		}
		made[joined], seen[pair] = true, true
	}
	if len(made) != len(v.tokens) {
		t.Errorf("%d of %d tokens can be reached", len(made), len(v.tokens))
	}
}

// Later merges must not break words that were learnt before.
func TestWordsStayWholeHoweverMuchIsLearntAfterThem(t *testing.T) {
	t.Parallel()
	v := newVocabulary(128256, nil)
	learnt := 0
	for text := range curriculum() {
		if _, ok := v.ids[text]; !ok {
			break
		}
		learnt++
		if parts := v.split(text); len(parts) != 1 {
			t.Errorf("%q falls into %d tokens", text, len(parts))
		}
	}
	if learnt < 50000 {
		t.Errorf("only %d texts were learnt", learnt)
	}
}

func TestTokensAddUpToTheText(t *testing.T) {
	t.Parallel()
	v := newVocabulary(5000, nil)
	for _, text := range []string{"", "a", "Grüße, 世界 \x00\xff\xfe", strings.Repeat("an", 50), sample} {
		var back strings.Builder
		for _, id := range v.split(text) {
			back.WriteString(v.tokens[id])
		}
		if back.String() != text {
			t.Errorf("%q comes back as %q", text, back.String())
		}
	}
}

func TestBytesStandForDifferentRunes(t *testing.T) {
	t.Parallel()
	runes := map[rune]byte{}
	for b, r := range byteRunes() {
		runes[r] = b
	}
	// The first three are GPT-2's for space, newline and the soft hyphen.
	for r, b := range map[rune]byte{'Ġ': ' ', 'Ċ': '\n', 'Ń': 0xad, 'a': 'a', '÷': 0xf7} {
		if runes[r] != b {
			t.Errorf("%c stands for byte %#x, want %#x", r, runes[r], b)
		}
	}
	if len(runes) != 256 {
		t.Errorf("%d runes, want 256", len(runes))
	}
}

func BenchmarkVocabulary(b *testing.B) {
	for b.Loop() {
		newVocabulary(128256, tokensOf[shape.Llama].special)
	}
}
