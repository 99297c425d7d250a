package report

import (
	"slices"
	"strings"

	"exobench/plot"
)

// Document is what a report says, whatever it is written in: its parts are plain
// text with a few marks of meaning, and each renderer finds its own form for
// them. Texts may hold anything that a server or a user wrote; a renderer passes
// every one of them through its one function that escapes.
type Document struct {
	Title string
	// Lead stands before the first section: what the reader must not miss.
	Lead     []Part
	Sections []Section
}

// figure returns the figure whose file has that name.
func (d *Document) figure(file string) (Figure, bool) {
	for _, s := range d.Sections {
		for _, part := range s.Parts {
			figures, _ := part.(Figures)
			if i := slices.IndexFunc(figures, func(f Figure) bool { return f.File == file }); i >= 0 {
				return figures[i], true
			}
		}
	}
	return Figure{}, false
}

// Section is some parts under a heading.
type Section struct {
	Title string
	Parts []Part
}

// add appends parts to the section.
func (s *Section) add(parts ...Part) { s.Parts = append(s.Parts, parts...) }

// prose appends a paragraph of plain text.
func (s *Section) prose(sentences ...string) {
	s.add(Paragraph{Text: plainText(strings.Join(sentences, " "))})
}

// Part is a Paragraph, a List, a *Table or a Figures.
type Part interface{ part() }

func (Paragraph) part() {}
func (List) part()      {}
func (*Table) part()    {}
func (Figures) part()   {}

// Paragraph is running text.
type Paragraph struct {
	Text Text
	// Callout is set where the reader must not miss it.
	Callout bool
}

// List is texts that stand below each other.
type List []Text

// Figures are pictures that stand together.
type Figures []Figure

// Figure is a picture: File is its name beside the report, Title what it shows
// in a word or two. Chart is empty of the timeline, which is drawn from all
// readings.
type Figure struct {
	File, Title string
	Chart       plot.Figure
}

// Text is running text on one line.
type Text []Span

// Span is a stretch of text of one meaning.
type Span struct {
	Text   string
	Strong bool
	// Note, where it is not 0, has the span refer to that footnote of its table,
	// counted from 1; its text is empty.
	Note int
}

// plainText is a Text without marks of meaning.
func plainText(text string) Text { return Text{{Text: text}} }

// String returns the text without its marks of meaning, footnotes as superscript
// numbers.
func (t Text) String() string {
	var b strings.Builder
	for i, s := range t {
		b.WriteString(s.Text + t.mark(i))
	}
	return b.String()
}

// mark returns how span i refers to a footnote; nothing where it does not.
func (t Text) mark(i int) string {
	switch {
	case t[i].Note == 0:
		return ""
	case i > 0 && t[i-1].Note > 0:
		return "," + superscript(t[i].Note)
	}
	return superscript(t[i].Note)
}

// Table is rows of finished text under headings.
type Table struct {
	Columns []Column
	Rows    [][]Text
	// Notes are the footnotes that the rows refer to, the first being number 1.
	Notes []string
	// noted has the numbers of the footnotes, by their texts.
	noted map[string]int
	// Legend explains other marks in the table, such as those of engines.
	Legend []string
}

// Column is a heading, and how what stands below it is shown.
type Column struct {
	Head string
	// Left aligns it to the left; numbers stand to the right.
	Left bool
	// Keep is set where the column must be shown however narrow the page is.
	Keep bool
}

// left and right are columns of text and of numbers.
func left(head string) Column  { return Column{Head: head, Left: true} }
func right(head string) Column { return Column{Head: head} }

// add appends a row of plain text.
func (t *Table) add(fields ...string) {
	row := make([]Text, len(fields))
	for i, field := range fields {
		row[i] = plainText(field)
	}
	t.Rows = append(t.Rows, row)
}

// note returns the number of a footnote, which it adds where the table does not
// have it yet.
func (t *Table) note(text string) int {
	n, there := t.noted[text]
	if !there {
		if t.noted == nil {
			t.noted = map[string]int{}
		}
		t.Notes = append(t.Notes, text)
		n = len(t.Notes)
		t.noted[text] = n
	}
	return n
}

// refer has a field of the last row refer to footnotes.
func (t *Table) refer(column int, notes []string) {
	row := t.Rows[len(t.Rows)-1]
	for _, text := range notes {
		row[column] = append(row[column], Span{Note: t.note(text)})
	}
}

func superscript(n int) string {
	signs := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	if n < 10 {
		return string(signs[n])
	}
	return superscript(n/10) + string(signs[n%10])
}
