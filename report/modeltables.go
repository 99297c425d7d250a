package report

import (
	"fmt"
	"strconv"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// memoryTable has the levels and the three parts, all in one scale.
func memoryTable(run *summary.Run) *table {
	all := lines(run)
	var peaks []float64
	for _, l := range all {
		if l.cell.Memory.Peak != nil {
			peaks = append(peaks, float64(l.cell.Memory.Peak.Total))
		}
	}
	scale := scaleFor(metric.Bytes, peaks)
	t := &table{heads: lineHeads(run), left: []string{"Source"}}
	for _, head := range []string{"Before", "Loaded", "Peak", "= model", "+ inference", "= additional", "File-backed at peak"} {
		t.heads = append(t.heads, fmt.Sprintf("%s (%s)", head, scale.unit))
	}
	t.heads = append(t.heads, "Source")
	size := func(b exobench.Bytes, known bool) string {
		if !known {
			return dash
		}
		return scale.text(float64(b))
	}
	level := func(l *summary.Level) string {
		if l == nil {
			return dash
		}
		return size(l.Total, true)
	}
	for _, l := range all {
		m := l.cell.Memory
		file, source := dash, dash
		if m.Peak != nil && m.Peak.File != nil {
			file = size(*m.Peak.File, true)
		}
		if m.Source != "" {
			source = string(m.Source)
		}
		t.add(append(lineTexts(run, l, ""), level(m.Before), level(m.Loaded), level(m.Peak),
			size(m.Model()), size(m.Inference()), size(m.Additional()), file, source)...)
	}
	return t
}

// modelTable says what ran, where, and how long it took to load.
func modelTable(run *summary.Run) *table {
	var times []float64
	for _, l := range run.Loads {
		times = append(times, l.Loading.Seconds())
	}
	load := scaleFor(metric.Seconds, times)
	t := &table{
		heads: append(subjectHeads(run), "Id", "Placement", fmt.Sprintf("Load (%s)", load.unit), "Download (s)", "Downloaded"),
		left:  []string{"Id", "Placement"},
	}
	seen := map[summary.Key]bool{}
	for _, l := range lines(run) {
		k := l.cell.Key
		k.Concurrency = 0
		if seen[k] {
			continue
		}
		seen[k] = true
		loading, downloading, downloaded := dash, dash, dash
		if found, ok := run.LoadOf(k.Subject, k.Placement); ok {
			loading = load.text(found.Loading.Seconds())
			if found.Downloading > 0 {
				downloading, downloaded = digits(found.Downloading.Seconds()), found.Downloaded.String()
			}
		}
		t.add(append(subjectTexts(run, k.Model, k.Engine), orDash(k.ModelID), orDash(k.Placement), loading, downloading, downloaded)...)
	}
	return t
}

func orDash(text string) string {
	if text == "" {
		return dash
	}
	return text
}

// failureTable has the requests that were not OK, and the models that failed.
func failureTable(run *summary.Run) *table {
	t := &table{heads: append(lineHeads(run), "Outcome", "n", "First error"), left: []string{"Outcome", "First error"}}
	for _, c := range run.Cells {
		for _, outcome := range exobench.Outcomes[1:] {
			if n := c.Outcomes[outcome]; n > 0 {
				t.add(append(lineTexts(run, line{cell: c}, ""), string(outcome), strconv.Itoa(n),
					orDash(shorten(oneLine(c.Errors[outcome]), 200)))...)
			}
		}
	}
	for _, f := range run.Failures {
		l := failedLine(f)
		t.add(append(lineTexts(run, l, ""), "model failed", dash, orDash(shorten(oneLine(f.Error), 200)))...)
	}
	return t
}
