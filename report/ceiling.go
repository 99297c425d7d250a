package report

import (
	"fmt"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// ceilingTable has the cells of which a ceiling is known; nil where there is
// none.
func ceilingTable(run *summary.Run) *Table {
	t := cellTable(run)
	t.Columns = append(t.Columns, right("Tokens/s"), right("Ceiling (tokens/s)"), right("Share"), left("At best"),
		right("Weights read (GB)"), right("KV read (MB)"), right("Context"), right("Bandwidth (GB/s)"), left("How it is known"))
	for i := range run.Cells {
		c := &run.Cells[i]
		ceiling, share := c.Ceiling, dash
		if ceiling == nil {
			continue
		}
		rate := dash
		if s, ok := c.Metric(metric.TokenRate); ok {
			rate = digits(s.Median)
		}
		room := dash
		if v, ok := c.Value(metric.ShareOfCeiling); ok {
			share = percent(v)
			if v > 0 && v <= 1 && !ceiling.Drafted {
				room = digits(1/v) + " times as fast"
			}
		}
		kv, context := dash, dash
		if ceiling.KV > 0 {
			kv, context = digits(float64(ceiling.KV)/1e6), digits(ceiling.Positions)
		}
		t.add(append(cellFields(run, c), rate, valueText(c, metric.DecodeCeiling), share, room,
			digits(float64(ceiling.Weights)/1e9), kv, context, digits(ceiling.PerSecond/1e9), bandwidthText(ceiling.Bandwidth))...)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return labelled(run, t)
}

// bandwidthText says whose bandwidth it is, and how it is known.
func bandwidthText(b exobench.Bandwidth) string {
	text := string(b.From)
	switch b.From {
	case exobench.BandwidthMeasured:
		text = "measured before the run"
	case exobench.BandwidthGiven:
		text = "given with --bandwidth"
	}
	if b.Of != "" {
		text = b.Of + ", " + text
	}
	if b.Source != "" {
		text += " (" + b.Source + ")"
	}
	return oneLine(text)
}

// ceilingSentences say what the share means.
func ceilingSentences(run *summary.Run) []string {
	all := []string{
		"For each token of an answer all weights that it needs, and the keys and values of the positions before it, come from memory once: tokens/s cannot be above bandwidth / bytes. The share of that ceiling tells whether the engine or the machine is the limit.",
		fmt.Sprintf("From about %s on, the memory is the limit: only fewer bytes (a smaller quantisation, a smaller model) or faster memory help. Far below, the engine, its settings or its arithmetic are: on the same memory another one may be faster by up to what stands under \"at best\".", percent(memoryBound)),
	}
	for i := range run.Cells {
		c := &run.Cells[i]
		if c.Ceiling != nil && (c.Traffic.Concurrency > 1 || c.Traffic.Open()) {
			all = append(all, "With several requests under way the share is that of each request, against the ceiling of one alone. An engine that batches reads the weights once for all of them, so that their throughput together may be above it.")
			break
		}
	}
	for i := range run.Cells {
		if c := run.Cells[i].Ceiling; c != nil && c.Basis != exobench.CeilingOfFile {
			all = append(all, "Where a model's file could not be read, the bytes are reckoned from the size of its weights and the catalogue's shape.")
			break
		}
	}
	return all
}

// memoryBound is the share from which on the memory is the limit. Engines that do
// nothing else reach 60 to 90 % of what a bare loop reads.
const memoryBound = 0.6

func ceilings(run *summary.Run) Section {
	s := Section{Title: "Speed and the memory's bandwidth"}
	if t := ceilingTable(run); t != nil {
		s.prose(ceilingSentences(run)...)
		s.add(t)
	}
	return s
}

// ceilingSentence says what is wrong where requests were faster than their
// ceiling.
func ceilingSentence(figures summary.Figures) string {
	f, ok := figures.(summary.AboveCeiling)
	if !ok {
		return ""
	}
	text := fmt.Sprintf("Tokens/s is %s of the ceiling that a bandwidth of %s GB/s sets, which cannot be: ", percent(f.Share), digits(f.Bandwidth/1e9))
	switch {
	case f.Drafted:
		return fmt.Sprintf("Tokens/s is %s of the ceiling of one token a step: drafts were used, which give several, so the share says nothing of the memory.", percent(f.Share))
	case f.From == exobench.BandwidthMeasured:
		return text + "the machine was busy when its bandwidth was measured, part of the model was read from a cache, or the engine does not run on the CPU; give the right one with --bandwidth."
	case f.From == exobench.BandwidthGiven:
		return text + "the one given with --bandwidth is too low, or the model reads less for a token than its shape says."
	}
	return text + "the published figure is not that of this device, or the model reads less for a token than its shape says; give the right one with --bandwidth."
}
