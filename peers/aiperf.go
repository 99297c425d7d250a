package peers

import "exobench"

// aiperf is the metrics of aiperf: ttft_metric.py, request_latency_metric.py
// (lines 35 to 39), inter_token_latency_metric.py (lines 52 and 62), and the
// figures of metric_dicts.py (line 191).
func aiperf(c cell) []Measure {
	latency := func(r *exobench.Record) float64 { return millis(r.Sent, r.Done) }
	ttft := func(r *exobench.Record) float64 { return millis(r.Sent, r.FirstToken) }
	itl := func(r *exobench.Record) (float64, bool) {
		n, ok := outputTokens(r)
		if !ok || n <= 1 {
			return 0, false
		}
		return (latency(r) - ttft(r)) / (n - 1), true
	}
	perUser := func(r *exobench.Record) (float64, bool) {
		gap, ok := itl(r)
		return 1000 / gap, ok && gap > 0
	}
	prefill := func(r *exobench.Record) (float64, bool) {
		n, ok := promptTokens(r)
		return 1000 * n / ttft(r), ok && ttft(r) > 0
	}
	first := func(r *exobench.Record) (float64, bool) {
		return millis(r.Sent, r.FirstAnswer), r.FirstAnswer.Reached()
	}
	var gaps []float64
	for _, r := range c.counted {
		for i := 1; i < len(r.Chunks); i++ {
			gaps = append(gaps, millis(r.Chunks[i-1].At, r.Chunks[i].At))
		}
	}
	measures := []Measure{
		spread("time_to_first_token", "ms", c.values(certain(ttft)), "first response with content (reasoning included) − start of the request", "versions before 2026 took the first response of any kind"),
		spread("time_to_first_output_token", "ms", c.values(first), "first response with content that is not reasoning − start", ""),
		spread("request_latency", "ms", c.values(certain(latency)), "last response − start of the request",
			"taken to end with the finish reason; whether the tool counts a trailing usage response is not known, the difference is about one event"),
		spread("inter_token_latency", "ms", c.values(itl), "(request latency − TTFT) / (output tokens − 1), one mean for each request", ""),
		spread("inter_chunk_latency", "ms", gaps, "gaps between responses with content, pooled over all requests", ""),
		spread("output_token_throughput_per_user", "tokens/s/user", c.values(perUser), "1 / inter-token latency of the request",
			"too high where the first chunk carries several tokens (aiperf#1279)"),
		spread("prefill_throughput_per_user", "tokens/s/user", c.values(prefill), "prompt tokens / TTFT, cached tokens included", ""),
	}
	secs, ok := c.seconds(func(r *exobench.Record) exobench.Instant { return r.Done })
	if !ok {
		return measures
	}
	output, n := c.total(outputTokens)
	const per = " / time from the first start to the last response"
	throughput := count("output_token_throughput", "tokens/s", n, output/secs, "Σ output tokens"+per)
	throughput.Note = "the start of a failed request counts here, its end does not; whether they do in the tool is not known"
	return append(measures, throughput,
		count("request_throughput", "requests/s", len(c.counted), float64(len(c.counted))/secs, "valid requests"+per))
}

// spread is a measure with the figures of aiperf's table.
func spread(name, unit string, values []float64, definition, note string) Measure {
	d := distribution{[]string{"mean", "min", "max", "p99", "p90", "p75", "p50", "sd"}, func(stat string) string {
		switch stat {
		case "mean":
			stat = "avg"
		case "sd":
			stat = "std"
		}
		return name + "." + stat
	}}
	return Measure{Name: name, Unit: unit, Definition: definition, Note: note, N: len(values), Figures: d.linear(values)}
}
