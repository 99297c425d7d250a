package peers

import "exobench"

// guidellm is GenerativeRequestStats of guidellm/schemas/request_stats.py (lines
// 103 to 213) for each request, and DistributionSummary of statistics.py over them.
func guidellm(c cell) []Measure {
	var latency, ttft, first []float64
	var tpot, itl []weighted
	for _, r := range c.counted {
		latency = append(latency, closed(r).Sub(r.Sent).Seconds())
		ttft = append(ttft, millis(r.Sent, r.FirstToken))
		if r.FirstAnswer.Reached() {
			first = append(first, millis(r.Sent, r.FirstAnswer))
		}
		if n := iterations(r); n > 0 {
			tpot = append(tpot, weighted{millis(r.Sent, r.LastToken) / n, n})
			if n > 1 {
				itl = append(itl, weighted{millis(r.FirstToken, r.LastToken) / (n - 1), n - 1})
			}
		}
	}
	measures := []Measure{
		stepped("request_latency", "s", even(latency), "end of the stream − start of the request", "the end is when the stream closed"),
		stepped("time_to_first_token_ms", "ms", even(ttft), "first event with content, reasoning or a tool call − start; a role-only event does not count", ""),
		stepped("time_to_first_output_token_ms", "ms", even(first), "first event with content that is not reasoning − start", ""),
		stepped("time_per_output_token_ms", "ms", tpot,
			"(last token − start of the request) / output tokens: the time to the first token is IN it; each request weighs as many as its output tokens", ""),
		stepped("inter_token_latency_ms", "ms", itl,
			"(last token − first token) / (output tokens − 1), one mean for each request (what others call TPOT); each weighs as many as its output tokens less one",
			"the tool keeps no time of single tokens, so there is no tail of gaps"),
	}
	return append(measures, guidellmRates(c)...)
}

// guidellmRates gives the mean of rate_distribution_from_timings. Its rates,
// tokens at an instant by the time until halfway to the neighbouring instants, are
// weighted by those times; so their mean is all tokens by the time from the first
// to the last instant.
func guidellmRates(c cell) []Measure {
	var tokens float64
	var from, to exobench.Instant
	for _, r := range c.counted {
		tokens += iterations(r)
		if !from.Reached() || r.FirstToken < from {
			from = r.FirstToken
		}
		to = max(to, r.LastToken)
	}
	if to <= from {
		return nil
	}
	m := count("output_tokens_per_second.mean", "tokens/s", len(c.counted), tokens/to.Sub(from).Seconds(),
		"Σ output tokens / time from the first token of any request to the last: the first prefill is NOT in it")
	m.Note = "the tool's median and percentiles are of instants that it spreads evenly between the first and the last token of each request; they are left out"
	return []Measure{m}
}

// iterations is the number of output tokens, else of events with output.
func iterations(r *exobench.Record) float64 {
	if n, ok := outputTokens(r); ok {
		return n
	}
	return float64(len(r.Chunks))
}

// stepped is a measure with figures as in guidellm's output file.
func stepped(name, unit string, values []weighted, definition, note string) Measure {
	d := distribution{[]string{"mean", "median", "sd", "p95", "p99"}, func(stat string) string {
		switch stat {
		case "sd":
			stat = "std_dev"
		case "p95", "p99":
			stat = "percentiles." + stat
		}
		return name + "." + stat
	}}
	return Measure{Name: name, Unit: unit, Definition: definition, Note: note, N: len(values), Figures: d.step(values)}
}
