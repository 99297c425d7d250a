package wire

import (
	"bytes"
	"encoding/json"

	"exobench"
)

// exo speaks OpenAI's dialect and says more in comments: how far the prefill is,
// and, before the end, its own statistics. The JSON follows after a space.
var (
	prefillComment = []byte(": prefill_progress")
	statsComment   = []byte(": generation_stats")
)

// exoStats are exo's statistics of a request.
type exoStats struct{ server *exobench.ServerStats }

// comment takes a comment of the stream. One that holds no statistics, or no
// JSON, is ignored, as any other comment.
func (e *exoStats) comment(line []byte) {
	text, ok := bytes.CutPrefix(line, statsComment)
	if !ok {
		return
	}
	var g generationStats
	if json.Unmarshal(bytes.TrimSpace(text), &g) != nil {
		return
	}
	e.server = &exobench.ServerStats{
		PrefillTPS: g.PromptTPS, DecodeTPS: g.GenerationTPS,
		PromptTokens: g.PromptTokens, OutputTokens: g.GenerationTokens,
		PeakMemory: g.PeakMemory.bytes(), PrefixCache: g.PrefixCacheHit,
	}
}

// settle adds the statistics to the record, if any came.
func (e *exoStats) settle(r *exobench.Record) {
	if e.server != nil {
		r.Server = e.server
	}
}

type generationStats struct {
	PromptTPS        *float64         `json:"prompt_tps"`
	GenerationTPS    *float64         `json:"generation_tps"`
	PromptTokens     *exobench.Tokens `json:"prompt_tokens"`
	GenerationTokens *exobench.Tokens `json:"generation_tokens"`
	PeakMemory       exoMemory        `json:"peak_memory_usage"`
	PrefixCacheHit   string           `json:"prefix_cache_hit"`
}

// exoMemory is a size in either casing: exo writes snake_case in the comments
// of a stream and camelCase in JSON bodies.
type exoMemory struct {
	Snake *exobench.Bytes `json:"in_bytes"`
	Camel *exobench.Bytes `json:"inBytes"`
}

func (m exoMemory) bytes() *exobench.Bytes {
	if m.Snake != nil {
		return m.Snake
	}
	return m.Camel
}
