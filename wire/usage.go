package wire

import (
	"cmp"
	"encoding/json"

	"exobench"
)

// usage is what servers say of the tokens of a request, in OpenAI's shape.
type usage struct {
	PromptTokens        optional[exobench.Tokens] `json:"prompt_tokens"`
	CompletionTokens    optional[exobench.Tokens] `json:"completion_tokens"`
	PromptTokensDetails struct {
		CachedTokens optional[exobench.Tokens] `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// used takes the usage of an event, if it has any; that of the last event holds.
func (s *stream) used(u usage) {
	if u != (usage{}) {
		s.usage = u
	}
}

// settleTokens settles, after the last line, how many tokens there were: as the
// usage says, else as the server's own figures do, else by the events.
func (s *stream) settleTokens() {
	r, u := s.record, s.usage
	r.CachedTokens = cmp.Or(u.PromptTokensDetails.CachedTokens.pointer(), r.CachedTokens)
	server := cmp.Or(r.Server, new(exobench.ServerStats))
	r.PromptTokens = known(u.PromptTokens.pointer(), server.PromptTokens)
	switch events, output := exobench.Tokens(len(r.Chunks)), u.CompletionTokens.pointer(); {
	case positive(output):
		r.OutputTokens, r.TokensFrom = output, exobench.FromUsage
	case positive(server.OutputTokens):
		r.OutputTokens, r.TokensFrom = server.OutputTokens, exobench.FromStats
	case events > 0:
		r.OutputTokens, r.TokensFrom = &events, exobench.FromEvents
	}
}

func positive(n *exobench.Tokens) bool { return n != nil && *n > 0 }

// known returns the first count that is positive, nil where none is.
func known(counts ...*exobench.Tokens) *exobench.Tokens {
	for _, n := range counts {
		if positive(n) {
			return n
		}
	}
	return nil
}

// optional is a figure that an event may lack; null is lacking too. Unlike a
// pointer it needs no memory of its own.
type optional[T any] struct {
	value T
	known bool
}

func some[T any](value T) optional[T] { return optional[T]{value: value, known: true} }

// UnmarshalJSON reads the figure.
func (o *optional[T]) UnmarshalJSON(text []byte) error {
	*o = optional[T]{known: string(text) != "null"}
	return json.Unmarshal(text, &o.value)
}

// pointer returns nil for a figure that is lacking.
func (o optional[T]) pointer() *T {
	if !o.known {
		return nil
	}
	return &o.value
}
