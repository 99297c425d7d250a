package peers

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"exobench/stat"
)

// Text writes the report for people: the figures of each measure, aligned, under
// its definition, and the notes.
func (r Report) Text(w io.Writer) error {
	var b bytes.Buffer
	cell := []string{r.Engine, r.Model}
	if r.Placement != "" {
		cell = append(cell, r.Placement)
	}
	fmt.Fprintf(&b, "As %s would have reported it (%s)\n", r.Tool.Title, r.Tool.Version)
	load := fmt.Sprintf("concurrency %d", r.Concurrency)
	if r.Rate > 0 {
		load = fmt.Sprintf("%g requests/s", r.Rate)
	}
	fmt.Fprintf(&b, "%s, %s: %d of %d requests count\n", strings.Join(cell, " / "), load, r.Counted, r.Requests)
	fmt.Fprintf(&b, "percentiles: %s\nstandard deviation: %s\n", r.Tool.Percentile, r.Tool.SD)
	width := 0
	for _, m := range r.Measures {
		for _, f := range m.Figures {
			width = max(width, utf8.RuneCountInString(f.Name))
		}
	}
	thin := false
	for _, m := range r.Measures {
		fmt.Fprintf(&b, "\n%s (%s, n = %d): %s\n", m.Name, m.Unit, m.N, m.Definition)
		for _, f := range m.Figures {
			mark := ""
			if p := f.Name; (strings.Contains(p, "p99") && !stat.Supports(0.99, m.N)) || (strings.Contains(p, "p95") && !stat.Supports(0.95, m.N)) {
				mark, thin = " *", true
			}
			fmt.Fprintf(&b, "  %-*s %12.3f%s\n", width, f.Name, f.Value, mark)
		}
		if m.Note != "" {
			fmt.Fprintf(&b, "  note: %s\n", m.Note)
		}
	}
	fmt.Fprintln(&b)
	if thin {
		fmt.Fprintln(&b, "* too few values to speak of this percentile; the tool prints it all the same")
	}
	for _, note := range r.Tool.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	_, err := w.Write(b.Bytes())
	return err
}
