package wire

import (
	"cmp"

	"exobench"
)

// llamaTimings are llama.cpp's statistics of a request, which it adds to events
// of OpenAI's dialect. PromptN leaves out the CacheN tokens that were in its
// cache; PredictedPerSecond leaves out the first token.
type llamaTimings struct {
	CacheN             optional[exobench.Tokens] `json:"cache_n"`
	PromptN            optional[exobench.Tokens] `json:"prompt_n"`
	PromptPerSecond    optional[float64]         `json:"prompt_per_second"`
	PredictedN         optional[exobench.Tokens] `json:"predicted_n"`
	PredictedPerSecond optional[float64]         `json:"predicted_per_second"`
}

// take takes the timings of an event; those of the last event hold. Timings
// without output are the state before the first token.
func (t *llamaTimings) take(of llamaTimings) {
	if of.PredictedN.value != 0 {
		*t = of
	}
}

// settle adds the timings to the record, if any came.
func (t *llamaTimings) settle(r *exobench.Record) {
	if *t == (llamaTimings{}) {
		return
	}
	r.CachedTokens = cmp.Or(r.CachedTokens, new(t.CacheN.value))
	r.Server = &exobench.ServerStats{
		PrefillTPS: t.PromptPerSecond.pointer(), DecodeTPS: t.PredictedPerSecond.pointer(),
		PromptTokens: new(t.PromptN.value + t.CacheN.value), OutputTokens: t.PredictedN.pointer(),
	}
}
