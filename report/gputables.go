package report

import (
	"slices"
	"strings"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// tellsGPU reports whether memory on GPUs was read in a cell of the run.
func tellsGPU(run *summary.Run) bool {
	return slices.ContainsFunc(run.Cells, func(c summary.Cell) bool { return c.Memory.GPU != nil })
}

// gpuSentences say what the memory on GPUs is of; none where none was read.
func gpuSentences(run *summary.Run) []string {
	if !tellsGPU(run) {
		return nil
	}
	is := func(what func(*summary.GPUMemory) bool) bool {
		return slices.ContainsFunc(run.Cells, func(c summary.Cell) bool { return c.Memory.GPU != nil && what(c.Memory.GPU) })
	}
	var all []string
	if is(func(g *summary.GPUMemory) bool { return !g.Unified }) {
		all = append(all, "GPU memory is summed over the GPUs and stands beside main memory; model, inference and additional memory are the sums of both.")
	}
	if is(func(g *summary.GPUMemory) bool { return g.Unified }) {
		all = append(all, "A GPU that works in the host's memory has none of its own: what it holds may be in the memory of the engine's processes already, so it is shown and not added.")
	}
	if is(func(g *summary.GPUMemory) bool { return g.Source == summary.FromGPUProcesses }) {
		all = append(all, "GPU memory from processes is what the driver says that the engine's processes hold.")
	}
	if is(func(g *summary.GPUMemory) bool { return g.Source == summary.FromGPUDevice }) {
		all = append(all, "GPU memory from the device is all that is in use on it, whoever uses it, since the driver does not show that of the engine's processes: what it grew by is taken for the engine's.")
	}
	return all
}

// gpuMemoryColumns are the columns of the table of memory that are of GPUs, with
// what stands in them.
func gpuMemoryColumns(scale scale) ([]Column, func(*summary.GPUMemory) []string) {
	columns := []Column{right("GPU before (" + scale.unit + ")"), right("GPU loaded (" + scale.unit + ")"), right("GPU peak (" + scale.unit + ")"), left("GPU from")}
	return columns, func(g *summary.GPUMemory) []string {
		if g == nil {
			return []string{dash, dash, dash, dash}
		}
		from := string(g.Source)
		if g.Unified {
			from += ", not added"
		}
		return []string{scale.size(pointed(g.Before)), scale.size(pointed(g.Loaded)), scale.size(pointed(g.Peak)), from}
	}
}

// throttleWords are the reasons for a GPU's clocks, by NVML's bits. That it idles,
// or that somebody set its clocks, is no word to say.
var throttleWords = []struct {
	bit  uint64
	word string
}{
	{0x4, "power limit"}, {0x8, "hardware slowdown"}, {0x10, "sync boost"}, {0x20, "heat (driver)"}, {0x40, "heat (hardware)"}, {0x80, "power brake"},
}

// stepGPU is one GPU in one step.
type stepGPU struct {
	step *summary.Step
	gpu  summary.StepGPU
	name string
}

// gpuTable shows what each GPU did, in the columns for which there is data; nil
// where none was read.
func gpuTable(run *summary.Run) *Table {
	names := map[string]string{}
	for _, s := range run.Sessions {
		for _, g := range s.Host.GPUs {
			names[g.ID] = g.Name
		}
	}
	var all []stepGPU
	for _, s := range stepsInOrder(run) {
		for _, g := range s.GPUs {
			all = append(all, stepGPU{&s, g, names[g.ID]})
		}
	}
	if len(all) == 0 {
		return nil
	}
	t := &Table{Columns: subjectColumns(run)}
	for _, g := range all {
		t.add(subjectFields(run, g.step.Model, g.step.Engine)...)
	}
	for _, c := range gpuColumns(all) {
		if !slices.ContainsFunc(all, func(g stepGPU) bool { return c.text(g) != dash }) {
			continue
		}
		t.Columns = append(t.Columns, c.Column)
		for i, g := range all {
			t.Rows[i] = append(t.Rows[i], plainText(c.text(g)))
		}
	}
	return labelled(run, t)
}

// gpuColumn is a column of the table of GPUs and its fields.
type gpuColumn struct {
	Column
	text func(stepGPU) string
}

func gpuColumns(all []stepGPU) []gpuColumn {
	var sizes []float64
	for _, g := range all {
		for _, b := range []*exobench.Bytes{g.gpu.Before, g.gpu.Loaded, g.gpu.Peak, g.gpu.Used} {
			if b != nil {
				sizes = append(sizes, float64(*b))
			}
		}
	}
	memory := scaleFor(metric.Bytes, sizes)
	size := func(of func(summary.StepGPU) *exobench.Bytes) func(stepGPU) string {
		return func(g stepGPU) string { return memory.size(pointed(of(g.gpu))) }
	}
	figure := func(factor float64, of func(summary.StepGPU) *float64) func(stepGPU) string {
		return func(g stepGPU) string {
			if v := of(g.gpu); v != nil {
				return digits(*v * factor)
			}
			return dash
		}
	}
	return []gpuColumn{
		{left("GPU"), func(g stepGPU) string { return gpuName(g.name, g.gpu.ID) }},
		{left("Memory from"), func(g stepGPU) string { return orDash(string(g.gpu.Source)) }},
		{right("Before (" + memory.unit + ")"), size(func(g summary.StepGPU) *exobench.Bytes { return g.Before })},
		{right("Loaded (" + memory.unit + ")"), size(func(g summary.StepGPU) *exobench.Bytes { return g.Loaded })},
		{right("Peak (" + memory.unit + ")"), size(func(g summary.StepGPU) *exobench.Bytes { return g.Peak })},
		{right("All in use (" + memory.unit + ")"), size(func(g summary.StepGPU) *exobench.Bytes { return g.Used })},
		{right("Of (" + memory.unit + ")"), size(func(g summary.StepGPU) *exobench.Bytes { return g.Total })},
		{right("Busy (%)"), figure(100, func(g summary.StepGPU) *float64 { return g.Busy })},
		{right("Power (W)"), figure(1, func(g summary.StepGPU) *float64 { return g.Power })},
		{right("Max. temperature (°C)"), figure(1, func(g summary.StepGPU) *float64 { return g.MaxTemperature })},
		{right("Clock (MHz)"), figure(1e-6, func(g summary.StepGPU) *float64 { return g.Clock })},
		{right("Slowed (%)"), figure(100, func(g summary.StepGPU) *float64 { return g.Throttled })},
		{left("By"), func(g stepGPU) string { return orDash(throttleText(g.gpu.Reasons)) }},
	}
}

// gpuName is a GPU's name with as much of its id as tells it apart.
func gpuName(name, id string) string {
	short := strings.TrimPrefix(id, "GPU-")
	if short != id && len(short) > 8 {
		short = short[:8]
	}
	return strings.TrimSpace(name + " " + short)
}

func throttleText(reasons uint64) string {
	var words []string
	for _, r := range throttleWords {
		if reasons&r.bit != 0 {
			words = append(words, r.word)
		}
	}
	return strings.Join(words, ", ")
}
