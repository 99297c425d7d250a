package report

import (
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// writeClientServer shows the client's figures beside the servers' own, where
// servers give any.
func writeClientServer(b *strings.Builder, run *summary.Run) {
	t := clientServerTable(run)
	if len(t.rows) == 0 {
		return
	}
	fmt.Fprintf(b, "## Client and server\n\nMedians of what was measured here and of what the server says of the same n requests, the median ratio of the two, and the share of requests whose ratio is off by more than %.0f %%. "+
		"The client's prefill rate is an estimate from TTFT, which also holds the queue, the template, the network and the first token's own time. Output events fewer than tokens carry several tokens each.\n\n", 100*summary.Tolerance)
	writeTable(b, run, t)
}

func clientServerTable(run *summary.Run) *table {
	t := &table{
		heads: append(lineHeads(run), "Figure", "n", "Client", "Server", "Client / server", fmt.Sprintf("Off by > %.0f %%", 100*summary.Tolerance)),
		left:  []string{"Figure"},
	}
	for _, c := range run.Cells {
		if c.ClientServer == nil {
			continue
		}
		for _, row := range []struct {
			name string
			*summary.Agreement
		}{
			{"output tokens", c.ClientServer.Output},
			{"output events / tokens", c.ClientServer.Events},
			{"decode tokens/s", c.ClientServer.Decode},
			{"prefill tokens/s", c.ClientServer.Prefill},
		} {
			if row.Agreement != nil {
				t.add(append(lineTexts(run, line{cell: c}, ""), row.name, fmt.Sprint(row.N), digits(row.Client), digits(row.Server),
					fmt.Sprintf("%.3f", row.Ratio), fmt.Sprintf("%.0f %%", 100*row.Off))...)
			}
		}
	}
	return t
}

// writeNodes shows what engines tell of their machines, where they do.
func writeNodes(b *strings.Builder, run *summary.Run) {
	if len(run.Nodes) == 0 {
		return
	}
	b.WriteString("## Nodes\n\nAs the engine tells of its machines: of each all memory in use and its power, whoever uses it. Power and GPU are means over time from the first measured request to the last; peak and temperature are the greatest in that time.\n\n")
	writeTable(b, run, nodeTable(run))
	energy := energyTable(run)
	if len(energy.rows) == 0 {
		return
	}
	b.WriteString("Energy is that of whole nodes, idle power and all, from one reading a second: that of a request of a few seconds is rough. Requests under way together are each charged with all of it, so compare energy per token, which is of the whole cell.\n\n")
	writeTable(b, run, energy)
}

// nodeTable has the columns for which there is data.
func nodeTable(run *summary.Run) *table {
	var used []float64
	for _, n := range run.Nodes {
		for _, b := range []*exobench.Bytes{n.Before, n.Loaded, n.Peak} {
			if b != nil {
				used = append(used, float64(*b))
			}
		}
	}
	memory := scaleFor(metric.Bytes, used)
	size := func(b *exobench.Bytes) string {
		if b == nil {
			return dash
		}
		return memory.text(float64(*b))
	}
	sensor := func(v *float64, factor float64) string {
		if v == nil {
			return dash
		}
		return digits(*v * factor)
	}
	columns := []struct {
		head string
		text func(summary.Node) string
	}{
		{"Placement", func(n summary.Node) string { return orDash(n.Placement) }},
		{"Node", func(n summary.Node) string { return orDash(n.Name) }},
		{"Before (" + memory.unit + ")", func(n summary.Node) string { return size(n.Before) }},
		{"Loaded (" + memory.unit + ")", func(n summary.Node) string { return size(n.Loaded) }},
		{"Peak (" + memory.unit + ")", func(n summary.Node) string { return size(n.Peak) }},
		{"Of (" + memory.unit + ")", func(n summary.Node) string { return size(n.Total) }},
		{"Power (W)", func(n summary.Node) string { return sensor(n.Power, 1) }},
		{"GPU (%)", func(n summary.Node) string { return sensor(n.GPU, 100) }},
		{"Max. temperature (°C)", func(n summary.Node) string { return sensor(n.MaxTemperature, 1) }},
	}
	t := &table{heads: subjectHeads(run), left: []string{"Placement", "Node"}}
	for _, n := range run.Nodes {
		t.add(subjectTexts(run, n.Model, n.Engine)...)
	}
	for _, c := range columns {
		if !slices.ContainsFunc(run.Nodes, func(n summary.Node) bool { return c.text(n) != dash }) {
			continue
		}
		t.heads = append(t.heads, c.head)
		for i, n := range run.Nodes {
			t.rows[i] = append(t.rows[i], c.text(n))
		}
	}
	return t
}

// energyTable has the cells whose energy is known.
func energyTable(run *summary.Run) *table {
	var known []line
	for _, c := range run.Cells {
		if _, ok := c.Metric(metric.Energy); ok || c.EnergyPerToken != nil {
			known = append(known, line{cell: c})
		}
	}
	t := &table{heads: append(lineHeads(run), "n")}
	energy := sampleColumn(t, known, metric.Energy)
	t.heads = append(t.heads, "Energy per token (J)")
	for _, l := range known {
		perToken := dash
		if l.cell.EnergyPerToken != nil {
			perToken = digits(*l.cell.EnergyPerToken)
		}
		t.add(append(lineTexts(run, l, ""), count(l), energy(l.cell), perToken)...)
	}
	return t
}
