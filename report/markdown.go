package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"exobench"
	"exobench/metric"
	"exobench/stat"
	"exobench/summary"
)

// definitions are the metrics whose definitions stand in every report: those of
// its tables.
var definitions = slices.Concat(mainMetrics, []string{
	metric.Throughput, metric.MemoryBefore, metric.MemoryLoaded, metric.MemoryPeak,
	metric.MemoryModel, metric.MemoryInference, metric.LoadTime, metric.DownloadTime,
})

func writeMarkdown(w io.Writer, run *summary.Run) error {
	var b strings.Builder
	writeBanner(&b, run)
	writeFacts(&b, run)

	notes := &footnotes{}
	b.WriteString("## Results\n\n")
	b.WriteString("Plots: [latency](latency_by_model.png), [memory](memory_by_model.png), [tokens per second](tps_by_model.png).\n\n")
	b.WriteString("Median of the OK requests, with its 95 % confidence interval; n is the number of OK requests (of all, where some failed). Throughput is over the whole cell.\n\n")
	writeTable(&b, run, mainTable(run, notes))
	for i, text := range notes.texts {
		fmt.Fprintf(&b, "%s %s  \n", superscript(i+1), text)
	}
	if len(notes.texts) > 0 {
		b.WriteString("\n")
	}

	writePercentiles(&b, run)
	b.WriteString("## Memory\n\n" + memorySentence(run) + "\n\n")
	writeTable(&b, run, memoryTable(run))
	writeNodes(&b, run)
	writeClientServer(&b, run)

	writeHarness(&b, run)
	b.WriteString("## Models and load times\n\n")
	b.WriteString(loadSentence(run))
	writeTable(&b, run, modelTable(run))

	fmt.Fprintf(&b, "## By prompt\n\nMedians, with their 95 %% interval where n is at least %d.\n\n", summary.IntervalN)
	writeTable(&b, run, promptTable(run))
	writeFailures(&b, run)
	writeNotes(&b, run)
	writeDefinitions(&b, run)
	_, err := io.WriteString(w, b.String())
	return err
}

// writePercentiles leaves the table out where it would hold nothing.
func writePercentiles(b *strings.Builder, run *summary.Run) {
	b.WriteString("## Percentiles\n\n")
	supported := func(c summary.Cell) bool { return stat.Supports(shownPercentiles[0].p, c.N) }
	if !slices.ContainsFunc(run.Cells, supported) {
		b.WriteString("No cell has the 10 OK requests that a p90 needs (p95: 20, p99: 100); raise --repeat or --requests.\n\n")
		return
	}
	writeTable(b, run, percentileTable(run))
	b.WriteString(unsupported + "\n\n")
}

// writeBanner says first what the reader must not miss.
func writeBanner(b *strings.Builder, run *summary.Run) {
	fmt.Fprintf(b, "# exobench: %s\n\n", engineNames(run))
	if label := labelSentence(run); label != "" {
		fmt.Fprintf(b, "**%s**\n\n", label)
	}
	for _, warning := range run.Warnings() {
		fmt.Fprintf(b, "> **%s**\n\n", oneLine(warning))
	}
}

// writeTable writes a table, and what the marks of its engines mean.
func writeTable(b *strings.Builder, run *summary.Run, t *table) {
	t.markdown(b)
	if notes := labelNotes(run, t); len(notes) > 0 {
		b.WriteString(strings.Join(notes, "  \n") + "\n\n")
	}
}

// loadSentence names the engines whose loads were not timed.
func loadSentence(run *summary.Run) string {
	var names []string
	for _, e := range run.Header.Engines {
		if !e.LifeCycle {
			names = append(names, e.Name)
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case !several(run):
		return "exobench did not drive the loads of this engine, so they were not timed.\n\n"
	}
	return fmt.Sprintf("exobench did not drive the loads of %s, so they were not timed.\n\n", strings.Join(names, ", "))
}

// writeFacts says what ran where and when.
func writeFacts(b *strings.Builder, run *summary.Run) {
	h := run.Header
	host := []string{h.Host.Name}
	for _, part := range []string{h.Host.System, h.Host.CPU} {
		if part != "" {
			host = append(host, part)
		}
	}
	host = append(host, fmt.Sprintf("%d cores", h.Host.Cores))
	if h.Host.Memory > 0 {
		host = append(host, h.Host.Memory.String())
	}
	fact := func(name, format string, args ...any) {
		fmt.Fprintf(b, "- %s: %s\n", name, fmt.Sprintf(format, args...))
	}
	fact("Run", "%s, %s", h.RunID, h.Epoch.UTC().Format("2006-01-02 15:04:05 UTC"))
	for _, e := range h.Engines {
		fact("Engine", "%s", engineFact(e))
	}
	fact("Host", "%s", strings.Join(host, ", "))
	fact("Tool", "exobench %s, %s, %s/%s", h.Tool.Version, h.Tool.Go, h.Tool.OS, h.Tool.Arch)
	fact("Plan", "%s", planSentence(h.Plan))
	fact("Cache", "%s planned; answers say: %s", h.Plan.Cache, cacheSentence(run))
	fact("Requests", "%d measured, %d warm-ups left out", run.Requests, run.Warmups)
	b.WriteString("\n")
}

func planSentence(p exobench.Plan) string {
	requests := fmt.Sprintf("%d prompts × %d repeats", len(p.Prompts), p.Repeat)
	if p.Requests > 0 {
		requests = fmt.Sprintf("%d requests from %d prompts", p.Requests, len(p.Prompts))
	}
	length := fmt.Sprintf("%d tokens asked for", p.MaxTokens)
	if p.NaturalStop {
		length = fmt.Sprintf("at most %d tokens, natural stop", p.MaxTokens)
	}
	var loads []string
	for _, l := range p.Loads() {
		loads = append(loads, l.String())
	}
	loop := "closed loop, concurrency "
	if len(p.Rates) > 0 {
		loop = p.Arrival + " open loop, "
	}
	return fmt.Sprintf("%s in each cell, %s, %s%s, order seed %d", requests, length, loop, strings.Join(loads, ", "), p.Seeds.Order)
}

// cacheSentence counts the cells by what their answers tell of the cache.
func cacheSentence(run *summary.Run) string {
	counts := map[summary.Cache]int{}
	for _, c := range run.Cells {
		counts[c.Cache]++
	}
	var parts []string
	for _, kind := range []summary.Cache{summary.CacheCold, summary.CacheWarm, summary.CacheUnknown} {
		if counts[kind] > 0 {
			parts = append(parts, fmt.Sprintf("%s in %d of %d cells", kind, counts[kind], len(run.Cells)))
		}
	}
	return orDash(strings.Join(parts, ", "))
}

// memorySentence says what the readings are of.
func memorySentence(run *summary.Run) string {
	sentence := "Peak is the greatest over the OK requests of the cell; the results above give the median request."
	meanings := []struct {
		source  exobench.MemorySource
		meaning string
	}{
		{exobench.FromPSS, "pss: proportional set size of the engine's processes."},
		{exobench.FromRSS, "rss: resident set size of the engine's processes; pages that they share are counted more than once."},
		{exobench.FromNode, "node: all memory in use on the engine's nodes, whoever uses it; what else ran there is in it."},
	}
	sources := 0
	for _, m := range meanings {
		used := func(c summary.Cell) bool { return c.Memory.Source == m.source }
		if slices.ContainsFunc(run.Cells, used) {
			sentence += " " + m.meaning
			sources++
		}
	}
	if sources > 1 {
		sentence += " Compare only rows with the same source."
	}
	return sentence
}

func writeFailures(b *strings.Builder, run *summary.Run) {
	failures := failureTable(run)
	b.WriteString("## Failures\n\n")
	if len(failures.rows) == 0 {
		b.WriteString("None.\n\n")
		return
	}
	writeTable(b, run, failures)
}

func writeNotes(b *strings.Builder, run *summary.Run) {
	if len(run.Notes) == 0 {
		return
	}
	b.WriteString("## Notes of the run\n\n")
	for _, n := range run.Notes {
		fmt.Fprintf(b, "- %s\n", noteText(run, n))
	}
	b.WriteString("\n")
}

// definitionsOf adds those of the sections that not every report has.
func definitionsOf(run *summary.Run) []string {
	names := slices.Clone(definitions)
	if len(clientServerTable(run).rows) > 0 {
		names = append(names, metric.Prefill, metric.ServerPrefill, metric.ServerDecode)
	}
	if len(energyTable(run).rows) > 0 {
		names = append(names, metric.Energy, metric.EnergyPerToken)
	}
	return names
}

func writeDefinitions(b *strings.Builder, run *summary.Run) {
	b.WriteString("## Definitions\n\n")
	for _, name := range definitionsOf(run) {
		m, _ := metric.ByName(name)
		fmt.Fprintf(b, "- **%s**: %s.\n", m.Title, m.Formula)
	}
}
