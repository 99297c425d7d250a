package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// Markdown writes a document as GitHub reads it, tables padded so that the source
// can be read as well.
func Markdown(w io.Writer, d *Document) error {
	m := new(markdown)
	m.line("# " + escapeMarkdown(d.Title))
	m.parts(d.Lead)
	for _, s := range d.Sections {
		m.line("## " + escapeMarkdown(s.Title))
		m.parts(s.Parts)
	}
	_, err := io.WriteString(w, strings.TrimSuffix(m.String(), "\n"))
	return err
}

// markdown is a document under construction.
type markdown struct{ strings.Builder }

// line writes a block of one line, and the empty line after it.
func (m *markdown) line(text string) { m.WriteString(text + "\n\n") }

func (m *markdown) parts(parts []Part) {
	for _, part := range parts {
		switch p := part.(type) {
		case Paragraph:
			m.paragraph(p)
		case List:
			for _, item := range p {
				m.WriteString("- " + startOfLine(markdownText(item)) + "\n")
			}
			m.WriteString("\n")
		case *Table:
			m.table(p)
		case Figures:
			m.figures(p)
		}
	}
}

func (m *markdown) paragraph(p Paragraph) {
	text := startOfLine(markdownText(p.Text))
	if p.Callout {
		m.line("> **" + text + "**")
		return
	}
	m.line(text)
}

func (m *markdown) figures(figures Figures) {
	var links []string
	for _, f := range figures {
		links = append(links, fmt.Sprintf("[%s](%s)", escapeMarkdown(f.Title), f.File))
	}
	m.line("Plots: " + strings.Join(links, ", ") + ".")
}

func (m *markdown) table(t *Table) {
	rows := make([][]string, 2, 2+len(t.Rows))
	for _, c := range t.Columns {
		rows[0] = append(rows[0], markdownField(plainText(c.Head)))
	}
	for _, row := range t.Rows {
		fields := make([]string, len(row))
		for i, field := range row {
			fields[i] = markdownField(field)
		}
		rows = append(rows, fields)
	}
	rows[1] = make([]string, len(t.Columns))
	widths := widths(rows, utf8.RuneCountInString)
	for i, c := range t.Columns {
		rule := strings.Repeat("-", max(2, widths[i])-1)
		if c.Left {
			rows[1][i] = ":" + rule
		} else {
			rows[1][i] = rule + ":"
		}
	}
	for _, row := range rows {
		for i, field := range row {
			m.WriteString("| " + pad(field, widths[i]-utf8.RuneCountInString(field), t.Columns[i].Left) + " ")
		}
		m.WriteString("|\n")
	}
	m.WriteString("\n")
	m.notes(t)
}

// notes writes what the marks of a table mean, a line each.
func (m *markdown) notes(t *Table) {
	if len(t.Legend) > 0 {
		var lines []string
		for _, text := range t.Legend {
			lines = append(lines, startOfLine(escapeMarkdown(text)))
		}
		m.line(strings.Join(lines, "  \n"))
	}
	for i, text := range t.Notes {
		m.WriteString(superscript(i+1) + " " + escapeMarkdown(text) + "  \n")
	}
	if len(t.Notes) > 0 {
		m.WriteString("\n")
	}
}

// markdownText returns a text with its marks of meaning as Markdown has them.
func markdownText(t Text) string {
	var b strings.Builder
	for i, s := range t {
		text := escapeMarkdown(s.Text)
		if s.Strong {
			text = "**" + text + "**"
		}
		b.WriteString(text + t.mark(i))
	}
	return b.String()
}

// markdownField returns a text for a table, whose columns are parted by bars.
func markdownField(t Text) string { return strings.ReplaceAll(markdownText(t), "|", `\|`) }

// special are the places where Markdown, as GitHub reads it, may take a text for
// more than that: escapes, emphasis, code, HTML, entities, links and the end of a
// heading. An underscore between letters is none, nor is a bracket that nothing of
// a link follows.
var special = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("[\\\\`*~<]|&[#\\pL]|\\][(\\[:]|_{2,}|\\b_|_\\b|#+$") })

// escapeMarkdown is what every text goes through on its way into Markdown: it
// then stands on one line and means only itself.
func escapeMarkdown(text string) string {
	return special().ReplaceAllStringFunc(printable(oneLine(text)), func(found string) string {
		if found[0] == '_' {
			return strings.Repeat(`\_`, len(found))
		}
		return `\` + found
	})
}

// opening is what begins something else than a paragraph at the start of a line.
var opening = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:[-+#>=|]|(\d+)([.)]))`) })

// startOfLine escapes what at the start of a line would not be text.
func startOfLine(escaped string) string {
	found := opening().FindStringSubmatchIndex(escaped)
	switch {
	case found == nil:
		return escaped
	case found[2] >= 0:
		return escaped[:found[3]] + `\` + escaped[found[3]:]
	}
	return `\` + escaped
}
