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

// definitions are the metrics whose definitions stand in the report: those of
// its tables.
var definitions = slices.Concat(mainMetrics, []string{
	metric.Throughput, metric.MemoryBefore, metric.MemoryLoaded, metric.MemoryPeak,
	metric.MemoryModel, metric.MemoryInference, metric.MemoryAdditional, metric.LoadTime, metric.DownloadTime,
})

func writeMarkdown(w io.Writer, run *summary.Run) error {
	var b strings.Builder
	writeBanner(&b, run)
	writeFacts(&b, run)

	notes := &footnotes{}
	b.WriteString("## Results\n\n")
	b.WriteString("Plots: [latency](latency_by_model.png), [memory](memory_by_model.png), [tokens per second](tps_by_model.png).\n\n")
	b.WriteString("Median of the OK requests, with its 95 % confidence interval; n is the number of OK requests (of all, where some failed). Throughput is over the whole cell.\n\n")
	mainTable(run, notes).markdown(&b)
	for i, text := range notes.texts {
		fmt.Fprintf(&b, "%s %s  \n", superscript(i+1), text)
	}
	if len(notes.texts) > 0 {
		b.WriteString("\n")
	}

	writePercentiles(&b, run)
	b.WriteString("## Memory\n\n" + memorySentence(run) + "\n\n")
	memoryTable(run).markdown(&b)

	b.WriteString("## Models and load times\n\n")
	if !slices.ContainsFunc(run.Header.Engines, func(e exobench.Engine) bool { return e.LifeCycle }) {
		b.WriteString("exobench did not drive the loads of this engine, so they were not timed.\n\n")
	}
	modelTable(run).markdown(&b)

	writeServers(&b, run)
	fmt.Fprintf(&b, "## By prompt\n\nMedians, with their 95 %% interval where n is at least %d.\n\n", summary.IntervalN)
	promptTable(run).markdown(&b)
	writeFailures(&b, run)
	writeNotes(&b, run)
	writeDefinitions(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeServers shows what servers tell of themselves, where they do.
func writeServers(b *strings.Builder, run *summary.Run) {
	tells := func(c summary.Cell) bool { return c.Reconciled.Decode.N > 0 || c.Reconciled.Prefill.N > 0 }
	if slices.ContainsFunc(run.Cells, tells) {
		b.WriteString("## Client and server\n\nTokens/s as measured here and as the server tells them; medians, and the median ratio. The client's prefill is an estimate from TTFT.\n\n")
		serverTable(run).markdown(b)
	}
	if len(run.Nodes) > 0 {
		b.WriteString("## Nodes\n\nAll memory in use on each machine, whoever uses it, as the engine tells it; power and GPU are means during requests.\n\n")
		nodeTable(run).markdown(b)
	}
}

// writePercentiles leaves the table out where it would hold nothing.
func writePercentiles(b *strings.Builder, run *summary.Run) {
	b.WriteString("## Percentiles\n\n")
	supported := func(c summary.Cell) bool { return stat.Supports(shownPercentiles[0].p, c.N) }
	if !slices.ContainsFunc(run.Cells, supported) {
		b.WriteString("No cell has the 10 OK requests that a p90 needs (p95: 20, p99: 100); raise --repeat or --requests.\n\n")
		return
	}
	percentileTable(run).markdown(b)
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

func engineName(e exobench.Engine) string { return strings.TrimSpace(e.Name + " " + e.Version) }

// engineNames lists the run's engines.
func engineNames(run *summary.Run) string {
	var names []string
	for _, e := range run.Header.Engines {
		names = append(names, engineName(e))
	}
	return strings.Join(names, ", ")
}

// labelSentence says what the results are of, where that must be said.
func labelSentence(run *summary.Run) string {
	var sentences []string
	for _, e := range run.Header.Engines {
		if e.Label == "" {
			continue
		}
		whose := "These results"
		if len(run.Header.Engines) > 1 {
			whose = "The results of " + e.Name
		}
		sentences = append(sentences, strings.TrimSpace(fmt.Sprintf("%s are of: %s. %s", whose, strings.TrimSuffix(e.Label, "."), e.Caveat)))
	}
	return strings.Join(sentences, " ")
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

// engineFact tells of an engine what the reader of its figures must know.
func engineFact(e exobench.Engine) string {
	text := engineName(e)
	if e.URL != "" {
		text += " at " + e.URL
	}
	if !e.LifeCycle {
		text += "; no life cycle: loads are not timed"
	}
	if !e.IgnoresEOS {
		text += "; answers end where the model ends them"
	}
	return text
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
	return fmt.Sprintf("%s in each cell, %s, closed loop, concurrency %s, order seed %d",
		requests, length, strings.Trim(strings.ReplaceAll(fmt.Sprint(p.Concurrency), " ", ", "), "[]"), p.Seeds.Order)
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
	for _, m := range meanings {
		used := func(c summary.Cell) bool { return c.Memory.Source == m.source }
		if slices.ContainsFunc(run.Cells, used) {
			sentence += " " + m.meaning
		}
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
	failures.markdown(b)
}

func writeNotes(b *strings.Builder, run *summary.Run) {
	if len(run.Notes) == 0 {
		return
	}
	b.WriteString("## Notes of the run\n\n")
	for _, n := range run.Notes {
		fmt.Fprintf(b, "- %s\n", noteText(n))
	}
	b.WriteString("\n")
}

func noteText(n exobench.Note) string {
	if n.Model == "" {
		return oneLine(n.Text)
	}
	return n.Model + ": " + oneLine(n.Text)
}

func writeDefinitions(b *strings.Builder) {
	b.WriteString("## Definitions\n\n")
	for _, name := range definitions {
		m, _ := metric.ByName(name)
		fmt.Fprintf(b, "- **%s**: %s.\n", m.Title, m.Formula)
	}
}
