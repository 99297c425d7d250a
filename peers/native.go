package peers

import (
	"fmt"
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// llamaBench is avg_ts and stdev_ts of llama-bench: the mean and the sample
// standard deviation of the rates of single repetitions, 1e9 · n / t_ns.
func llamaBench(c cell) []Measure {
	return []Measure{
		repetitions(c, "pp", server(metric.ServerPrefill), clientPrefill,
			"prompt tokens / time to process them",
			"the client's: uncached prompt tokens / TTFT, which also holds network, queue, tokenisation and the first token's sampling"),
		repetitions(c, "tg", server(metric.ServerDecode), clientDecode,
			"generated tokens / time to generate them",
			"the client's: (output tokens − 1) / (last token − first token), which also holds sampling and detokenisation"),
	}
}

// server returns the server's own figure of a name; where it tells 0, it tells
// nothing.
func server(name string) func(*exobench.Record) (float64, bool) {
	m, _ := metric.ByName(name)
	return func(r *exobench.Record) (float64, bool) {
		v, ok := m.Value(r)
		return v, ok && m.Possible(v)
	}
}

// repetitions takes the server's rates if every request has one, else the
// client's: the two are never mixed.
func repetitions(c cell, name string, server, client func(*exobench.Record) (float64, bool), definition, clients string) Measure {
	values, note := c.values(server), "the server's own figures"
	if len(values) < len(c.counted) {
		values, note = c.values(client), clients
	}
	m := Measure{Name: name, Unit: "tokens/s", Definition: definition + " of each repetition", Note: note, N: len(values)}
	sample := stat.NewSample(values)
	if mean, ok := sample.Mean(); ok {
		m.Figures = append(m.Figures, Figure{name + ".avg_ts", mean})
	}
	if sd, ok := sample.SD(); ok {
		m.Figures = append(m.Figures, Figure{name + ".stdev_ts", sd})
	}
	return m
}

func clientPrefill(r *exobench.Record) (float64, bool) {
	n, ok := promptTokens(r)
	if r.CachedTokens != nil {
		n -= float64(*r.CachedTokens)
	}
	secs := r.FirstToken.Sub(r.Sent).Seconds()
	return n / secs, ok && n > 0 && secs > 0
}

func clientDecode(r *exobench.Record) (float64, bool) {
	n, ok := outputTokens(r)
	secs := r.LastToken.Sub(r.FirstToken).Seconds()
	return (n - 1) / secs, ok && n > 1 && secs > 0
}

// exoBench is run_one_completion and the summary of exo's bench/exo_bench.py
// (lines 311 to 346 and 834 to 854).
func exoBench(c cell) []Measure {
	prompt, promptNote := exoRates(c, server(metric.ServerPrefill), exoPrefill, "the tool's fallback: prompt tokens / time to the first content")
	decode, decodeNote := exoRates(c, server(metric.ServerDecode), exoDecode, "the tool's fallback: (content chunks − 1) / (elapsed − time to the first content), as if a chunk were a token")
	elapsed := c.values(certain(func(r *exobench.Record) float64 { return closed(r).Sub(r.Sent).Seconds() }))
	measures := []Measure{
		mean("prompt_tps", "tokens/s", prompt, "mean of the server's prompt_tps: prompt tokens / prefill time", promptNote),
		mean("generation_tps", "tokens/s", decode, "mean of the server's generation_tps: (n − 1) / (last token − first token) at the server",
			join(decodeNote, "the tool keeps it for each request and prints no mean of it")),
		mean("elapsed_s", "s", elapsed, "client's time from the request until its answer was read",
			"above a concurrency of 1 the tool counts from the start of the batch"),
		mean("gen_tokens", "tokens", c.values(outputTokens), "mean of the output tokens", ""),
	}
	if streams := c.traffic.Concurrency; len(decode) > 0 && streams > 0 {
		upper := count("gen_tps", "tokens/s", len(decode), slices.Max(decode)*float64(streams), fmt.Sprintf("max(generation_tps) × concurrency (%d)", streams))
		upper.Note = "an UPPER BOUND, not a throughput: every stream is taken to be as fast as the fastest, and all to overlap; see the next figure"
		measures = append(measures, upper)
	}
	if secs, ok := c.seconds(closed); ok {
		if output, n := c.total(outputTokens); n > 0 {
			wall := count("sum_tokens_per_wall", "tokens/s", n, output/secs, "Σ output tokens / time from the first request sent to the last one ended")
			wall.Note = "not a figure of the tool: what was really delivered, prefill and pauses included"
			measures = append(measures, wall)
		}
	}
	return measures
}

// exoRates takes the server's rates where there are statistics of the server, else
// those that the tool computes from the stream.
func exoRates(c cell, server, client func(*exobench.Record) (float64, bool), fallback string) (rates []float64, note string) {
	if slices.ContainsFunc(c.counted, func(r *exobench.Record) bool { return r.Server != nil }) {
		return c.values(server), ""
	}
	return c.values(client), fallback
}

func exoPrefill(r *exobench.Record) (float64, bool) {
	n, ok := promptTokens(r)
	secs := r.FirstAnswer.Sub(r.Sent).Seconds()
	return n / secs, ok && r.FirstAnswer.Reached() && secs > 0
}

func exoDecode(r *exobench.Record) (float64, bool) {
	chunks := 0
	for _, chunk := range r.Chunks {
		if chunk.At >= r.FirstAnswer {
			chunks++
		}
	}
	secs := closed(r).Sub(r.FirstAnswer).Seconds()
	return float64(chunks-1) / secs, r.FirstAnswer.Reached() && chunks > 1 && secs > 0
}

func mean(name, unit string, values []float64, definition, note string) Measure {
	m := Measure{Name: name, Unit: unit, Definition: definition, Note: note, N: len(values)}
	if v, ok := stat.NewSample(values).Mean(); ok {
		m.Figures = []Figure{{name, v}}
	}
	return m
}

func join(notes ...string) string {
	joined := ""
	for _, n := range notes {
		if joined != "" && n != "" {
			joined += "; "
		}
		joined += n
	}
	return joined
}
