package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"exobench"
	"exobench/summary"
)

// Text writes the results as a table for a terminal of the width given, in
// characters; 0 is no limit. Columns that do not fit are left out from the
// right and named below.
func Text(w io.Writer, run *summary.Run, width int) error {
	var b strings.Builder
	paragraph := func(text string) {
		for _, line := range fold(oneLine(text), width) {
			b.WriteString(line + "\n")
		}
	}
	if label := labelSentence(run); label != "" {
		paragraph(label)
	}
	for _, warning := range run.Warnings() {
		paragraph(warning)
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	notes := &footnotes{}
	t := mainTable(run, notes)
	// Kept whatever the width: what the row is of, n and latency.
	dropped := t.fit(width, len(lineHeads(run))+2)
	t.plain(&b)
	b.WriteString("\n")
	paragraph("Median [95 % interval] of the n OK requests; additional memory is peak − before the load.")
	if len(dropped) > 0 {
		paragraph(fmt.Sprintf("Left out for want of width: %s.", strings.Join(dropped, ", ")))
	}
	for _, text := range labelNotes(run, t) {
		paragraph(text + ".")
	}
	for i, text := range notes.texts {
		paragraph(superscript(i+1) + " " + text)
	}
	for _, c := range run.Cells {
		for _, outcome := range exobench.Outcomes {
			if first := c.Errors[outcome]; first != "" && outcome != exobench.OK {
				paragraph(fmt.Sprintf("%s, first %s: %s", subjectName(run, cellName(run, c), c.Engine), outcome, shorten(oneLine(first), 200)))
			}
		}
	}
	for _, n := range run.Notes {
		paragraph("Note: " + noteText(run, n))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fit makes the table fit a width, first by leaving out columns after the least
// number given, then by shortening names. It returns the headings left out.
func (t *table) fit(width, least int) (dropped []string) {
	if width <= 0 {
		return nil
	}
	for t.width() > width && len(t.heads) > least {
		dropped = append([]string{t.dropLast()}, dropped...)
	}
	if over := t.width() - width; over > 0 {
		t.shortenFirst(max(8, t.widths()[0]-over))
	}
	return dropped
}

// fold breaks a text at its spaces into lines of a width; 0 is no limit.
func fold(text string, width int) []string {
	if width <= 0 {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
