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
type exoStats struct {
	server *exobench.ServerStats
}

// comment takes a comment of the stream. One that is not exo's, or holds no JSON,
// is ignored, as any other comment.
func (e *exoStats) comment(s *stream, line []byte, at exobench.Instant) {
	if text, ok := bytes.CutPrefix(line, statsComment); ok {
		s.exo = true
		e.figures(s, bytes.TrimSpace(text))
	} else if text, ok := bytes.CutPrefix(line, prefillComment); ok {
		s.exo = true
		e.prefill(s, bytes.TrimSpace(text), at)
	}
}

// prefill takes how far the prefill is: {"PrefillProgressChunk":{…}}.
func (e *exoStats) prefill(s *stream, text []byte, at exobench.Instant) {
	var news map[string]struct {
		Processed *exobench.Tokens `json:"processed_tokens"`
		Total     *exobench.Tokens `json:"total_tokens"`
	}
	if json.Unmarshal(text, &news) != nil {
		return
	}
	for _, n := range news {
		if n.Processed != nil && n.Total != nil {
			s.prefilled(*n.Processed, *n.Total, at)
		}
	}
}

// prefilled notes that so many tokens of the prompt, of so many in all, were
// processed. The prefill lasts from when none was, until all were.
func (s *stream) prefilled(processed, total exobench.Tokens, at exobench.Instant) {
	r := s.record
	switch {
	case total <= 0 || total > maxCount || r.PrefillEnd.Reached():
	case processed == 0 && !r.PrefillStart.Reached():
		r.PrefillStart = at
	case processed >= total && r.PrefillStart.Reached():
		r.PrefillEnd, r.PrefillTokens = at, new(total)
	}
}

// figures takes the statistics. Forks leave some out and add others; of a draft,
// they say how many tokens it proposed and how many of those were accepted.
func (e *exoStats) figures(s *stream, text []byte) {
	if !json.Valid(text) || text[0] != '{' {
		return
	}
	var c cursor
	c.start(text, true)
	var prefill, decode optional[float64]
	var prompt, output, accepted, proposed optional[exobench.Tokens]
	stats := new(exobench.ServerStats)
	for key := range c.Object {
		switch name := string(key); {
		case name == "prompt_tps":
			c.rate(name, &prefill)
		case name == "generation_tps":
			c.rate(name, &decode)
		case name == "prompt_tokens":
			c.count(name, &prompt)
		case name == "generation_tokens":
			c.count(name, &output)
		case name == "peak_memory_usage":
			stats.PeakMemory = memoryOf(c.raw())
		case name == "prefix_cache_hit":
			stats.PrefixCache = oneLine(c.string(nil))
		case bytes.Contains(key, []byte("accept")):
			c.count(name, &accepted)
		case bytes.Contains(key, []byte("propos")), bytes.Contains(key, []byte("draft")):
			c.count(name, &proposed)
		default:
			c.Skip()
		}
	}
	stats.PrefillTPS, stats.DecodeTPS = prefill.pointer(), decode.pointer()
	stats.PromptTokens, stats.OutputTokens = prompt.pointer(), output.pointer()
	stats.AcceptedTokens, stats.DraftTokens = accepted.pointer(), proposed.pointer()
	s.odd(&c.absurd)
	e.server = stats
}

// memoryOf reads a size in either casing: exo writes snake_case in the comments
// of a stream and camelCase in JSON bodies.
func memoryOf(raw []byte) *exobench.Bytes {
	var m struct {
		Snake *float64 `json:"in_bytes"`
		Camel *float64 `json:"inBytes"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	for _, n := range []*float64{m.Snake, m.Camel} {
		if n != nil && *n >= 0 && *n < maxMemory {
			return new(exobench.Bytes(*n))
		}
	}
	return nil
}

// maxMemory is more than any machine has, in bytes.
const maxMemory = 1 << 50

// settle adds the statistics to the record, if any came.
func (e *exoStats) settle(r *exobench.Record) {
	if e.server != nil {
		r.Server = e.server
	}
}
