package peers

import (
	"slices"

	"exobench"
)

// vllm is calculate_metrics of vllm/benchmarks/serve.py, over what
// async_request_openai_chat_completions notes of each chunk whose choices are not
// empty: the role-only one, those with output, and the one with the finish
// reason; the trailing usage chunk is left out.
func vllm(c cell) []Measure {
	latency := func(r *exobench.Record) float64 { return millis(r.Sent, r.Done) }
	ttft := func(r *exobench.Record) float64 { return millis(r.Sent, firstChunk(r)) }
	tpot := func(r *exobench.Record) (float64, bool) {
		n, ok := outputTokens(r)
		if !ok || n <= 1 {
			return 0, false
		}
		return (latency(r) - ttft(r)) / (n - 1), true
	}
	var gaps []float64
	for _, r := range c.counted {
		times := chunkTimes(r)
		for i := 1; i < len(times); i++ {
			gaps = append(gaps, millis(times[i-1], times[i]))
		}
	}
	return slices.Concat([]Measure{
		milliseconds("ttft", c.values(certain(ttft)),
			"first chunk with choices − sent, even one that carries a role only",
			"the record's first data event; a keep-alive event without choices before it would count here and not in the tool"),
		milliseconds("tpot", c.values(tpot), "(latency − TTFT) / (output tokens − 1); requests of one token are left out", ""),
		milliseconds("itl", gaps,
			"gaps between consecutive chunks with choices, pooled over all requests; a gap is one token only where a chunk is",
			"chunks that came in one read are 0 apart here, microseconds in the tool; role-only chunks after the first, and a finish chunk in the read of the last output, are not in the record"),
		milliseconds("e2el", c.values(certain(latency)),
			"last chunk with choices − sent; the trailing usage chunk, [DONE] and the close do not count", ""),
	}, vllmRates(c))
}

func vllmRates(c cell) []Measure {
	input, inputs := c.total(promptTokens)
	output, outputs := c.total(outputTokens)
	measures := []Measure{
		count("completed", "requests", len(c.counted), float64(len(c.counted)), "requests that succeeded"),
		count("failed", "requests", len(c.all), float64(len(c.all)-len(c.counted)), "requests that did not"),
		count("total_output_tokens", "tokens", outputs, output, "Σ output tokens"),
	}
	if secs, ok := c.seconds(closed); ok {
		const per = " / duration"
		measures = append(measures,
			count("duration", "s", len(c.all), secs, "first launch → last completion, failed requests included"),
			count("request_throughput", "requests/s", len(c.counted), float64(len(c.counted))/secs, "requests that succeeded"+per),
			count("output_throughput", "tokens/s", outputs, output/secs, "Σ output tokens"+per))
		if inputs == len(c.counted) {
			measures = append(measures, count("total_token_throughput", "tokens/s", inputs, (input+output)/secs, "(Σ prompt tokens + Σ output tokens)"+per))
		}
	}
	peak := count("max_output_tokens_per_s", "chunks/s", len(c.counted), peakChunks(c),
		"most chunks with choices in any of the seconds counted from the first launch")
	peak.Note = "the tool calls it tokens per second, but counts chunks"
	return append(measures, peak)
}

// firstChunk is the first data event, else the first with output.
func firstChunk(r *exobench.Record) exobench.Instant {
	if r.FirstChunk.Reached() {
		return r.FirstChunk
	}
	return r.FirstToken
}

// chunkTimes are the instants of the chunks with choices.
func chunkTimes(r *exobench.Record) []exobench.Instant {
	var times []exobench.Instant
	if len(r.Chunks) == 0 || firstChunk(r) < r.Chunks[0].At {
		times = append(times, firstChunk(r))
	}
	for _, chunk := range r.Chunks {
		times = append(times, chunk.At)
	}
	if r.Done > times[len(times)-1] {
		times = append(times, r.Done)
	}
	return times
}

func peakChunks(c cell) float64 {
	from := slices.MinFunc(c.counted, func(a, b *exobench.Record) int { return int(a.Sent - b.Sent) }).Sent
	buckets := map[int64]int{}
	peak := 0
	for _, r := range c.counted {
		for _, at := range chunkTimes(r) {
			second := int64(at-from) / 1e9
			buckets[second]++
			peak = max(peak, buckets[second])
		}
	}
	return float64(peak)
}

// milliseconds is a measure with the figures of vLLM's result file.
func milliseconds(name string, values []float64, definition, note string) Measure {
	d := distribution{[]string{"mean", "median", "sd", "p99"}, func(stat string) string {
		if stat == "sd" {
			stat = "std"
		}
		return stat + "_" + name + "_ms"
	}}
	return Measure{Name: name, Unit: "ms", Definition: definition, Note: note, N: len(values), Figures: d.linear(values)}
}

// count is a measure of one figure.
func count(name, unit string, n int, value float64, definition string) Measure {
	return Measure{Name: name, Unit: unit, Definition: definition, N: n, Figures: []Figure{{name, value}}}
}

// certain makes a function of a record one whose value is always known.
func certain(of func(*exobench.Record) float64) func(*exobench.Record) (float64, bool) {
	return func(r *exobench.Record) (float64, bool) { return of(r), true }
}
