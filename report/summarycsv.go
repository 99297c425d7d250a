package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// field is a named value of a row of summary.csv.
type field struct{ name, value string }

func writeSummaryCSV(w io.Writer, run *summary.Run) error {
	out := csv.NewWriter(w)
	blank := summaryFields(run, summary.Cell{}, "")
	names := make([]string, len(blank))
	for i, f := range blank {
		names[i] = f.name
	}
	if err := out.Write(names); err != nil {
		return err
	}
	for _, line := range lines(run) {
		values := make([]string, 0, len(names))
		for _, f := range summaryFields(run, line.cell, line.why) {
			values = append(values, f.value)
		}
		if err := out.Write(values); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// summaryFields gives the row of a cell; names do not depend on the cell.
func summaryFields(run *summary.Run, c summary.Cell, why string) []field {
	engine, _ := run.Header.Engine(c.Engine)
	fields := []field{
		{"run_id", run.Header.RunID},
		{"label", engine.Label},
		{"engine", c.Engine},
		{"engine_version", engine.Version},
		{"model", c.Model},
		{"model_id", c.ModelID},
		{"placement", c.Placement},
		{"concurrency", string(appendPositive(nil, c.Concurrency))},
		{"rate_rps", string(appendRate(nil, c.Rate))},
		{"error", oneLine(why)},
		{"requests", strconv.Itoa(c.Requests)},
	}
	for _, outcome := range exobench.Outcomes {
		fields = append(fields, field{string(outcome), strconv.Itoa(c.Outcomes[outcome])})
	}
	fields = append(fields,
		field{"tokens_from", string(c.TokensFrom)},
		field{"cache", string(c.Cache)},
		field{"wall_s", span(c.Wall, c.Wall > 0)},
		field{"delivered_concurrency", rate(c.Delivered)},
		field{metric.Throughput, rate(c.Throughput)},
		field{metric.RequestRate, rate(c.RequestRate)},
	)
	load, ok := run.LoadOf(c.Subject, c.Placement)
	fields = append(fields,
		field{metric.LoadTime, span(load.Loading, ok)},
		field{metric.DownloadTime, span(load.Downloading, ok)},
		field{"memory_source", string(c.Memory.Source)},
		field{metric.MemoryBefore, levelText(c.Memory.Before)},
		field{metric.MemoryLoaded, levelText(c.Memory.Loaded)},
		field{"memory_cell_peak_bytes", levelText(c.Memory.Peak)},
		field{metric.MemoryModel, bytesText(c.Memory.Model())},
		field{"memory_cell_inference_bytes", bytesText(c.Memory.Inference())},
		field{"memory_cell_additional_bytes", bytesText(c.Memory.Additional())},
	)
	for _, m := range sampled() {
		fields = append(fields, sampleFields(m, c.Metrics)...)
	}
	return append(fields, field{metric.EnergyPerToken, rate(c.EnergyPerToken)})
}

// sampled returns the metrics that a cell has a sample of, one value per
// request.
func sampled() []metric.Metric {
	all := metric.PerRequest()
	for _, name := range []string{metric.MemoryPeak, metric.MemoryInference, metric.MemoryAdditional, metric.Energy} {
		m, _ := metric.ByName(name)
		all = append(all, m)
	}
	return all
}

func sampleFields(m metric.Metric, samples map[string]summary.Summary) []field {
	s, ok := samples[m.Name]
	value := func(v float64, known bool) string {
		if !ok || !known {
			return ""
		}
		return exact(m.Unit, v)
	}
	var lo, hi, sd float64
	confidence := ""
	if s.Interval != nil {
		lo, hi = s.Interval.Lo, s.Interval.Hi
		confidence = strconv.FormatFloat(s.Interval.Confidence, 'f', 6, 64)
	}
	if s.SD != nil {
		sd = *s.SD
	}
	fields := []field{
		{m.Name + "_n", strconv.Itoa(s.N)},
		{m.Name + "_median", value(s.Median, true)},
		{m.Name + "_lo", value(lo, s.Interval != nil)},
		{m.Name + "_hi", value(hi, s.Interval != nil)},
		{m.Name + "_confidence", confidence},
		{m.Name + "_mean", value(s.Mean, true)},
		{m.Name + "_sd", value(sd, s.SD != nil)},
		{m.Name + "_min", value(s.Min, true)},
		{m.Name + "_max", value(s.Max, true)},
	}
	for _, p := range shownPercentiles {
		q, supported := s.Percentile(p.p)
		fields = append(fields, field{m.Name + "_" + p.name, value(q.Value, supported)})
	}
	return fields
}

var shownPercentiles = []struct {
	name string
	p    float64
}{{"p90", 0.90}, {"p95", 0.95}, {"p99", 0.99}}

func span(d time.Duration, known bool) string {
	if !known {
		return ""
	}
	return exact(metric.Seconds, d.Seconds())
}

func rate(v *float64) string {
	if v == nil {
		return ""
	}
	return exact(metric.TokensPerSecond, *v)
}

func levelText(l *summary.Level) string { return string(appendTotal(nil, l)) }

func bytesText(b exobench.Bytes, known bool) string {
	if !known {
		return ""
	}
	return string(appendWhole(nil, &b))
}

func exact(unit metric.Unit, value float64) string { return string(appendExact(nil, unit, value)) }
