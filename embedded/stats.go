package embedded

import "time"

// stats are the runner's own figures of one completion, by exo's formulas.
type stats struct {
	PromptTPS        float64   `json:"prompt_tps"`
	GenerationTPS    float64   `json:"generation_tps"`
	PromptTokens     int       `json:"prompt_tokens"`
	GenerationTokens int       `json:"generation_tokens"`
	PeakMemoryUsage  peakBytes `json:"peak_memory_usage"`
	PrefixCacheHit   string    `json:"prefix_cache_hit"`
}

// peakBytes is exo's form of a size inside a stream, which is not the one that
// it has elsewhere.
type peakBytes struct {
	InBytes int64 `json:"in_bytes"`
}

type usage struct {
	PromptTokens        int           `json:"prompt_tokens"`
	CompletionTokens    int           `json:"completion_tokens"`
	TotalTokens         int           `json:"total_tokens"`
	PromptTokensDetails promptDetails `json:"prompt_tokens_details"`
}

type promptDetails struct {
	CachedTokens int `json:"cached_tokens"` // always 0: there is no cache
}

// finish sums up a task whose last token has been sampled. The prompt's rate
// leaves one token out, and so does the rate of generation: n tokens span n−1
// steps. peak is in bytes.
func (t *task) finish(reason string, peak int64) *ending {
	n := len(t.prompt)
	return &ending{
		reason: reason,
		stats: stats{
			PromptTPS:        rate(n-1, t.prefillTo.Sub(t.prefillFrom)),
			GenerationTPS:    rate(t.generated-1, t.lastToken.Sub(t.firstToken)),
			PromptTokens:     n,
			GenerationTokens: t.generated,
			PeakMemoryUsage:  peakBytes{peak},
			PrefixCacheHit:   "none",
		},
		usage: usage{PromptTokens: n, CompletionTokens: t.generated, TotalTokens: n + t.generated},
	}
}

// rate returns tokens a second, and 0 where there is no time to divide by, as
// exo does.
func rate(tokens int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(tokens) / d.Seconds()
}
