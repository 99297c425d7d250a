package embedded

import "time"

// stats are the runner's own figures of one completion, by exo's formulas. In JSON bodies exo writes the size in camelCase, in
// the stream's comment in snake_case.
type stats struct {
	PromptTPS        float64 `json:"prompt_tps"`
	GenerationTPS    float64 `json:"generation_tps"`
	PromptTokens     int     `json:"prompt_tokens"`
	GenerationTokens int     `json:"generation_tokens"`
	PeakMemoryUsage  memory  `json:"peak_memory_usage"`
	PrefixCacheHit   string  `json:"prefix_cache_hit"`
}

type usage struct {
	PromptTokens            int               `json:"prompt_tokens"`
	CompletionTokens        int               `json:"completion_tokens"`
	TotalTokens             int               `json:"total_tokens"`
	PromptTokensDetails     promptDetails     `json:"prompt_tokens_details"`
	CompletionTokensDetails completionDetails `json:"completion_tokens_details"`
}

type promptDetails struct {
	CachedTokens int `json:"cached_tokens"`
	AudioTokens  int `json:"audio_tokens"`
}

type completionDetails struct {
	ReasoningTokens          int `json:"reasoning_tokens"`
	AudioTokens              int `json:"audio_tokens"`
	AcceptedPredictionTokens int `json:"accepted_prediction_tokens"`
	RejectedPredictionTokens int `json:"rejected_prediction_tokens"`
}

// finish sums up a task whose last token has been sampled. The prompt's rate leaves one token out, and so does the rate of
// generation: n tokens span n−1 steps.
func (t *task) finish(reason string, peak int64) *ending {
	n := len(t.prompt)
	return &ending{
		reason: reason,
		stats: stats{
			PromptTPS:        rate(n-1, t.prefillTo.Sub(t.prefillFrom)),
			GenerationTPS:    rate(t.generated-1, t.lastToken.Sub(t.firstToken)),
			PromptTokens:     n,
			GenerationTokens: t.generated,
			PeakMemoryUsage:  memory{peak},
			PrefixCacheHit:   "none",
		},
		usage: usage{PromptTokens: n, CompletionTokens: t.generated, TotalTokens: n + t.generated},
	}
}

// rate gives tokens a second, and 0 where there is no time to divide by, as exo does.
func rate(tokens int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(tokens) / d.Seconds()
}

// power is what exo reports on a machine without a power sensor: no nodes, and zeros that are no measurement.
type power struct {
	ElapsedSeconds         float64 `json:"elapsed_seconds"`
	Nodes                  []any   `json:"nodes"`
	TotalAvgSysPowerWatts  float64 `json:"total_avg_sys_power_watts"`
	TotalEnergyJoules      float64 `json:"total_energy_joules"`
	PrefillSeconds         float64 `json:"prefill_seconds"`
	GenerationSeconds      float64 `json:"generation_seconds"`
	PrefillEnergyJoules    float64 `json:"prefill_energy_joules"`
	GenerationEnergyJoules float64 `json:"generation_energy_joules"`
	PrefillAvgSysPower     float64 `json:"prefill_avg_sys_power_watts"`
	GenerationAvgSysPower  float64 `json:"generation_avg_sys_power_watts"`
}

// unmeasured splits a request's time at its first token, queueing included, as exo's sampler does.
func unmeasured(prefill, total time.Duration) power {
	return power{
		ElapsedSeconds:    total.Seconds(),
		Nodes:             []any{},
		PrefillSeconds:    prefill.Seconds(),
		GenerationSeconds: (total - prefill).Seconds(),
	}
}
