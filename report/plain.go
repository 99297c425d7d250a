package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Plain writes a document as text for a terminal of the width given, in columns;
// 0 is no limit. Columns of tables that do not fit are left out from the right
// and named below.
func Plain(w io.Writer, d *Document, width int) error {
	p := &plain{width: width}
	if d.Title != "" {
		p.paragraph(d.Title)
		p.space()
	}
	p.parts(d.Lead)
	for _, s := range d.Sections {
		p.space()
		if s.Title != "" {
			p.paragraph(strings.ToUpper(s.Title))
			p.space()
		}
		p.parts(s.Parts)
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// plain is a document under construction.
type plain struct {
	strings.Builder
	width int
	// open is set where the last line is not an empty one.
	open bool
}

// space parts what follows from what stands above by an empty line.
func (p *plain) space() {
	if p.open {
		p.WriteString("\n")
	}
	p.open = false
}

// paragraph writes a text, broken into lines.
func (p *plain) paragraph(text string) {
	for _, line := range fold(escapePlain(text), p.width) {
		p.WriteString(line + "\n")
	}
	p.open = true
}

func (p *plain) parts(parts []Part) {
	for _, part := range parts {
		switch part := part.(type) {
		case Paragraph:
			p.paragraph(part.Text.String())
		case List:
			for _, item := range part {
				p.paragraph(item.String())
			}
		case *Table:
			p.space()
			p.table(part)
		case Figures:
			var names []string
			for _, f := range part {
				names = append(names, f.File)
			}
			p.paragraph("Plots: " + strings.Join(names, ", ") + ".")
		}
	}
}

// columnGap separates the columns of a table.
const columnGap = "  "

func (p *plain) table(t *Table) {
	columns := slices.Clone(t.Columns)
	rows := [][]string{nil}
	for _, c := range columns {
		rows[0] = append(rows[0], escapePlain(c.Head))
	}
	for _, row := range t.Rows {
		var fields []string
		for _, field := range row {
			fields = append(fields, escapePlain(field.String()))
		}
		rows = append(rows, fields)
	}
	rows, columns, dropped := fit(rows, columns, p.width)
	widths := widths(rows, ansi.StringWidth)
	for _, row := range rows {
		var fields []string
		for i, field := range row {
			fields = append(fields, pad(field, widths[i]-ansi.StringWidth(field), columns[i].Left))
		}
		p.WriteString(strings.TrimRight(strings.Join(fields, columnGap), " ") + "\n")
	}
	p.open = true
	p.space()
	if len(dropped) > 0 {
		p.paragraph(fmt.Sprintf("Left out for want of width: %s.", strings.Join(dropped, ", ")))
	}
	for _, text := range t.Legend {
		p.paragraph(text + ".")
	}
	for i, text := range t.Notes {
		p.paragraph(superscript(i+1) + " " + text)
	}
}

// fit makes rows fit a width, first by leaving out columns from the right, then by
// shortening the first one. It returns the headings left out.
func fit(rows [][]string, columns []Column, width int) (_ [][]string, kept []Column, dropped []string) {
	over := func() int {
		total := -len(columnGap)
		for _, w := range widths(rows, ansi.StringWidth) {
			total += w + len(columnGap)
		}
		return total - width
	}
	if width <= 0 {
		return rows, columns, nil
	}
	for i := len(columns) - 1; i >= 0 && over() > 0; i-- {
		if columns[i].Keep {
			continue
		}
		dropped = slices.Insert(dropped, 0, rows[0][i])
		columns = slices.Delete(columns, i, i+1)
		for j := range rows {
			rows[j] = slices.Delete(rows[j], i, i+1)
		}
	}
	if n := over(); n > 0 {
		first := max(8, widths(rows, ansi.StringWidth)[0]-n)
		for _, row := range rows {
			row[0] = ansi.Truncate(row[0], first, "…")
		}
	}
	return rows, columns, dropped
}

// widths returns the width of each column.
func widths(rows [][]string, width func(string) int) []int {
	all := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, field := range row {
			all[i] = max(all[i], width(field))
		}
	}
	return all
}

// pad fills a field up with spaces.
func pad(field string, spaces int, left bool) string {
	fill := strings.Repeat(" ", max(0, spaces))
	if left {
		return field + fill
	}
	return fill + field
}

// fold breaks a text at its spaces into lines of a width; 0 is no limit.
func fold(text string, width int) []string {
	if width <= 0 {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && ansi.StringWidth(line)+1+ansi.StringWidth(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

// escapePlain is what every text goes through on its way to a terminal: it then
// stands on one line and commands nothing.
func escapePlain(text string) string { return printable(oneLine(text)) }

// printable writes out what is no character to be seen, such as a terminal's
// commands, in the form \u001b.
func printable(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden reports whether a character commands what shows the text, rather than
// being shown: control characters, and those that turn the direction of others.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff'
}

// oneLine keeps a text on its line of a report.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// shorten cuts a text to a number of characters, the last an ellipsis.
func shorten(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}
