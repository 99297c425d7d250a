package terminal

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"exobench"
	"exobench/summary"
)

// drawnRow is a row in two lengths: with all that there is to tell, its cells
// and the whole reason why it failed, and in one line.
type drawnRow struct {
	full  []string
	short string
}

// drawRow renders a step.
func drawRow(f *frame, i, nameWidth, width int) drawnRow {
	r := &f.rows[i]
	name := pad(label(r, nameWidth), nameWidth)
	var lead string
	var text paragraph
	switch {
	case r.failed():
		lead, text = bad.Render("✗")+" "+name, r.failure()
	case r.state == summary.Done, r.state == summary.Kept:
		lead, text = good.Render("✓")+" "+name, r.result()
	case r.state == summary.Interrupted:
		lead, text = alert.Render("■")+" "+name, r.cutShort()
	case r.state.Begun():
		lead, text = busy.Render("▸")+" "+strong.Render(name), r.activity()
	case r.never:
		return oneLineRow("  " + faint.Render("· "+name+"  not run"))
	default:
		return oneLineRow("  " + faint.Render("· "+strings.TrimRight(name, " ")))
	}
	lead = "  " + lead + "  "
	full := text.lines(lead, 4+nameWidth+2, width)
	if r.listsCells() {
		for j := range r.cells {
			full = append(full, drawCell(&r.cells[j], nameWidth))
		}
	}
	short := lead + text.style.Render(text.brief)
	if text.brief == "" {
		short = lead + text.styled() + text.after
	}
	return drawnRow{full: full, short: short}
}

func oneLineRow(line string) drawnRow { return drawnRow{full: []string{line}, short: line} }

// paragraph is what a row says beside its name.
type paragraph struct {
	// text, of which as much as needed goes to further lines, is in style.
	text  string
	style lipgloss.Style
	// after follows in looks of its own.
	after string
	// brief is said instead where there is one line for it all; empty means text
	// and after.
	brief string
}

func (p *paragraph) styled() string {
	if p.text == "" {
		return ""
	}
	return p.style.Render(p.text)
}

// lines renders the paragraph beside a lead of so many columns, and below it
// where beside it there is little room.
func (p *paragraph) lines(lead string, leadWidth, width int) []string {
	const little, indent = 24, 6
	columns, margin := width-leadWidth, strings.Repeat(" ", leadWidth)
	parts := wrap(p.text, columns)
	if len(parts) > 1 && columns < little {
		parts = append([]string{""}, wrap(p.text, width-indent)...)
		margin = strings.Repeat(" ", indent)
	}
	var lines []string
	for i, part := range parts {
		line := margin
		if i == 0 {
			line = lead
		}
		if part != "" {
			line += p.style.Render(part)
		}
		lines = append(lines, line)
	}
	lines[len(lines)-1] += p.after
	return lines
}

// failed reports whether the step failed, or its requests all did.
func (r *row) failed() bool {
	if r.state == summary.Failed {
		return true
	}
	if r.state != summary.Done && r.state != summary.Kept {
		return false
	}
	answered := false
	for _, c := range r.cells {
		answered = answered || c.peek.N > 0
	}
	return !answered && r.requests() > 0
}

// failure says why the step failed.
func (r *row) failure() paragraph {
	reason := r.reason
	if r.state != summary.Failed {
		return paragraph{text: "no request succeeded: " + lastError(r.cells), style: bad}
	}
	if n := r.requests(); n > 0 {
		reason = fmt.Sprintf("after %s: %s", count(n, "request"), reason)
	}
	return paragraph{text: reason, style: bad}
}

// lastError says how the latest request that was not OK went.
func lastError(cells []cellRow) string {
	words := ""
	for i := range cells {
		p := &cells[i].peek
		for _, outcome := range exobench.Outcomes {
			if outcome != exobench.OK && p.Outcomes[outcome] > 0 {
				words = strings.ReplaceAll(string(outcome), "_", " ")
			}
		}
		if p.LastError != "" {
			words = oneLine(p.LastError)
		}
	}
	return words
}

// result says how the step went.
func (r *row) result() paragraph {
	requests := count(r.requests(), "request") + wrongOf(r.wrong())
	so := rangeOf(r.cells)
	if !r.listsCells() {
		return paragraph{after: joined(so, requests)}
	}
	return paragraph{after: requests, brief: joined(so, requests)}
}

// cutShort says how far the step came before an interrupt.
func (r *row) cutShort() paragraph {
	p := paragraph{text: "interrupted", style: alert}
	if r.listsCells() {
		if n := r.requests(); n > 0 {
			p.after = " after " + count(n, "request")
		}
		return p
	}
	for i := range r.cells {
		c := &r.cells[i]
		switch {
		case c.requests == 0:
			continue
		case c.planned > 0:
			p.after = fmt.Sprintf(" %d/%d", c.requests, c.planned)
		default:
			p.after = " after " + count(c.requests, "request")
		}
		if so := figures(c); so != "" {
			p.after += dot + so
		}
	}
	return p
}

// activity says what the step is doing.
func (r *row) activity() paragraph {
	p := paragraph{style: busy}
	switch {
	case r.warmingUp:
		p.text = fmt.Sprintf("warm-up %d/%d", r.warmups, r.warmupsWanted)
	case r.measuring >= 0 && len(r.cells) > 1:
		c := &r.cells[r.measuring]
		p.text = fmt.Sprintf("measuring, cell %d of %d", r.measuring+1, len(r.cells))
		p.brief = joined(busy.Render("measuring "+trafficOf(c.traffic))+" "+c.progress(), figures(c))
	case r.measuring >= 0:
		c := &r.cells[r.measuring]
		p.text = "measuring"
		if c.traffic.Open() || c.traffic.Concurrency > 1 {
			p.text += " " + trafficOf(c.traffic)
		}
		if c.planned == 0 {
			p.text += ","
		}
		p.after = joined(" "+c.progress(), figures(c))
	default:
		e := r.stage
		if oneLine(e.Placement) == r.placement {
			e.Placement = "" // the name tells it
		}
		p.text = inStage(e, r.inStage)
		switch {
		case e.Stage == exobench.StageLoad && e.LayersTotal > 0:
			p.after = " " + bar(float64(e.Layers)/float64(e.LayersTotal), 12)
		case e.Stage == exobench.StageDownload && e.DownloadTotal > 0:
			p.after = " " + bar(float64(e.Downloaded)/float64(e.DownloadTotal), 12)
		}
	}
	return p
}

// listsCells reports whether the cells of the row have lines of their own: where
// there are several, from the first request on.
func (r *row) listsCells() bool {
	if len(r.cells) < 2 {
		return false
	}
	for _, c := range r.cells {
		if c.state.Begun() {
			return true
		}
	}
	return false
}

func (r *row) requests() int {
	n := 0
	for _, c := range r.cells {
		n += c.requests
	}
	return n
}

func (r *row) wrong() int {
	n := 0
	for _, c := range r.cells {
		n += c.wrong
	}
	return n
}

// nameWidth returns how wide the column of names is: a third of the width at
// most, and half where placements are part of them.
func nameWidth(f *frame, width int) int {
	const least = 8
	wanted, most := 0, width/3
	for i := range f.rows {
		r := &f.rows[i]
		wanted = max(wanted, ansi.StringWidth(r.name+placementOf(r)))
		if r.listsCells() {
			wanted = max(wanted, least)
		}
		if r.placement != "" {
			most = width / 2
		}
	}
	return min(wanted, max(least, most))
}

func placementOf(r *row) string {
	if r.placement == "" {
		return ""
	}
	return " · " + r.placement
}

// label names a row in so many columns at most. Of a model's name the end tells
// more; and a placement more than the last bit of that.
func label(r *row, columns int) string {
	const least = 8
	name, placement := r.name, placementOf(r)
	room := max(columns-ansi.StringWidth(placement), min(least, columns))
	if over := ansi.StringWidth(name) - room; over > 0 {
		name = ansi.TruncateLeft(name, over+1, "…")
	}
	return ansi.Truncate(name+placement, columns, "…")
}

// pad fills a name up to so many columns.
func pad(name string, columns int) string {
	return name + strings.Repeat(" ", max(0, columns-ansi.StringWidth(name)))
}
