package wire

import (
	"encoding/json"

	"exobench"
)

// llamaTimings are llama.cpp's statistics of a request, which it adds to events
// of OpenAI's dialect. promptN leaves out the cacheN tokens that were in its
// cache; older versions do not say how many these were. predictedRate leaves out
// the first token.
type llamaTimings struct {
	cacheN, promptN, predictedN optional[exobench.Tokens]
	draftN, draftAccepted       optional[exobench.Tokens]
	promptRate, predictedRate   optional[float64]
}

// llamaTimings reads the timings of an event.
func (e *event) llamaTimings() {
	if !e.Next('{') {
		e.Skip()
		return
	}
	e.chat = true
	t := &e.timings
	for key := range e.Object {
		switch string(key) {
		case "cache_n":
			e.count("cache_n", &t.cacheN)
		case "prompt_n":
			e.count("prompt_n", &t.promptN)
		case "prompt_per_second":
			e.rate("prompt_per_second", &t.promptRate)
		case "predicted_n":
			e.count("predicted_n", &t.predictedN)
		case "predicted_per_second":
			e.rate("predicted_per_second", &t.predictedRate)
		case "draft_n":
			e.count("draft_n", &t.draftN)
		case "draft_n_accepted":
			e.count("draft_n_accepted", &t.draftAccepted)
		default:
			e.Skip()
		}
	}
}

// take takes the timings of an event; those of the last event hold. Timings
// without output are the state before the first token.
func (t *llamaTimings) take(of *llamaTimings) {
	if of.predictedN.value != 0 {
		*t = *of
	}
}

// settle adds the timings to the record, if any came. Where the timings do not
// say how much was cached, it is what the prompt has and was not processed, if
// somebody else says how long the prompt is; else it is unknown.
func (t *llamaTimings) settle(s *stream) {
	if *t == (llamaTimings{}) {
		return
	}
	prompt, cached := s.usage.prompt, t.cacheN
	switch {
	case t.promptN.known && cached.known:
		prompt = some(t.promptN.value + cached.value)
	case t.promptN.known && prompt.value >= t.promptN.value && prompt.value > 0:
		cached = some(prompt.value - t.promptN.value)
	}
	s.record.CachedTokens = cached.pointer()
	s.record.Server = &exobench.ServerStats{
		PrefillTPS: t.promptRate.pointer(), DecodeTPS: t.predictedRate.pointer(),
		PromptTokens: prompt.pointer(), OutputTokens: t.predictedN.pointer(),
		DraftTokens: t.draftN.pointer(), AcceptedTokens: t.draftAccepted.pointer(),
	}
}

// llamaProgress takes how far the prefill is, which llama.cpp says in events of
// its own where it is asked to. The tokens that were cached count as processed.
func (s *stream) llamaProgress(raw []byte, at exobench.Instant) {
	var news struct{ Total, Cache, Processed exobench.Tokens }
	if json.Unmarshal(raw, &news) == nil {
		s.prefilled(news.Processed-news.Cache, news.Total-news.Cache, at)
	}
}
