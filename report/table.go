package report

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// engineHead is the heading of the column of engines.
const engineHead = "Engine"

// table is rows of finished text under headings. Its first column is aligned
// to the left, and so are that of engines and those whose headings are in left;
// the others to the right.
type table struct {
	heads []string
	left  []string
	rows  [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) leftAligned(column int) bool {
	head := t.heads[column]
	return column == 0 || head == engineHead || slices.Contains(t.left, head)
}

// widths returns the width of each column in characters.
func (t *table) widths() []int {
	widths := make([]int, len(t.heads))
	for _, row := range append([][]string{t.heads}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// markdown renders the table as GitHub does tables, padded so that the source
// can be read as well.
func (t *table) markdown(b *strings.Builder) {
	escaped := table{heads: t.heads, left: t.left}
	for _, row := range t.rows {
		cells := slices.Clone(row)
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
		}
		escaped.add(cells...)
	}
	widths := escaped.widths()
	rule := make([]string, len(widths))
	for i, w := range widths {
		rule[i] = strings.Repeat("-", max(2, w)-1)
		if t.leftAligned(i) {
			rule[i] = ":" + rule[i]
		} else {
			rule[i] += ":"
		}
	}
	for _, row := range slices.Concat([][]string{t.heads, rule}, escaped.rows) {
		for i, cell := range row {
			b.WriteString("| " + pad(cell, widths[i], t.leftAligned(i)) + " ")
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
}

// columnGap separates the columns of a plain table.
const columnGap = "  "

// plain renders the table for a terminal.
func (t *table) plain(b *strings.Builder) {
	widths := t.widths()
	for _, row := range append([][]string{t.heads}, t.rows...) {
		var cells []string
		for i, cell := range row {
			cells = append(cells, pad(cell, widths[i], t.leftAligned(i)))
		}
		b.WriteString(strings.TrimRight(strings.Join(cells, columnGap), " ") + "\n")
	}
}

// width returns how wide the plain table is.
func (t *table) width() int {
	width := -len(columnGap)
	for _, w := range t.widths() {
		width += w + len(columnGap)
	}
	return width
}

// dropLast takes the last column away and returns its heading.
func (t *table) dropLast() string {
	last := len(t.heads) - 1
	head := t.heads[last]
	t.heads = t.heads[:last]
	for i := range t.rows {
		t.rows[i] = t.rows[i][:last]
	}
	return head
}

// shortenFirst cuts the first column to a width.
func (t *table) shortenFirst(width int) {
	for _, row := range t.rows {
		row[0] = shorten(row[0], width)
	}
}

func pad(cell string, width int, left bool) string {
	space := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(cell)))
	if left {
		return cell + space
	}
	return space + cell
}

// shorten cuts a text to a number of characters, the last an ellipsis.
func shorten(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// footnotes are the remarks on a table, numbered in the order of their first
// mark.
type footnotes struct{ texts []string }

// mark returns the sign that refers to a footnote.
func (f *footnotes) mark(text string) string {
	i := slices.Index(f.texts, text)
	if i < 0 {
		i = len(f.texts)
		f.texts = append(f.texts, text)
	}
	return superscript(i + 1)
}

func (f *footnotes) marks(texts []string) string {
	var marks []string
	for _, text := range texts {
		marks = append(marks, f.mark(text))
	}
	return strings.Join(marks, ",")
}

func superscript(n int) string {
	signs := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	if n < 10 {
		return string(signs[n])
	}
	return superscript(n/10) + string(signs[n%10])
}
