package wire

import (
	"cmp"

	"exobench"
)

// usage is what servers say of the tokens of a request: in OpenAI's shape, or
// with the names that others have for the same.
type usage struct {
	prompt, output, total, cached, reasoning optional[exobench.Tokens]
	// accepted and rejected are the tokens of a draft.
	accepted, rejected optional[exobench.Tokens]
	// prefillRate and decodeRate are in tokens per second.
	prefillRate, decodeRate optional[float64]
}

// allUsage reads a usage object.
func (e *event) allUsage() {
	if !e.Next('{') {
		e.Skip()
		return
	}
	e.chat = true
	u := &e.usage
	for key := range e.Object {
		switch string(key) {
		case "prompt_tokens", "input_tokens":
			e.count("prompt_tokens", &u.prompt)
		case "completion_tokens", "output_tokens":
			e.count("completion_tokens", &u.output)
		case "total_tokens":
			e.count("total_tokens", &u.total)
		case "prompt_tokens_details", "input_tokens_details":
			e.promptDetails()
		case "completion_tokens_details", "output_tokens_details":
			e.outputDetails()
		case "prompt_cache_hit_tokens":
			e.count("prompt_cache_hit_tokens", &u.cached)
		case "reasoning_tokens":
			e.count("reasoning_tokens", &u.reasoning)
		case "prompt_tps":
			e.rate("prompt_tps", &u.prefillRate)
		case "generation_tps":
			e.rate("generation_tps", &u.decodeRate)
		default:
			e.Skip()
		}
	}
}

func (e *event) promptDetails() {
	if !e.Next('{') {
		e.Skip()
		return
	}
	for key := range e.Object {
		if string(key) == "cached_tokens" {
			e.count("cached_tokens", &e.usage.cached)
		} else {
			e.Skip()
		}
	}
}

func (e *event) outputDetails() {
	if !e.Next('{') {
		e.Skip()
		return
	}
	for key := range e.Object {
		switch string(key) {
		case "reasoning_tokens":
			e.count("reasoning_tokens", &e.usage.reasoning)
		case "accepted_prediction_tokens":
			e.count("accepted_prediction_tokens", &e.usage.accepted)
		case "rejected_prediction_tokens":
			e.count("rejected_prediction_tokens", &e.usage.rejected)
		default:
			e.Skip()
		}
	}
}

// used takes the usage of an event, member by member. The last that is not zero
// holds: servers send zeros, and nothing, after the figures.
func (s *stream) used(u *usage) {
	if *u == (usage{}) {
		return
	}
	s.counted = true
	to := &s.usage
	to.prompt.merge(u.prompt)
	to.output.merge(u.output)
	to.total.merge(u.total)
	to.cached.merge(u.cached)
	to.reasoning.merge(u.reasoning)
	to.accepted.merge(u.accepted)
	to.rejected.merge(u.rejected)
	to.prefillRate.merge(u.prefillRate)
	to.decodeRate.merge(u.decodeRate)
}

// settleTokens settles, after the last line, how many tokens there were: as the
// usage says, else as the server's own figures do, else by the events.
func (s *stream) settleTokens() {
	r, u := s.record, &s.usage
	s.settleRates()
	u.complete()
	server := cmp.Or(r.Server, new(exobench.ServerStats))
	r.PromptTokens = known(u.prompt.pointer(), server.PromptTokens)
	if r.PromptTokens != nil && s.undercounted(*r.PromptTokens) {
		s.absurd("prompt_tokens", *r.PromptTokens)
		r.PromptTokens = nil
	}
	s.settleCached()
	output, from := u.output.pointer(), exobench.FromUsage
	if !positive(output) {
		output, from = server.OutputTokens, exobench.FromStats
	}
	if positive(output) && s.overcounted(*output) {
		s.absurd("completion_tokens", *output)
		output = nil
	}
	switch events := exobench.Tokens(len(r.Chunks)); {
	case positive(output):
		r.OutputTokens, r.TokensFrom = new(*output), from
	case events > 0:
		r.OutputTokens, r.TokensFrom = &events, exobench.FromEvents
	}
	s.settleReasoning()
}

// complete works out what the totals tell. Some servers leave the reasoning out
// of the completion, and in the total or beside it.
func (u *usage) complete() {
	prompt, output, total, reasoning := u.prompt, u.output, u.total, u.reasoning
	switch {
	case output.known && reasoning.value > 0 &&
		(total.known && prompt.known && total.value == prompt.value+output.value+reasoning.value ||
			reasoning.value > output.value):
		u.output = some(output.value + reasoning.value)
	case !output.known && total.known && prompt.known && total.value > prompt.value:
		u.output = some(total.value - prompt.value)
	case !prompt.known && total.known && output.known && total.value > output.value:
		u.prompt = some(total.value - output.value)
	}
}

// settleRates adds what the usage says of rates and drafts to the server's own
// figures.
func (s *stream) settleRates() {
	r, u := s.record, &s.usage
	drafted := u.accepted.value + u.rejected.value
	if !u.prefillRate.known && !u.decodeRate.known && drafted == 0 {
		return
	}
	stats := cmp.Or(r.Server, new(exobench.ServerStats))
	r.Server = stats
	stats.PrefillTPS = cmp.Or(stats.PrefillTPS, u.prefillRate.pointer())
	stats.DecodeTPS = cmp.Or(stats.DecodeTPS, u.decodeRate.pointer())
	if drafted > 0 {
		stats.DraftTokens = cmp.Or(stats.DraftTokens, new(drafted))
		stats.AcceptedTokens = cmp.Or(stats.AcceptedTokens, new(u.accepted.value))
	}
}

// settleCached takes how much of the prompt was cached: of the usage, else of
// the server's own figures, which their dialect has put into the record.
func (s *stream) settleCached() {
	r := s.record
	r.CachedTokens = cmp.Or(s.usage.cached.pointer(), r.CachedTokens)
	if r.CachedTokens != nil && r.PromptTokens != nil && *r.CachedTokens > *r.PromptTokens {
		s.absurd("cached_tokens", *r.CachedTokens)
		r.CachedTokens = nil
	}
}

// Tokens are too many to be true where they are over twice what was asked for
// and over 4 for each byte of text; where nothing says what was asked for, over
// 10 for each byte. An answer may hold tokens without text, such as those after
// an end of sequence that is ignored, but no more than were asked for.
const (
	bytesTokens        = 4
	bytesTokensUnasked = 10
	spareTokens        = 16
	spareTokensUnasked = 1000
)

// overcounted reports whether so many tokens cannot be. Reasoning that was not
// streamed is no part of it: it may be longer than what was asked for.
func (s *stream) overcounted(tokens exobench.Tokens) bool {
	if s.thoughts == 0 && s.usage.reasoning.value < tokens {
		tokens -= s.usage.reasoning.value
	}
	text := exobench.Tokens(s.bytes)
	if tokens <= bytesTokens*text+spareTokens {
		return false
	}
	if asked := s.asked.tokens(); asked > 0 {
		return tokens > 2*asked+spareTokens
	}
	return tokens > bytesTokensUnasked*text+spareTokensUnasked
}

// bytesPromptToken is more than the tokens of a prompt hold on average. Some servers
// leave out of their count what came from a cache, and say 1.
const bytesPromptToken = 32

// undercounted reports whether a prompt of so few tokens cannot be the one that was
// sent.
func (s *stream) undercounted(tokens exobench.Tokens) bool {
	return exobench.Tokens(s.asked.promptBytes()) > bytesPromptToken*tokens
}

// settleReasoning settles how many tokens were reasoning, and how many of them
// were not streamed.
func (s *stream) settleReasoning() {
	r := s.record
	if r.OutputTokens == nil {
		return
	}
	output, events, said := *r.OutputTokens, exobench.Tokens(len(r.Chunks)), s.usage.reasoning
	switch {
	case said.known && said.value <= output:
		r.ReasoningTokens = new(said.value)
	case output == events && s.thoughts > 0:
		r.ReasoningTokens = new(exobench.Tokens(s.thoughts))
	}
	if s.thoughts == 0 && 0 < said.value && said.value < output && s.hid(output-said.value, output) {
		r.HiddenTokens = new(said.value)
		d := s.doubt(exobench.HiddenReasoning)
		d.Said, d.Seen = int64(said.value), int64(output-said.value)
	}
}

// hid reports whether what was streamed is the answer alone and not all output,
// by the number of events, else by the length of the text. Reasoning may be
// streamed as content, between tags.
func (s *stream) hid(answer, output exobench.Tokens) bool {
	events := exobench.Tokens(len(s.record.Chunks))
	if events == 0 || events > answer {
		return false
	}
	return 10*events >= 9*answer || exobench.Tokens(s.bytes) < 2*output
}

// doubtUsage doubts the count of tokens where it is far from that of the events,
// and neither the length of the text nor drafts explain it: events that hold
// several tokens each hold the text of several.
func (s *stream) doubtUsage() {
	r := s.record
	if r.OutputTokens == nil || r.TokensFrom == exobench.FromEvents || s.unstreamed {
		return
	}
	tokens, events := *r.OutputTokens, exobench.Tokens(len(r.Chunks))
	if r.HiddenTokens != nil {
		tokens -= *r.HiddenTokens
	}
	drafted := r.Server != nil && positive(r.Server.DraftTokens)
	many := 2*tokens >= 3*events+2 && exobench.Tokens(s.bytes) < 2*tokens && !drafted
	few := 10*tokens+10 < 9*events
	if events > 0 && (many || few) {
		d := s.doubt(exobench.UsageMisfit)
		d.Said, d.Seen = int64(tokens), int64(events)
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

// optional is a figure that an event may lack. Unlike a pointer it needs no
// memory of its own.
type optional[T exobench.Tokens | float64] struct {
	value T
	known bool
}

func some[T exobench.Tokens | float64](value T) optional[T] {
	return optional[T]{value: value, known: true}
}

// merge takes a later figure, unless it is zero and there is one.
func (o *optional[T]) merge(later optional[T]) {
	if later.known && (later.value != 0 || !o.known) {
		*o = later
	}
}

// pointer returns nil for a figure that is lacking.
func (o optional[T]) pointer() *T {
	if !o.known {
		return nil
	}
	return &o.value
}
