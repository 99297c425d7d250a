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
	t := &table{heads: []string{"Model", "Conc."}, left: map[int]bool{9: true}}
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
		t.add(cellName(run, l.cell), concurrency(l), level(m.Before), level(m.Loaded), level(m.Peak),
			size(m.Model()), size(m.Inference()), size(m.Additional()), file, source)
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
		heads: []string{"Model", "Id", "Placement", fmt.Sprintf("Load (%s)", load.unit), "Download (s)", "Downloaded"},
		left:  map[int]bool{1: true, 2: true},
	}
	type key struct {
		subject       summary.Subject
		id, placement string
	}
	seen := map[key]bool{}
	for _, l := range lines(run) {
		k := key{l.cell.Subject(), l.cell.ModelID, l.cell.Placement}
		if seen[k] {
			continue
		}
		seen[k] = true
		loading, downloading, downloaded := dash, dash, dash
		if found, ok := run.LoadOf(k.subject, k.placement); ok {
			loading = load.text(found.Loading.Seconds())
			if found.Downloading > 0 {
				downloading, downloaded = digits(found.Downloading.Seconds()), found.Downloaded.String()
			}
		}
		t.add(subjectName(run, k.subject), orDash(k.id), orDash(k.placement), loading, downloading, downloaded)
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
	t := &table{heads: []string{"Model", "Conc.", "Outcome", "n", "First error"}, left: map[int]bool{2: true, 4: true}}
	for _, c := range run.Cells {
		for _, outcome := range exobench.Outcomes[1:] {
			if n := c.Outcomes[outcome]; n > 0 {
				t.add(cellName(run, c), strconv.Itoa(c.Concurrency), string(outcome), strconv.Itoa(n),
					orDash(shorten(oneLine(c.Errors[outcome]), 200)))
			}
		}
	}
	for _, f := range run.Failures {
		t.add(subjectName(run, summary.Subject{Engine: f.Engine, Model: f.Model}), dash, "model failed", dash, orDash(shorten(oneLine(f.Error), 200)))
	}
	return t
}

// nodeTable has what engines told of their machines.
func nodeTable(run *summary.Run) *table {
	var peaks []float64
	for _, n := range run.Nodes {
		if n.Peak != nil {
			peaks = append(peaks, float64(*n.Peak))
		}
	}
	scale := scaleFor(metric.Bytes, peaks)
	t := &table{heads: []string{"Model", "Node"}, left: map[int]bool{1: true}}
	for _, head := range []string{"Before", "Loaded", "Peak"} {
		t.heads = append(t.heads, fmt.Sprintf("%s (%s)", head, scale.unit))
	}
	t.heads = append(t.heads, "Power (W)", "GPU (%)", "Temperature (°C)")
	size := func(b *exobench.Bytes) string {
		if b == nil {
			return dash
		}
		return scale.text(float64(*b))
	}
	sensor := func(v *float64, factor float64) string {
		if v == nil {
			return dash
		}
		return digits(*v * factor)
	}
	for _, n := range run.Nodes {
		t.add(subjectName(run, summary.Subject{Engine: n.Engine, Model: n.Model}), n.Node,
			size(n.Before), size(n.Loaded), size(n.Peak), sensor(n.Power, 1), sensor(n.GPU, 100), sensor(n.Temperature, 1))
	}
	return t
}

// serverTable has the client's figures beside the servers' own.
func serverTable(run *summary.Run) *table {
	t := &table{heads: []string{"Model", "Conc.", "Decode, client", "server", "ratio", "off by > 5 %", "Prefill, client", "server", "ratio"}}
	for _, c := range run.Cells {
		d, p := c.Reconciled.Decode, c.Reconciled.Prefill
		if d.N == 0 && p.N == 0 {
			continue
		}
		row := []string{cellName(run, c), strconv.Itoa(c.Concurrency)}
		if d.N > 0 {
			row = append(row, digits(d.Client), digits(d.Server), fmt.Sprintf("%.3f", d.Ratio), fmt.Sprintf("%d of %d", d.Off, d.N))
		} else {
			row = append(row, dash, dash, dash, dash)
		}
		if p.N > 0 {
			row = append(row, digits(p.Client), digits(p.Server), fmt.Sprintf("%.3f", p.Ratio))
		} else {
			row = append(row, dash, dash, dash)
		}
		t.add(row...)
	}
	return t
}
