package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// memoryTable has the levels and the three parts, all in one scale.
func memoryTable(run *summary.Run) *Table {
	var peaks []float64
	for _, c := range run.Cells {
		if c.Memory.Peak != nil {
			peaks = append(peaks, float64(c.Memory.Peak.Total))
		}
		if g := c.Memory.GPU; g != nil && g.Peak != nil {
			peaks = append(peaks, float64(*g.Peak))
		}
	}
	scale := scaleFor(metric.Bytes, peaks)
	t := cellTable(run)
	heads := func(names ...string) {
		for _, head := range names {
			t.Columns = append(t.Columns, right(fmt.Sprintf("%s (%s)", head, scale.unit)))
		}
	}
	heads("Before", "Loaded", "Peak")
	gpus := tellsGPU(run)
	gpuColumns, gpuFields := gpuMemoryColumns(scale)
	if gpus {
		t.Columns = append(t.Columns, gpuColumns...)
	}
	heads("= model", "+ inference", "= additional", "File-backed at peak")
	t.Columns = append(t.Columns, left("Source"))
	kernel := tellsHighWater(run)
	if kernel {
		t.Columns = append(t.Columns, right(fmt.Sprintf("Kernel saw up to (%s)", scale.unit)))
	}
	own := tellsOwnPeak(run)
	if own {
		t.Columns = append(t.Columns, right(fmt.Sprintf("Server's own peak, rank 0 only (%s)", scale.unit)))
	}
	level := func(l *summary.Level) string {
		if l == nil {
			return dash
		}
		return scale.size(l.Total, true)
	}
	for i := range run.Cells {
		m := run.Cells[i].Memory
		file := dash
		if m.Peak != nil {
			file = scale.size(pointed(m.Peak.File))
		}
		fields := append(cellFields(run, &run.Cells[i]), level(m.Before), level(m.Loaded), level(m.Peak))
		if gpus {
			fields = append(fields, gpuFields(m.GPU)...)
		}
		fields = append(fields, scale.size(m.Model()), scale.size(m.Inference()), scale.size(m.Additional()), file, orDash(string(m.Source)))
		if kernel {
			fields = append(fields, highWaterText(&run.Cells[i], scale))
		}
		if own {
			peak, known := run.Cells[i].Metric(metric.ServerPeakMemory)
			fields = append(fields, scale.size(exobench.Bytes(peak.Max), known))
		}
		t.add(fields...)
	}
	return labelled(run, t)
}

// tellsOwnPeak reports whether an engine of the run tells its own peak of memory.
func tellsOwnPeak(run *summary.Run) bool {
	return slices.ContainsFunc(run.Cells, func(c summary.Cell) bool {
		_, known := c.Metric(metric.ServerPeakMemory)
		return known
	})
}

// memorySentences say what the readings are of.
func memorySentences(run *summary.Run) []string {
	all := []string{
		"Before and loaded are the last readings before and after the model's load, once the memory held still.",
		"Peak is the greatest over the OK requests of the cell; the results above have the median request.",
	}
	if tellsOwnPeak(run) {
		all = append(all, "The server's own peak is what the engine says of itself, the greatest over the OK requests: of exo it is of the runner of rank 0 only, since its warm-up. exo tells it 7.37 % too high (decimal gigabytes for GiB), which is put right here, and it has been seen far too low (46 GB of a process that had 110): go by the other columns, which are what was read here.")
	}
	if tellsHighWater(run) {
		all = append(all, "What the kernel saw is its own high-water mark, which no reading can miss: = where it did not rise during the requests, so that it is from before, such as the load.")
	}
	sources := 0
	for _, m := range []struct {
		source  summary.MemorySource
		meaning string
	}{
		{summary.FromPSS, "pss: proportional set size of the engine's processes."},
		{summary.FromFootprint, "footprint: physical footprint of the engine's processes, as macOS charges it to them; it holds what the GPU has of unified memory, which is added to nothing."},
		{summary.FromRSS, "rss: resident set size of the engine's processes; pages that they share are counted more than once."},
		{summary.FromNode, "node: all memory in use on the engine's nodes, whoever uses it; what else ran there is in it."},
	} {
		used := func(c summary.Cell) bool { return c.Memory.Source == m.source }
		if slices.ContainsFunc(run.Cells, used) {
			all = append(all, m.meaning)
			sources++
		}
	}
	if sources > 1 {
		all = append(all, "Compare only rows with the same source.")
	}
	return append(all, gpuSentences(run)...)
}

// stepsInOrder are the steps of the run, a model's engines side by side.
func stepsInOrder(run *summary.Run) []summary.Step {
	of := map[summary.Subject][]summary.Step{}
	for _, s := range run.Steps {
		of[s.Subject] = append(of[s.Subject], s)
	}
	all := make([]summary.Step, 0, len(run.Steps))
	for _, s := range run.Subjects() {
		all = append(all, of[s]...)
	}
	return all
}

// loadTable says what was brought up, where, and how long that took: one row for
// each time.
func loadTable(run *summary.Run) *Table {
	var times []float64
	for _, s := range run.Steps {
		if s.Load != nil {
			times = append(times, s.Load.Loading.Seconds())
		}
	}
	scale := scaleFor(metric.Seconds, times)
	t := &Table{Columns: append(subjectColumns(run), left("Id"), left("Placement"), right(fmt.Sprintf("Load (%s)", scale.unit)),
		right("= placing"), right("+ weights"), right("+ warm-up"), right("Download (s)"), right("Downloaded"))}
	for _, s := range stepsInOrder(run) {
		loading, downloading, downloaded := dash, dash, dash
		parts := []string{dash, dash, dash}
		if s.Load != nil {
			loading = scale.text(s.Load.Loading.Seconds())
			for i, part := range []time.Duration{s.Load.Placing, s.Load.Weights, s.Load.Warming} {
				parts[i] = scale.text(part.Seconds())
			}
			if s.Load.Downloading > 0 {
				downloading, downloaded = digits(s.Load.Downloading.Seconds()), s.Load.Downloaded.String()
			}
		}
		t.add(append(subjectFields(run, s.Model, s.Engine), orDash(s.ModelID), orDash(s.Placement), loading, parts[0], parts[1], parts[2], downloading, downloaded)...)
	}
	return labelled(run, t)
}

// failureTable has the requests that were not OK, and the models that failed; nil
// where all went well.
func failureTable(run *summary.Run) *Table {
	t := cellTable(run, left("Outcome"), right("n"), left("First error"))
	for i := range run.Cells {
		c := &run.Cells[i]
		for _, outcome := range exobench.Outcomes[1:] {
			if n := c.Outcomes[outcome]; n > 0 {
				t.add(append(cellFields(run, c), string(outcome), strconv.Itoa(n), orDash(shorten(oneLine(c.Errors[outcome]), 200)))...)
			}
		}
	}
	for _, s := range stepsInOrder(run) {
		if s.State == summary.Failed {
			t.add(append(subjectFields(run, s.Model, s.Engine), dash, "model failed", dash, shorten(oneLine(stepFailure(&s)), longestReason))...)
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return labelled(run, t)
}
