package report

import (
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// stepNode is one machine in one step.
type stepNode struct {
	step *summary.Step
	node summary.Node
}

// nodeTable shows what engines tell of their machines, in the columns for which
// there is data; nil where none tells.
func nodeTable(run *summary.Run) *Table {
	var all []stepNode
	for _, s := range stepsInOrder(run) {
		for _, n := range s.Nodes {
			all = append(all, stepNode{&s, n})
		}
	}
	if len(all) == 0 {
		return nil
	}
	t := &Table{Columns: subjectColumns(run)}
	for _, n := range all {
		t.add(subjectFields(run, n.step.Model, n.step.Engine)...)
	}
	for _, c := range nodeColumns(all) {
		if !slices.ContainsFunc(all, func(n stepNode) bool { return c.text(n) != dash }) {
			continue
		}
		t.Columns = append(t.Columns, c.Column)
		for i, n := range all {
			t.Rows[i] = append(t.Rows[i], plainText(c.text(n)))
		}
	}
	return labelled(run, t)
}

// nodeColumn is a column of the table of nodes and its fields.
type nodeColumn struct {
	Column
	text func(stepNode) string
}

func nodeColumns(all []stepNode) []nodeColumn {
	var used []float64
	for _, n := range all {
		for _, b := range []*exobench.Bytes{n.node.Before, n.node.Loaded, n.node.Peak} {
			if b != nil {
				used = append(used, float64(*b))
			}
		}
	}
	memory := scaleFor(metric.Bytes, used)
	size := func(b *exobench.Bytes) string { return memory.size(pointed(b)) }
	sensor := func(v *float64, factor float64) string {
		if v == nil {
			return dash
		}
		return digits(*v * factor)
	}
	return []nodeColumn{
		{left("Placement"), func(n stepNode) string { return orDash(n.step.Placement) }},
		{left("Node"), func(n stepNode) string { return orDash(n.node.Name) }},
		{right("Before (" + memory.unit + ")"), func(n stepNode) string { return size(n.node.Before) }},
		{right("Loaded (" + memory.unit + ")"), func(n stepNode) string { return size(n.node.Loaded) }},
		{right("Peak (" + memory.unit + ")"), func(n stepNode) string { return size(n.node.Peak) }},
		{right("Of (" + memory.unit + ")"), func(n stepNode) string { return size(n.node.Total) }},
		{right("Power (W)"), func(n stepNode) string { return sensor(n.node.Power, 1) }},
		{right("GPU (%)"), func(n stepNode) string { return sensor(n.node.GPU, 100) }},
		{right("Max. temperature (°C)"), func(n stepNode) string { return sensor(n.node.MaxTemperature, 1) }},
	}
}
