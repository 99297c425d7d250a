package prompt

import "math/rand/v2"

const (
	// apartLetters is how many letters keep a prompt apart; counting is how many
	// of them, from the first, count the requests.
	apartLetters = 10
	counting     = 4
	alphabet     = 26
)

// Apart returns what a prompt begins with so that no cache of earlier prompts
// can serve it: ten letters with spaces between and after, made of a seed and of
// the number of the request.
//
// A letter that stands alone is one token to nearly every tokenizer, where a word
// or a number may be several: so all requests are longer by the same number of
// tokens. The first letters count, the fastest first, so that two requests of one
// seed have no token in common from the first on unless their numbers are a
// multiple of 26 apart, one where they are no multiple of 676 apart, and so on.
// Of two seeds, two prompts have k letters in common by a chance of 1 in 26ᵏ.
func Apart(seed uint64, n int) string {
	offsets := rand.New(rand.NewPCG(seed, 0))
	rest := rand.New(rand.NewPCG(seed, uint64(n)+1))
	text := make([]byte, 0, 2*apartLetters)
	for i := range apartLetters {
		letter := rest.IntN(alphabet)
		if i < counting {
			letter = (offsets.IntN(alphabet) + n) % alphabet
			n /= alphabet
		}
		text = append(text, 'a'+byte(letter), ' ')
	}
	return string(text)
}

// Fresh returns a text that begins as no prompt before, of this run or another,
// for a request that nobody measures. It is not repeatable.
func Fresh(text string) string {
	return Apart(rand.Uint64(), 0) + text
}
