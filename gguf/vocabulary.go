package gguf

import (
	_ "embed"
	"iter"
	"strings"
)

// vocabulary is a byte-level BPE tokenizer: how text falls into tokens.
//
// Tokens are the 256 bytes, what merges make of them, and at the end the
// special ones. Merges come from teaching it words one by one: what a word
// falls into so far is merged from the left until it is one token. A new merge
// ranks after all older ones, so words learnt before stay whole: while their
// merges apply, no newer one does.
type vocabulary struct {
	tokens []string // as bytes; ids are indices
	merges [][2]int // of ids, in the order of rank
	ids    map[string]int
	made   map[uint64]merged // by pair
	normal int               // tokens that are not special
}

// pair returns the key of two tokens that stand side by side: one number, which
// a map finds faster than two.
func pair(left, right int) uint64 { return uint64(left)<<32 | uint64(right) }

// merged is what a pair of tokens becomes.
type merged struct{ rank, id int }

// words are common English words, commonest first, and after them those of
// documentation and programs.
//
//go:embed words.txt
var words string

const (
	groups = "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le " +
		"ve co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ing ion ent tion ation ment ness " +
		"able ity ous ive ful less est ers ly con pro com per pre ter ver ate ist ism ure age ance ence"
	// suffixes make further words of those listed.
	suffixes     = "s ed ing ly er es d ers al ion y ness ity ment able ive ation ful ism ist ize ized less ic en or ous est ings ally"
	contractions = "'s 't 're 've 'm 'll 'd"
)

var punctuation = []string{
	"\n\n", "  ", "    ", "        ", "   ", ".\n", ".\n\n", ":\n", ":\n\n", ",\n", "...", " (", "),", ").", " \"", ".\"", ",\"", "?\"",
	" -", " --", "--", " =", " ==", "==", "()", "();", " {", " {\n", "}\n", "//", " //", "**", " **", "##", "###", " +", " *", " &",
	" <", " >", "</", "://", "::", "->", " ->", "=>", "’", "‘", "“", "”", " “", "–", " –", "—", " —", "…", "é", "è", "à", "ü", "ö", "ä", "ç", "ñ",
}

// newVocabulary returns one of size tokens, the special ones included.
func newVocabulary(size int, special []string) *vocabulary {
	v := &vocabulary{
		tokens: make([]string, 0, size), merges: make([][2]int, 0, size),
		ids: make(map[string]int, size), made: make(map[uint64]merged, size), normal: size - len(special),
	}
	for b := range byteRunes() {
		v.add(string([]byte{b}))
	}
	for text := range curriculum() {
		if len(v.tokens) == v.normal {
			break
		}
		v.teach(text)
	}
	for _, text := range special {
		v.add(text)
	}
	return v
}

func (v *vocabulary) add(text string) int {
	v.tokens = append(v.tokens, text)
	v.ids[text] = len(v.tokens) - 1
	return len(v.tokens) - 1
}

// teach makes the text one token, as far as there is room. What it falls into is
// worked out once: a new merge ranks last, so all that was merged before it still
// is, and it is the next.
func (v *vocabulary) teach(text string) {
	for parts := v.split(text); len(parts) > 1; parts = v.merge(parts) {
		joined := v.tokens[parts[0]] + v.tokens[parts[1]]
		id, known := v.ids[joined]
		if !known {
			if len(v.tokens) == v.normal {
				return
			}
			id = v.add(joined)
		}
		v.made[pair(parts[0], parts[1])] = merged{rank: len(v.merges), id: id}
		v.merges = append(v.merges, [2]int(parts[:2]))
	}
}

// split returns the tokens of a text that is one word to the tokenizer.
func (v *vocabulary) split(text string) []int {
	parts := make([]int, len(text))
	for i := range len(text) {
		parts[i] = v.ids[text[i:i+1]]
	}
	return v.merge(parts)
}

// merge joins tokens where it can: the merge of lowest rank is applied, of two
// the left one, until none applies. It uses the parts' own memory.
func (v *vocabulary) merge(parts []int) []int {
	for {
		at, first := -1, merged{rank: len(v.merges)}
		for i := range len(parts) - 1 {
			if m, ok := v.made[pair(parts[i], parts[i+1])]; ok && m.rank < first.rank {
				at, first = i, m
			}
		}
		if at < 0 {
			return parts
		}
		parts[at] = first.id
		parts = append(parts[:at+1], parts[at+2:]...)
	}
}

// curriculum returns the texts to learn, the most useful first. It ends only
// after millions, so that any vocabulary fills up.
func curriculum() iter.Seq[string] {
	var list []string
	for _, word := range strings.Fields(words) {
		stem, _, _ := strings.Cut(word, "'") // the tokenizer cuts there first
		list = append(list, stem)
	}
	plain := func(text string) string { return text }
	spaced := func(text string) string { return " " + text }
	return func(yield func(string) bool) {
		each := func(texts []string, form func(string) string) bool {
			for _, text := range texts {
				if !yield(form(text)) {
					return false
				}
			}
			return true
		}
		more := each(strings.Fields(groups), plain) && each(letters(), plain) &&
			each(strings.Fields(contractions), plain) && each(list, spaced) &&
			each(punctuation, plain) && each(numbers(), plain) &&
			each(list, func(word string) string { return spaced(capital(word)) }) &&
			each(list, capital) && each(list, plain)
		for _, suffix := range append(strings.Fields(suffixes), list...) {
			more = more && each(list, func(word string) string { return spaced(word + suffix) })
		}
	}
}

func letters() []string {
	var list []string
	for c := 'a'; c <= 'z'; c++ {
		list = append(list, " "+string(c), " "+strings.ToUpper(string(c)))
	}
	return list
}

// numbers are all of two and three digits: longer ones the tokenizer cuts up.
func numbers() []string {
	var list []string
	for n := range 1100 {
		if n < 100 {
			list = append(list, string([]byte{'0' + byte(n/10), '0' + byte(n%10)}))
			continue
		}
		n -= 100
		list = append(list, string([]byte{'0' + byte(n/100), '0' + byte(n/10%10), '0' + byte(n%10)}))
	}
	return list
}

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// byteRunes returns the 256 bytes with the runes that stand for them in a file:
// first those that are visible characters in Latin-1, as themselves, then the
// others as the runes from 256 on. GPT-2 brought this in.
func byteRunes() iter.Seq2[byte, rune] {
	return func(yield func(byte, rune) bool) {
		visible := func(b int) bool { return b >= '!' && b <= '~' || b >= 0xa1 && b != 0xad }
		for b := range 256 {
			if visible(b) && !yield(byte(b), rune(b)) {
				return
			}
		}
		hidden := rune(256)
		for b := range 256 {
			if !visible(b) {
				if !yield(byte(b), hidden) {
					return
				}
				hidden++
			}
		}
	}
}
