package report

import (
	"fmt"
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// tellsHighWater reports whether the kernel's own marks are known of a cell.
func tellsHighWater(run *summary.Run) bool {
	return slices.ContainsFunc(run.Cells, func(c summary.Cell) bool { return c.HighWater != nil && c.HighWater.Processes != nil })
}

// highWaterText is the most that the kernel saw, with a sign where that is from before
// the requests.
func highWaterText(c *summary.Cell, scale scale) string {
	if c.HighWater == nil || c.HighWater.Processes == nil {
		return dash
	}
	text := scale.size(*c.HighWater.Processes, true)
	if !c.HighWater.Rose {
		text = "= " + text
	}
	return text
}

// stepMemoryTable has the parts of the memory after each load, and what was left once
// the model was gone; nil where neither is known.
func stepMemoryTable(run *summary.Run) *Table {
	steps := slices.DeleteFunc(stepsInOrder(run), func(s summary.Step) bool {
		return s.Loaded == nil || s.Loaded.Anonymous == nil && s.Released == nil
	})
	if len(steps) == 0 {
		return nil
	}
	var sizes []float64
	for _, s := range steps {
		sizes = append(sizes, float64(s.Loaded.Total))
	}
	scale := scaleFor(metric.Bytes, sizes)
	swap := slices.ContainsFunc(steps, func(s summary.Step) bool { return s.Loaded.Swap != nil && *s.Loaded.Swap > 0 })
	t := &Table{Columns: subjectColumns(run)}
	for _, head := range []string{"Loaded", "= anonymous", "+ file-backed", "After the release", "More than before"} {
		t.Columns = append(t.Columns, right(fmt.Sprintf("%s (%s)", head, scale.unit)))
	}
	if swap {
		t.Columns = append(t.Columns, right(fmt.Sprintf("Swapped out (%s)", scale.unit)))
	}
	t.Columns = append(t.Columns, left("Weights"))
	for _, s := range steps {
		released := dash
		if s.Released != nil {
			released = scale.size(s.Released.Total, true)
		}
		row := append(subjectFields(run, s.Model, s.Engine), scale.size(s.Loaded.Total, true), scale.size(pointed(s.Loaded.Anonymous)),
			scale.size(pointed(s.Loaded.File)), released, scale.size(s.Left()))
		if swap {
			row = append(row, scale.size(pointed(s.Loaded.Swap)))
		}
		t.add(append(row, orDash(string(s.Weights)))...)
	}
	return labelled(run, t)
}

// What an engine keeps once the model is gone is worth a sentence from leftShare of
// what the model took and leftBytes on.
const (
	leftShare = 0.05
	leftBytes = 64 << 20
)

// stepMemorySentences say what the parts are, and where memory was not given back.
func stepMemorySentences(run *summary.Run) []string {
	all := []string{"The parts are of the reading after the load: anonymous memory is the engine's own, file-backed pages can be dropped and read again."}
	for _, w := range []struct {
		weights summary.Weights
		meaning string
	}{
		{summary.WeightsMapped, "Weights mapped: they are read from pages of their file, which the system can drop and read again when memory is short; then the engine is slower by far."},
		{summary.WeightsCopied, "Weights copied: they are in the engine's own memory, and the file is no longer needed."},
		{summary.WeightsTwice, "Weights twice: they are in the engine's own memory, such as in another order for this processor (llama.cpp repacks Q4_0 and some others), and the pages of the file stay mapped beside that. The file's part is given back when memory is short: what the model surely needs is the anonymous part."},
	} {
		if slices.ContainsFunc(run.Steps, func(s summary.Step) bool { return s.Weights == w.weights }) {
			all = append(all, w.meaning)
		}
	}
	for _, s := range stepsInOrder(run) {
		left, known := s.Left()
		if !known || s.Loaded == nil {
			continue
		}
		if model := s.Loaded.Total - s.Before.Total; left >= leftBytes && float64(left) >= leftShare*float64(model) {
			all = append(all, fmt.Sprintf("Once %s was taken away, %s had %v more than before it was loaded.", s.Model, s.Engine, left))
		}
	}
	return all
}

// cacheTable sets what the keys and values of the tokens should take beside what
// answering took; nil where no model's shape is known.
func cacheTable(run *summary.Run) *Table {
	t := cellTable(run, right("Cache per token"), right("Tokens at a time"), right("Cache expected"), right("Inference memory"), right("Seen per token"), left("Cache taken"))
	for i := range run.Cells {
		c := &run.Cells[i]
		if c.KVCache == nil {
			continue
		}
		k := c.KVCache
		tokens, expected, inference, seen := dash, dash, dash, dash
		if k.Tokens > 0 {
			tokens, expected = fmt.Sprint(k.Tokens), k.Expected().String()
		}
		if k.Seen != nil {
			most, _ := c.Metric(metric.MemoryInference)
			inference, seen = exobench.Bytes(most.Max).String(), k.Seen.String()
		}
		when := "as it grows"
		if k.AtLoad {
			when = "at the load"
		}
		t.add(append(cellFields(run, c), k.PerToken.String(), tokens, expected, inference, seen, when)...)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return labelled(run, t)
}

// cacheSentences say what the table of caches means.
func cacheSentences(run *summary.Run) []string {
	all := []string{"The cache of keys and values should take, by the model's shape, layers × key and value heads × width of a head × 2 for each token, at 16 bits a number (the embedded engine: 32).",
		"Tokens at a time are those of the longest prompt and answer, times the concurrency; seen is the greatest inference memory over these tokens, which holds buffers of the engine too."}
	if slices.ContainsFunc(run.Cells, func(c summary.Cell) bool { return c.KVCache != nil && c.KVCache.AtLoad }) {
		all = append(all, "An engine that takes the cache at the load, as llama.cpp does, sets aside all that its context can hold before the first request: the cache is then in the model's memory, grows by no token, and what is seen per token is the rest.")
	}
	return all
}
