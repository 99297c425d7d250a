package report

import (
	"encoding/csv"
	"io"
	"strconv"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// field is a named value of a row of summary.csv.
type field struct{ name, value string }

func writeSummaryCSV(w io.Writer, run *summary.Run) error {
	out := csv.NewWriter(w)
	nothing := summaryFields(run, new(summary.Cell))
	names := make([]string, len(nothing))
	for i, f := range nothing {
		names[i] = f.name
	}
	if err := out.Write(names); err != nil {
		return err
	}
	for i := range run.Cells {
		values := make([]string, 0, len(names))
		for _, f := range summaryFields(run, &run.Cells[i]) {
			values = append(values, f.value)
		}
		if err := out.Write(values); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// summaryFields returns the row of a cell; names do not depend on the cell.
func summaryFields(run *summary.Run, c *summary.Cell) []field {
	engine, _ := run.Header.Engine(c.Engine)
	why := failure(run, c)
	if why == "" && c.Requests == 0 {
		why = blank(c.State)
	}
	fields := []field{
		{"run_id", run.Header.RunID},
		{"label", engine.Label},
		{"engine", c.Engine},
		{"engine_version", engine.Version},
		{"model", c.Model},
		{"model_id", c.ModelID},
		{"placement", c.Placement},
		{"concurrency", string(appendPositive(nil, c.Traffic.Concurrency))},
		{"rate_rps", string(appendRate(nil, c.Traffic.Rate))},
		{"error", oneLine(why)},
		{"requests", strconv.Itoa(c.Requests)},
	}
	outcomes := func(late bool) {
		for _, outcome := range exobench.Outcomes {
			if lateOutcome(outcome) == late {
				fields = append(fields, field{string(outcome), strconv.Itoa(c.Outcomes[outcome])})
			}
		}
	}
	outcomes(false)
	fields = append(fields, field{"tokens_from", string(c.TokensFrom)}, field{"cache", string(c.Cache)})
	for _, name := range valueColumns {
		if name == "memory_source" {
			fields = append(fields, field{name, string(c.Memory.Source)})
		} else {
			fields = append(fields, valueField(c, name))
		}
	}
	samples := func(late int) {
		for _, m := range metric.Sampled() {
			if lateMetric(m.Name) == late {
				fields = append(fields, sampleFields(m, c.Metrics)...)
			}
		}
	}
	samples(0)
	fields = append(fields, valueField(c, metric.EnergyPerToken))
	outcomes(true)
	samples(1)
	fields = append(fields, valueField(c, metric.GPUMemoryBefore), valueField(c, metric.GPUMemoryLoaded), valueField(c, metric.CellGPUMemoryPeak))
	source := ""
	if c.Memory.GPU != nil {
		source = string(c.Memory.GPU.Source)
	}
	fields = append(fields, field{"gpu_memory_source", source})
	samples(2)
	fields = append(fields, valueField(c, metric.DecodeCeiling), valueField(c, metric.ShareOfCeiling))
	return append(fields, energyFields(c)...)
}

// energyFields are what there is of a cell's energies beside the metrics of its
// requests.
func energyFields(c *summary.Cell) []field {
	scope, source := "", ""
	if len(c.Energy) > 0 && c.Energy[0].Chosen {
		scope, source = energyOf(&c.Energy[0]), c.Energy[0].Source
	}
	return []field{valueField(c, metric.CellEnergy), valueField(c, metric.CellEnergyAboveIdlePerToken), {"energy_scope", scope}, {"energy_source", source}}
}

// What came later than the rest stands after it, in the order in which it came.

func lateOutcome(o exobench.Outcome) bool { return o == exobench.ContentFilter }

func lateMetric(name string) int {
	switch name {
	case metric.PrefillMeasured, metric.ServerPeakMemory, metric.GPUMemoryPeak:
		return 1
	case metric.EnergyAboveIdle, metric.EnergyPrefill, metric.EnergyDecode, metric.EnergyShare:
		return 2
	}
	return 0
}

// valueColumns are the columns of numbers of a cell as a whole, and of what its
// memory counts. They are a contract: names and order stay.
var valueColumns = []string{
	metric.WallTime, metric.Delivered, metric.Throughput, metric.RequestRate, metric.LoadTime, metric.DownloadTime,
	"memory_source", metric.MemoryBefore, metric.MemoryLoaded, metric.CellMemoryPeak, metric.MemoryModel,
	metric.CellMemoryInference, metric.CellMemoryAdditional,
}

func valueField(c *summary.Cell, name string) field {
	value, known := c.Value(name)
	if !known {
		return field{name, ""}
	}
	m, _ := metric.ByName(name)
	return field{name, exact(m.Unit, value)}
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

func exact(unit metric.Unit, value float64) string { return string(appendExact(nil, unit, value)) }
