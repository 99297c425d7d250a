package report

import (
	"fmt"
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/stat"
	"exobench/summary"
)

// Full returns all that there is to say of a run.
func Full(run *summary.Run) *Document {
	d := &Document{Title: "exobench: " + engineNames(run), Lead: append(banner(run), facts(run))}
	for _, section := range []func(*summary.Run) Section{
		results, stopping, spreads, percentiles, ceilings, memory, gpus, nodes, energy, clientServer, harness, machineSection, modelLoads, prompts, failures, notes, definitions,
	} {
		if s := section(run); len(s.Parts) > 0 {
			d.Sections = append(d.Sections, s)
		}
	}
	return d
}

// Brief returns what a terminal shows when a run is over: the results, and what
// to doubt in them.
func Brief(run *summary.Run) *Document {
	s := Section{}
	s.prose("Median [95 % interval] of the n OK requests; additional memory is peak − before the load.")
	s.add(mainTable(run))
	for i := range run.Cells {
		c := &run.Cells[i]
		for _, outcome := range exobench.Outcomes {
			if first := c.Errors[outcome]; first != "" && outcome != exobench.OK {
				s.prose(fmt.Sprintf("%s, first %s: %s", subjectName(run, cellName(run, c), c.Engine), outcome, shorten(oneLine(first), 200)))
			}
		}
	}
	for i := range run.Cells {
		if text := endText(run, &run.Cells[i]); text != "" {
			s.prose(text + ".")
		}
	}
	for _, n := range run.Notes {
		s.prose("Note: " + noteText(run, n))
	}
	return &Document{Lead: banner(run), Sections: []Section{s}}
}

// banner says first what the reader must not miss.
func banner(run *summary.Run) []Part {
	var parts []Part
	if label := labelSentence(run); label != "" {
		parts = append(parts, Paragraph{Text: Text{{Text: label, Strong: true}}})
	}
	for _, text := range sentences(append(run.Warnings(), Foremost(run.Preflight())...)) {
		parts = append(parts, Paragraph{Text: plainText(text), Callout: true})
	}
	return parts
}

// The sections. One without parts is left out of the report.

func results(run *summary.Run) Section {
	s := Section{Title: "Results"}
	s.add(append(charts(run), Figure{File: timelineFile, Title: "memory and power over the run"}))
	sentences := []string{"Median of the OK requests, with its 95 % confidence interval; n is the number of OK requests (of all, where some failed)."}
	if text := basisText(run); text != "" {
		sentences = append(sentences, text)
	}
	s.prose(append(sentences, "Throughput is over the whole cell.")...)
	s.add(mainTable(run))
	return s
}

// basisText says what the intervals of the results speak for.
func basisText(run *summary.Run) string {
	within, between := false, false
	for i := range run.Cells {
		if s, ok := run.Cells[i].Metric(metric.Latency); ok && s.Interval != nil {
			within = within || s.Interval.Basis == stat.WithinBlock
			between = between || s.Interval.Basis == stat.BetweenBlocks
		}
	}
	switch {
	case within && between:
		return "Where a model was loaded several times, its intervals hold what differs from load to load; elsewhere they are within one load."
	case within:
		return "The intervals are within one load of each model: how much another load would differ they do not say."
	case between:
		return "The intervals hold what differs from load to load."
	}
	return ""
}

func percentiles(run *summary.Run) Section {
	s := Section{Title: "Percentiles"}
	t := percentileTable(run)
	if t == nil {
		s.prose("No cell has the 10 OK requests that a p90 needs (p95: 20, p99: 100); raise --repeat or --requests.")
		return s
	}
	s.add(t)
	s.prose(unsupported)
	return s
}

func memory(run *summary.Run) Section {
	s := Section{Title: "Memory"}
	s.prose(memorySentences(run)...)
	s.add(memoryTable(run))
	if t := stepMemoryTable(run); t != nil {
		s.prose(stepMemorySentences(run)...)
		s.add(t)
	}
	if t := cacheTable(run); t != nil {
		s.prose(cacheSentences(run)...)
		s.add(t)
	}
	return s
}

func gpus(run *summary.Run) Section {
	s := Section{Title: "GPUs"}
	if t := gpuTable(run); t != nil {
		s.prose("Of this host, in each bring-up. Busy, power and clock are means over time from the first measured request to the last; peak, all in use and temperature are the greatest in that time.",
			"Slowed is the share of that time in which the GPU said that it was slower than it could be for its power or its heat.")
		s.add(t)
	}
	return s
}

func nodes(run *summary.Run) Section {
	s := Section{Title: "Nodes"}
	if t := nodeTable(run); t != nil {
		s.prose("As the engine tells of its machines: of each all memory in use and its power, whoever uses it.",
			"Power and GPU are means over time from the first measured request to the last; peak and temperature are the greatest in that time.")
		s.add(t)
	}
	return s
}

func clientServer(run *summary.Run) Section {
	s := Section{Title: "Client and server"}
	if t := clientServerTable(run); t != nil {
		s.prose(fmt.Sprintf("Medians of what was measured here and of what the server says of the same n requests, the median ratio of the two, and the share of requests whose ratio is off by more than %s.", percent(summary.Tolerance)),
			"The estimate of the prefill rate is from TTFT, which also holds the queue, the template, the network and the first token's own time; the measured one is from the engine's news of its prefill, where it sends any.",
			"Output events fewer than tokens carry several tokens each.")
		s.add(t)
	}
	return s
}

func harness(run *summary.Run) Section {
	s := Section{Title: "The harness's own error"}
	if t := calibrationTable(run); t != nil {
		s.prose("Measured before the run against the timing reference, whose events carry the instant at which they were sent.",
			"Errors are what the harness measured less the truth, at the median and at p99.")
		s.add(t)
	}
	if text := observed(run); text != "" {
		s.prose(text)
	}
	if t := harnessTable(run); t != nil {
		s.prose("In each cell. Delivered is how many requests were under way on average; slip is how much later than planned an open loop sent its requests.",
			"Delay is from when the kernel received an event until it was read; metrics go by the kernel's instants, so it is in none of them.",
			"Steal is time that the host of a virtual machine took, foreign that of other programs; run delay is the share of the time in which exobench's own threads could have run that they waited for a core, and the longest wait one that is sure to have happened.")
		s.add(t)
	}
	return s
}

func modelLoads(run *summary.Run) Section {
	s := Section{Title: "Models and load times"}
	if text := notTimed(run); text != "" {
		s.prose(text)
	}
	s.add(loadTable(run))
	return s
}

func prompts(run *summary.Run) Section {
	s := Section{Title: "By prompt"}
	s.prose(fmt.Sprintf("Medians, with their 95 %% interval where n is at least %d.", summary.IntervalN))
	s.add(promptTable(run))
	return s
}

func failures(run *summary.Run) Section {
	s := Section{Title: "Failures"}
	if t := failureTable(run); t != nil {
		s.add(t)
	} else {
		s.prose("None.")
	}
	return s
}

func notes(run *summary.Run) Section {
	s := Section{Title: "Notes of the run"}
	var list List
	for _, n := range run.Notes {
		list = append(list, plainText(noteText(run, n)))
	}
	if len(list) > 0 {
		s.add(list)
	}
	return s
}

// defined are the metrics whose definitions stand in every report: those of its
// tables.
var defined = slices.Concat(mainMetrics, []string{
	metric.Throughput, metric.WallTime, metric.MemoryBefore, metric.MemoryLoaded, metric.MemoryPeak, metric.CellMemoryPeak,
	metric.MemoryModel, metric.MemoryInference, metric.LoadTime, metric.DownloadTime,
})

func definitions(run *summary.Run) Section {
	names := slices.Clone(defined)
	if clientServerTable(run) != nil {
		names = append(names, metric.Prefill, metric.PrefillMeasured, metric.ServerPrefill, metric.ServerDecode)
	}
	if tellsOwnPeak(run) {
		names = append(names, metric.ServerPeakMemory)
	}
	if tellsGPU(run) {
		names = append(names, metric.GPUMemoryPeak, metric.GPUMemoryBefore, metric.GPUMemoryLoaded)
	}
	if meterTable(run) != nil {
		names = append(names, energyMetrics...)
		names = append(names, metric.EnergyPerToken)
	}
	var list List
	for _, name := range names {
		m, _ := metric.ByName(name)
		list = append(list, Text{{Text: m.Title, Strong: true}, {Text: ": " + m.Formula + "."}})
	}
	return Section{Title: "Definitions", Parts: []Part{list}}
}
