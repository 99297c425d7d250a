package report

import (
	"io"
	"iter"
	"strconv"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// column is one column of benchmark_results.csv; append adds a row's text to b.
type column struct {
	name   string
	append func(b []byte, h *exobench.Header, row *summary.Row) []byte
}

// columns are a contract with those who read the file: names and order stay.
var columns = []column{
	{"run_id", func(b []byte, h *exobench.Header, _ *summary.Row) []byte { return appendText(b, h.RunID) }},
	{"engine", ofCell(func(c *summary.Cell) string { return c.Engine })},
	{"engine_version", func(b []byte, h *exobench.Header, row *summary.Row) []byte {
		engine, _ := h.Engine(row.Cell.Engine)
		return appendText(b, engine.Version)
	}},
	{"model", ofCell(func(c *summary.Cell) string { return c.Model })},
	{"model_id", ofCell(func(c *summary.Cell) string { return c.ModelID })},
	{"placement", func(b []byte, _ *exobench.Header, row *summary.Row) []byte {
		if row.Step != nil && row.Step.Placement != "" {
			return appendText(b, row.Step.Placement)
		}
		return appendText(b, row.Cell.Placement)
	}},
	{"prompt_id", ofText(func(r *exobench.Record) string { return r.PromptID })},
	// Warm-ups have no rows.
	{"phase", func(b []byte, _ *exobench.Header, _ *summary.Row) []byte { return append(b, "measured"...) }},
	{"repeat", ofRecord(func(b []byte, r *exobench.Record) []byte { return strconv.AppendInt(b, int64(r.Repeat), 10) })},
	{"concurrency", ofTraffic(func(b []byte, t exobench.Traffic) []byte { return appendPositive(b, t.Concurrency) })},
	{"rate_rps", ofTraffic(func(b []byte, t exobench.Traffic) []byte { return appendRate(b, t.Rate) })},
	{"seq", ofRecord(func(b []byte, r *exobench.Record) []byte { return strconv.AppendInt(b, int64(r.Seq), 10) })},
	{"outcome", ofText(func(r *exobench.Record) string { return string(r.Outcome) })},
	{"error", ofText(func(r *exobench.Record) string { return oneLine(r.Error) })},
	{"finish_reason", ofText(func(r *exobench.Record) string { return r.FinishReason })},
	{"prompt_tokens", ofRecord(func(b []byte, r *exobench.Record) []byte { return appendWhole(b, r.PromptTokens) })},
	{"cached_tokens", ofRecord(func(b []byte, r *exobench.Record) []byte { return appendWhole(b, r.CachedTokens) })},
	{"output_tokens", ofRecord(func(b []byte, r *exobench.Record) []byte { return appendWhole(b, r.OutputTokens) })},
	{"tokens_from", ofText(func(r *exobench.Record) string { return string(r.TokensFrom) })},
	{"scheduled_s", ofRecord(func(b []byte, r *exobench.Record) []byte { return appendInstant(b, r.Scheduled) })},
	{"sent_s", ofRecord(func(b []byte, r *exobench.Record) []byte { return appendInstant(b, r.Sent) })},
	ofMetric(metric.TTFT),
	ofMetric(metric.TTFA),
	ofMetric(metric.Latency),
	ofMetric(metric.LatencyFromSchedule),
	ofMetric(metric.TokenRate),
	ofMetric(metric.EndToEndTokenRate),
	ofMetric(metric.Prefill),
	ofMetric(metric.InterChunkMean),
	ofMetric(metric.InterChunkP50),
	ofMetric(metric.InterChunkP99),
	ofMetric(metric.InterChunkMax),
	ofMetric(metric.ServerPrefill),
	ofMetric(metric.ServerDecode),
	{metric.MemoryBefore, ofMemory(func(b []byte, m *summary.RequestMemory) []byte { return appendTotal(b, m.Before) })},
	{metric.MemoryLoaded, ofMemory(func(b []byte, m *summary.RequestMemory) []byte { return appendTotal(b, m.Loaded) })},
	{metric.MemoryPeak, ofMemory(func(b []byte, m *summary.RequestMemory) []byte { return appendTotal(b, m.Peak) })},
	{metric.MemoryAdditional, ofMemory(func(b []byte, m *summary.RequestMemory) []byte {
		if additional, ok := m.Additional(); ok {
			b = appendWhole(b, &additional)
		}
		return b
	})},
	{metric.GPUMemoryPeak, ofGPU(func(b []byte, g *summary.GPUMemory) []byte { return appendWhole(b, g.Peak) })},
	ofEnergy(metric.Energy, func(e summary.RequestEnergy) *float64 { return e.Joules }),
	// What came later stands after all that was there before.
	{"reasoning_tokens", ofRecord(func(b []byte, r *exobench.Record) []byte { return appendWhole(b, r.ReasoningTokens) })},
	ofMetric(metric.PrefillMeasured),
	ofMetric(metric.ServerPeakMemory),
	{metric.GPUMemoryBefore, ofGPU(func(b []byte, g *summary.GPUMemory) []byte { return appendWhole(b, g.Before) })},
	{metric.GPUMemoryLoaded, ofGPU(func(b []byte, g *summary.GPUMemory) []byte { return appendWhole(b, g.Loaded) })},
	{"gpu_memory_source", ofGPU(func(b []byte, g *summary.GPUMemory) []byte { return appendText(b, string(g.Source)) })},
	ofEnergy(metric.EnergyAboveIdle, func(e summary.RequestEnergy) *float64 { return e.AboveIdle }),
	ofEnergy(metric.EnergyPrefill, func(e summary.RequestEnergy) *float64 { return e.Prefill }),
	ofEnergy(metric.EnergyDecode, func(e summary.RequestEnergy) *float64 { return e.Decode }),
	{"energy_scope", func(b []byte, _ *exobench.Header, row *summary.Row) []byte {
		if row.Energy.Joules == nil || row.Record.Outcome != exobench.OK {
			return b
		}
		return appendText(b, energyOf(&row.Cell.Energy[0]))
	}},
}

// ofEnergy returns the column of an energy; it is empty for requests that are not
// OK.
func ofEnergy(name string, of func(summary.RequestEnergy) *float64) column {
	return column{name, func(b []byte, _ *exobench.Header, row *summary.Row) []byte {
		joules := of(row.Energy)
		if joules == nil || row.Record.Outcome != exobench.OK {
			return b
		}
		return appendExact(b, metric.Joules, *joules)
	}}
}

func ofCell(text func(*summary.Cell) string) func([]byte, *exobench.Header, *summary.Row) []byte {
	return func(b []byte, _ *exobench.Header, row *summary.Row) []byte { return appendText(b, text(row.Cell)) }
}

func ofTraffic(number func([]byte, exobench.Traffic) []byte) func([]byte, *exobench.Header, *summary.Row) []byte {
	return func(b []byte, _ *exobench.Header, row *summary.Row) []byte { return number(b, row.Cell.Traffic) }
}

func ofText(text func(*exobench.Record) string) func([]byte, *exobench.Header, *summary.Row) []byte {
	return func(b []byte, _ *exobench.Header, row *summary.Row) []byte { return appendText(b, text(row.Record)) }
}

func ofRecord(number func([]byte, *exobench.Record) []byte) func([]byte, *exobench.Header, *summary.Row) []byte {
	return func(b []byte, _ *exobench.Header, row *summary.Row) []byte { return number(b, row.Record) }
}

func ofMemory(number func([]byte, *summary.RequestMemory) []byte) func([]byte, *exobench.Header, *summary.Row) []byte {
	return func(b []byte, _ *exobench.Header, row *summary.Row) []byte { return number(b, &row.Memory) }
}

// ofGPU returns the text of a row's GPU memory; it is empty where none was read.
func ofGPU(number func([]byte, *summary.GPUMemory) []byte) func([]byte, *exobench.Header, *summary.Row) []byte {
	return func(b []byte, _ *exobench.Header, row *summary.Row) []byte {
		if row.Memory.GPU == nil {
			return b
		}
		return number(b, row.Memory.GPU)
	}
}

// ofMetric returns the column of a metric; it is empty for requests that are
// not OK.
func ofMetric(name string) column {
	m, ok := metric.ByName(name)
	if !ok || m.Value == nil {
		panic("no metric of a request is named " + name)
	}
	return column{name, ofRecord(func(b []byte, r *exobench.Record) []byte {
		if r.Outcome != exobench.OK {
			return b
		}
		value, ok := m.Value(r)
		if !ok || !m.Possible(value) {
			return b
		}
		return appendExact(b, m.Unit, value)
	})}
}

// writeResults writes a row for each measured request, as encoding/csv would; there
// may be millions.
func writeResults(w io.Writer, run *summary.Run, entries iter.Seq[exobench.Entry]) error {
	var line []byte
	for i, c := range columns {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, c.name...)
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return err
	}
	var row summary.Row
	return run.Rows(entries, func(next summary.Row) error {
		row, line = next, line[:0]
		for i, c := range columns {
			if i > 0 {
				line = append(line, ',')
			}
			line = c.append(line, &run.Header, &row)
		}
		line = append(line, '\n')
		_, err := w.Write(line)
		return err
	})
}
