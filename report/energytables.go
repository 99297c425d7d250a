package report

import (
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// energyMetrics are those of requests that the table of energies has, as far as a
// cell of the run has them.
var energyMetrics = []string{metric.Energy, metric.EnergyAboveIdle, metric.EnergyPrefill, metric.EnergyDecode, metric.EnergyShare}

// energyTable has the energies of requests; nil where no cell has any.
func energyTable(run *summary.Run) *Table {
	t := cellTable(run, right("n"))
	var fields []func(map[string]summary.Summary) string
	for _, name := range energyMetrics {
		if len(medians(run, name)) > 0 {
			column, field := sampleColumn(run, name)
			t.Columns, fields = append(t.Columns, column), append(fields, field)
		}
	}
	t.Columns = append(t.Columns, left("Of"))
	for i := range run.Cells {
		c := &run.Cells[i]
		of, known := c.Metric(metric.Energy)
		if !known {
			continue
		}
		row := append(cellFields(run, c), fmt.Sprint(of.N))
		for _, field := range fields {
			row = append(row, field(c.Metrics))
		}
		t.add(append(row, energyOf(&c.Energy[0]))...)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return labelled(run, t)
}

// energyOf says what an energy is of.
func energyOf(e *summary.Energy) string {
	if e.Estimated {
		return string(e.Scope) + ", estimated"
	}
	return string(e.Scope)
}

// meterTable has what each source of power tells of each cell; nil where there is
// none.
func meterTable(run *summary.Run) *Table {
	t := cellTable(run, left("Source"), left("Of"), right("Power (W)"), right("Idle (W)"), right("Energy (J)"), right("Per token (J)"),
		right("Above idle (J)"), right("Above idle per token (J)"), right("Covered"), right("Largest gap (s)"), left("Remark"))
	for i := range run.Cells {
		c := &run.Cells[i]
		for j := range c.Energy {
			e := &c.Energy[j]
			source := e.Source
			if e.Chosen {
				source += " *"
			}
			t.add(append(cellFields(run, c), source, energyOf(e), pointedDigits(e.Power), pointedDigits(e.Idle), pointedDigits(e.Joules),
				pointedDigits(e.PerToken), pointedDigits(e.AboveIdle), pointedDigits(e.AboveIdlePerToken),
				percent(e.Coverage), digits(e.Gap.Seconds()), orDash(energyRemark(c, e)))...)
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	t.Legend = append(t.Legend, "* the energies of requests are of this source.")
	return labelled(run, t)
}

func pointedDigits(v *float64) string {
	if v == nil {
		return dash
	}
	return digits(*v)
}

// energyRemark says why a source has no energy, or how many requests have none of
// it.
func energyRemark(c *summary.Cell, e *summary.Energy) string {
	switch {
	case e.Missing == summary.EnergyUnread:
		return "nothing was read while requests were under way"
	case e.Missing == summary.EnergyShort:
		return fmt.Sprintf("the cell took less than the meter's step of %v", atAGlance(e.Step))
	case e.Missing == summary.EnergyGaps:
		return "the readings cover too little of the time"
	case e.Short > 0:
		return fmt.Sprintf("%d of %d requests took less than the meter's step of %v and have no energy", e.Short, c.N, atAGlance(e.Step))
	}
	return ""
}

// energySentences say what the energies are.
func energySentences(run *summary.Run) []string {
	all := []string{"Energy is of all that its source counts, whoever uses it and idle power too; requests under way together are each charged with all of it, but for energy per token of a request, which splits the power evenly among them."}
	used := func(scope exobench.Scope) bool {
		return slices.ContainsFunc(run.Cells, func(c summary.Cell) bool {
			return slices.ContainsFunc(c.Energy, func(e summary.Energy) bool { return e.Scope == scope })
		})
	}
	for _, m := range []struct {
		scope   exobench.Scope
		meaning string
	}{
		{exobench.WallScope, "wall: all that is drawn from the socket."},
		{exobench.NodeScope, "node: the whole machine as it tells itself, without what its power supply loses."},
		{exobench.PartsScope, "parts: the sum of the parts that are metered, without the rest of the machine."},
		{exobench.PackageScope, "package: the processors; memory, disks, fans and separate GPUs are not in it."},
		{exobench.GPUScope, "gpu: the graphics devices alone."},
		{exobench.MemoryScope, "memory: the memory modules alone."},
	} {
		if used(m.scope) {
			all = append(all, m.meaning)
		}
	}
	idle := slices.ContainsFunc(run.Cells, func(c summary.Cell) bool {
		return slices.ContainsFunc(c.Energy, func(e summary.Energy) bool { return e.Idle != nil })
	})
	if idle {
		all = append(all, fmt.Sprintf("Idle is the power before the first load, over %v with nothing asked of any engine; above idle is the energy less that.", run.Header.Plan.IdlePower))
	}
	return append(all, "Compare only energies of the same kind, as the column Of says.")
}

func energy(run *summary.Run) Section {
	s := Section{Title: "Energy"}
	meters := meterTable(run)
	if meters == nil {
		return s
	}
	s.prose(strings.Join(energySentences(run), " "))
	if t := energyTable(run); t != nil {
		s.add(t)
	}
	s.prose("By source, over the wall time of each cell:")
	s.add(meters)
	return s
}
