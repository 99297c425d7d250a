package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// column is one column of benchmark_results.csv.
type column struct {
	name  string
	value func(h *exobench.Header, row summary.Row) string
}

// columns are a contract with those who read the file: names and order stay.
var columns = []column{
	{"run_id", func(h *exobench.Header, _ summary.Row) string { return h.RunID }},
	{"engine", ofRecord(func(r *exobench.Record) string { return r.Engine })},
	{"engine_version", func(h *exobench.Header, row summary.Row) string {
		engine, _ := h.Engine(row.Record.Engine)
		return engine.Version
	}},
	{"model", ofRecord(func(r *exobench.Record) string { return r.Model })},
	{"model_id", ofRecord(func(r *exobench.Record) string { return r.ModelID })},
	{"placement", ofRecord(func(r *exobench.Record) string { return r.Placement })},
	{"prompt_id", ofRecord(func(r *exobench.Record) string { return r.PromptID })},
	{"phase", ofRecord(func(r *exobench.Record) string { return string(r.Phase) })},
	{"repeat", ofRecord(func(r *exobench.Record) string { return strconv.Itoa(r.Repeat) })},
	{"concurrency", ofRecord(func(r *exobench.Record) string { return positive(r.Concurrency) })},
	{"rate_rps", ofRecord(func(r *exobench.Record) string { return rateText(r.Rate) })},
	{"seq", ofRecord(func(r *exobench.Record) string { return strconv.Itoa(r.Seq) })},
	{"outcome", ofRecord(func(r *exobench.Record) string { return string(r.Outcome) })},
	{"error", ofRecord(func(r *exobench.Record) string { return oneLine(r.Error) })},
	{"finish_reason", ofRecord(func(r *exobench.Record) string { return r.FinishReason })},
	{"prompt_tokens", ofRecord(func(r *exobench.Record) string { return whole(r.PromptTokens) })},
	{"cached_tokens", ofRecord(func(r *exobench.Record) string { return whole(r.CachedTokens) })},
	{"output_tokens", ofRecord(func(r *exobench.Record) string { return whole(r.OutputTokens) })},
	{"tokens_from", ofRecord(func(r *exobench.Record) string { return string(r.TokensFrom) })},
	{"scheduled_s", ofRecord(func(r *exobench.Record) string { return instant(r.Scheduled) })},
	{"sent_s", ofRecord(func(r *exobench.Record) string { return instant(r.Sent) })},
	ofMetric("ttft_s"),
	ofMetric("ttfa_s"),
	ofMetric("latency_s"),
	ofMetric("latency_from_schedule_s"),
	ofMetric("tokens_per_second"),
	ofMetric("e2e_tokens_per_second"),
	ofMetric("prefill_tokens_per_second"),
	ofMetric("inter_chunk_mean_s"),
	ofMetric("inter_chunk_p50_s"),
	ofMetric("inter_chunk_p99_s"),
	ofMetric("inter_chunk_max_s"),
	ofMetric("server_prefill_tps"),
	ofMetric("server_decode_tps"),
	{metric.MemoryBefore, ofMemory(func(m summary.RequestMemory) string { return total(m.Before) })},
	{metric.MemoryLoaded, ofMemory(func(m summary.RequestMemory) string { return total(m.Loaded) })},
	{metric.MemoryPeak, ofMemory(func(m summary.RequestMemory) string { return total(m.Peak) })},
	{metric.MemoryAdditional, ofMemory(func(m summary.RequestMemory) string { return known(m.Additional()) })},
	{"gpu_memory_peak_bytes", unknown},
	{metric.Energy, func(_ *exobench.Header, row summary.Row) string {
		if row.Energy == nil || row.Record.Outcome != exobench.OK {
			return ""
		}
		return exact(metric.Joules, *row.Energy)
	}},
}

func unknown(*exobench.Header, summary.Row) string { return "" }

func ofRecord(text func(*exobench.Record) string) func(*exobench.Header, summary.Row) string {
	return func(_ *exobench.Header, row summary.Row) string { return text(row.Record) }
}

func ofMemory(text func(summary.RequestMemory) string) func(*exobench.Header, summary.Row) string {
	return func(_ *exobench.Header, row summary.Row) string { return text(row.Memory) }
}

// ofMetric returns the column of a metric; it is empty for requests that are
// not OK.
func ofMetric(name string) column {
	m, ok := metric.ByName(name)
	if !ok || m.Value == nil {
		panic("no metric of a request is named " + name)
	}
	return column{name, ofRecord(func(r *exobench.Record) string {
		value, ok := m.Value(r)
		if !ok || r.Outcome != exobench.OK {
			return ""
		}
		return exact(m.Unit, value)
	})}
}

func writeResults(w io.Writer, run *summary.Run, entries iter.Seq[exobench.Entry]) error {
	out := csv.NewWriter(w)
	fields := make([]string, len(columns))
	for i, c := range columns {
		fields[i] = c.name
	}
	if err := out.Write(fields); err != nil {
		return err
	}
	err := run.Rows(entries, func(row summary.Row) error {
		for i, c := range columns {
			fields[i] = c.value(&run.Header, row)
		}
		return out.Write(fields)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// instant gives the seconds since the epoch to the nanosecond, without the
// rounding of a float.
func instant(t exobench.Instant) string {
	if !t.Reached() {
		return ""
	}
	return fmt.Sprintf("%d.%09d", t/1e9, t%1e9)
}

// exact gives a value for machines: never an exponent, seconds to the
// nanosecond, bytes whole.
func exact(unit metric.Unit, value float64) string {
	switch unit {
	case metric.Seconds:
		return strconv.FormatFloat(value, 'f', 9, 64)
	case metric.Bytes:
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return strconv.FormatFloat(value, 'f', 6, 64)
}

// whole gives a count that may be unknown.
func whole[T ~int64](n *T) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(int64(*n), 10)
}

func known(b exobench.Bytes, ok bool) string {
	if !ok {
		return ""
	}
	return whole(&b)
}

func total(l *summary.Level) string {
	if l == nil {
		return ""
	}
	return whole(&l.Total)
}

// oneLine keeps a text on its line of a report.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// rateText gives the rate of an open loop; empty in a closed one.
func rateText(rate float64) string {
	if rate == 0 {
		return ""
	}
	return strconv.FormatFloat(rate, 'g', -1, 64)
}
