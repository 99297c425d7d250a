package embedded

import (
	"hash/fnv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The special tokens of the chat template; the words follow them in the
// vocabulary.
const (
	beginText = iota
	endText   // end of sequence
	beginRole
	endRole
	endTurn
	firstWord
)

// maxPiece is the most bytes of text that one token stands for: English prose
// then has about 4.5 bytes a token, as with the vocabularies of real models.
const maxPiece = 6

// tokenizer maps text to tokens and tokens to text. The two are unrelated: a
// token of a prompt is a hash of its piece of text, and the text of a token is
// a word made from its number. Lengths are realistic, and that is all that
// counts here.
type tokenizer struct {
	vocab int
}

// prompt returns the tokens of a conversation in a template like Llama's, ready
// for the assistant's turn.
func (t tokenizer) prompt(messages []message) []int {
	tokens := []int{beginText}
	for _, m := range messages {
		tokens = append(t.header(tokens, m.Role), t.encode(string(m.Content))...)
		tokens = append(tokens, endTurn)
	}
	return t.header(tokens, "assistant")
}

func (t tokenizer) header(tokens []int, role string) []int {
	return append(tokens, beginRole, t.hash(role), endRole)
}

// encode cuts text into pieces: runs of letters and digits of at most maxPiece
// bytes, and other characters one by one. A space belongs to what follows it.
func (t tokenizer) encode(text string) []int {
	var tokens []int
	for len(text) > 0 {
		n := piece(text)
		tokens = append(tokens, t.hash(text[:n]))
		text = text[n:]
	}
	return tokens
}

// piece returns the length of the first piece of a text that is not empty.
func piece(text string) int {
	n := 0
	if text[0] == ' ' {
		n = 1
	}
	start := n
	for n < len(text) {
		r, size := utf8.DecodeRuneInString(text[n:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			if n == start {
				n += size
			}
			break
		}
		if n > start && n+size-start > maxPiece {
			break
		}
		n += size
	}
	return n
}

func (t tokenizer) hash(piece string) int {
	h := fnv.New32a()
	h.Write([]byte(piece))
	return firstWord + int(h.Sum32()%uint32(t.vocab-firstWord))
}

var (
	consonants = []string{"b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch"}
	vowels     = []string{"a", "e", "i", "o", "u"}
	accented   = []string{"á", "é", "í", "ö", "ü"}
)

// text returns the word of a token: a space, then the token's number in
// syllables. No two tokens have the same word. One in 16 has a character of two
// bytes, and one in 64 another of three.
func (t tokenizer) text(token int) string {
	var b strings.Builder
	b.WriteByte(' ')
	v := vowels
	if token%16 == 7 {
		v = accented
	}
	for n, i := token, 0; i < 2 || n > 0; i++ {
		b.WriteString(consonants[n/len(vowels)%len(consonants)])
		b.WriteString(v[n%len(vowels)])
		n /= len(consonants) * len(vowels)
	}
	if token%64 == 23 {
		b.WriteString("文")
	}
	return b.String()
}
