package terminal

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"exobench"
)

// The looks. Colours are the terminal's own sixteen; without any, the marks
// tell the same.
var (
	strong = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
	good   = lipgloss.NewStyle().Foreground(lipgloss.Green)
	bad    = lipgloss.NewStyle().Foreground(lipgloss.Red)
	busy   = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	alert  = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
)

// draw renders a frame for a terminal of that size, as lines that fit it. It
// never fills the last line, where the cursor rests.
func draw(f frame, width, height int) string {
	head := drawTitle(f.engines, width)
	foot := append(drawRun(&f, width), drawNotes(f.notes)...)
	room := height - 1 - len(head) - len(foot) - 2
	lines := append(head, "")
	lines = append(lines, drawRows(&f, width, max(1, room))...)
	lines = append(lines, "")
	lines = append(lines, foot...)
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, width, "…")
	}
	if over := len(lines) - max(1, height-1); over > 0 {
		lines = lines[over:]
	}
	return strings.Join(lines, "\n") + "\n"
}

// drawTitle names the engines: one with all that is known of it, several with
// their versions where there is room for them; the rest stands above their rows.
func drawTitle(engines []exobench.Engine, width int) []string {
	line := strong.Render("exobench")
	dot := faint.Render(" · ")
	var names, versions []string
	for _, e := range engines {
		names = append(names, oneLine(e.Name))
		versions = append(versions, nameOf(e))
	}
	if len(engines) != 1 {
		title := line + strings.Join(append([]string{""}, versions...), dot)
		if ansi.StringWidth(title) > width {
			title = line + strings.Join(append([]string{""}, names...), dot)
		}
		return []string{title}
	}
	if versions[0] != "" {
		line += dot + versions[0]
	}
	if url := oneLine(engines[0].URL); url != "" {
		line += faint.Render(" · " + url)
	}
	lines := []string{line}
	if label := oneLine(engines[0].Label); label != "" {
		lines = append(lines, alert.Render(label))
	}
	return lines
}

// item is a line of the list: a row, or the heading above the rows of an
// engine, of which row is the first.
type item struct {
	row     int
	heading bool
}

// items lists what there is to show: the rows, and where there are several
// engines their headings.
func (f *frame) items() []item {
	var items []item
	for i, r := range f.rows {
		if f.several() && (i == 0 || r.engine != f.rows[i-1].engine) {
			items = append(items, item{i, true})
		}
		items = append(items, item{i, false})
	}
	return items
}

// drawRows renders one line per row, those of each of several engines below a
// heading; where there is less room, those around the step at work, and how
// many more there are.
func drawRows(f *frame, width, room int) []string {
	items := f.items()
	cells := nameCells(f, width)
	current := slices.Index(items, item{f.current, false})
	first, last := visible(len(items), current, room)
	headings := len(items) - len(f.rows)
	airy := len(items)+headings-1 <= room
	var lines []string
	for i := first; i < last; i++ {
		switch at := items[i]; {
		case i == first && first > 0 && room >= 3:
			lines = append(lines, drawAbove(f, items[:i+2]))
		case i == last-1 && last < len(items) && room >= 3:
			lines = append(lines, faint.Render(fmt.Sprintf("  ↓ %d more", rowsOf(items[i:]))))
		case at.heading:
			if airy && i > 0 {
				lines = append(lines, "")
			}
			lines = append(lines, drawHeading(f, at.row))
		default:
			lines = append(lines, drawRow(f, at.row, cells))
		}
	}
	return lines
}

// visible returns which of n lines show in room lines: a window around current.
func visible(n, current, room int) (first, last int) {
	if n <= room {
		return 0, n
	}
	first = min(max(0, current-room/2), n-room)
	return first, first + room
}

// rowsOf counts the rows among the items.
func rowsOf(items []item) int {
	n := 0
	for _, at := range items {
		if !at.heading {
			n++
		}
	}
	return n
}

// drawAbove renders the line that stands for the items but the last, which is
// the first that shows: how many rows are above, and the heading of that one if
// it has to have one.
func drawAbove(f *frame, items []item) string {
	next := items[len(items)-1]
	more := faint.Render(fmt.Sprintf("  ↑ %d more", rowsOf(items[:len(items)-1])))
	if f.several() && !next.heading {
		return drawHeading(f, next.row) + more
	}
	return more
}

// drawHeading tells of the engine of a row what a title has no room for.
func drawHeading(f *frame, row int) string {
	e := exobench.Engine{Name: f.rows[row].engine}
	for _, known := range f.engines {
		if known.Name == e.Name {
			e = known
		}
	}
	line := strong.Render(nameOf(e))
	if label := oneLine(e.Label); label != "" {
		line += faint.Render(" · ") + alert.Render(label)
	}
	if url := oneLine(e.URL); url != "" {
		line += faint.Render(" · " + url)
	}
	return line
}

// nameCells returns how wide the column of names is: a third of the width at
// most, and half where placements are part of them.
func nameCells(f *frame, width int) int {
	cells, most := 0, width/3
	for _, r := range f.rows {
		cells = max(cells, ansi.StringWidth(r.name+placementOf(r)))
		if r.placement != "" {
			most = width / 2
		}
	}
	return min(cells, max(8, most))
}

func placementOf(r row) string {
	if r.placement == "" {
		return ""
	}
	return " · " + r.placement
}

// label names a row in so many cells at most. Of a model's name the end tells
// more; and a placement more than the last bit of that.
func label(r row, cells int) string {
	const least = 8
	name, placement := r.name, placementOf(r)
	room := max(cells-ansi.StringWidth(placement), min(least, cells))
	if over := ansi.StringWidth(name) - room; over > 0 {
		name = ansi.TruncateLeft(name, over+1, "…")
	}
	return ansi.Truncate(name+placement, cells, "…")
}

func drawRow(f *frame, i, cells int) string {
	r := f.rows[i]
	name := label(r, cells)
	padded := name + strings.Repeat(" ", cells-ansi.StringWidth(name))
	switch r.status {
	case done:
		return "  " + good.Render("✓") + " " + padded + "  " + result(r)
	case failed:
		return "  " + bad.Render("✗") + " " + padded + "  " + bad.Render(r.reason)
	case interrupted:
		return "  " + alert.Render("■") + " " + padded + "  " + cutShort(r, f.share)
	case working:
		return "  " + busy.Render("▸") + " " + strong.Render(padded) + "  " + drawActivity(f, r)
	default:
		return faint.Render("  · " + name)
	}
}

// cutShort says how far a step came before an interrupt.
func cutShort(r row, share int) string {
	words := alert.Render("interrupted")
	switch {
	case r.requests == 0:
		return words
	case share > 0:
		words += fmt.Sprintf(" %d/%d", r.requests, share)
	default:
		words += " after " + count(r.requests, "request")
	}
	if so := figures(r); so != "" {
		words += faint.Render(" · ") + so
	}
	return words
}

// result says how a step went.
func result(r row) string {
	words := figures(r)
	if words != "" {
		words += " · "
	}
	words += count(r.requests, "request")
	if r.wrong > 0 {
		words += bad.Render(fmt.Sprintf(", %d failed", r.wrong))
	}
	return words
}

// figures are the medians of a row so far.
func figures(r row) string {
	if r.unanswered {
		return bad.Render("none OK")
	}
	var words []string
	if r.speed != nil {
		words = append(words, fmt.Sprintf("%.1f tok/s", *r.speed))
	}
	if r.latency != nil {
		words = append(words, seconds(*r.latency))
	}
	return strings.Join(words, " · ")
}

func drawActivity(f *frame, r row) string {
	load := f.load
	if load.Placement == r.placement {
		load.Placement = "" // the name tells it
	}
	words := busy.Render(activity(load, f.phase, f.concurrency))
	switch {
	case f.phase != "":
		if f.share > 0 {
			words += fmt.Sprintf(" %d/%d", r.requests, f.share)
		}
		if so := figures(r); so != "" {
			words += faint.Render(" · ") + so
		}
	case f.load.Stage == exobench.StageLoad && f.load.LayersTotal > 0:
		words += " " + bar(f.load.Layers, f.load.LayersTotal, 12)
	case f.load.Stage == exobench.StageDownload && f.load.DownloadTotal > 0:
		words += " " + bar(f.load.Downloaded, f.load.DownloadTotal, 12)
	}
	return words
}

// drawRun renders the progress of the whole run.
func drawRun(f *frame, width int) []string {
	requests := fmt.Sprintf("%d/%d requests", f.ended, f.total)
	if f.wrong > 0 {
		requests += bad.Render(fmt.Sprintf(", %d failed", f.wrong))
	}
	length := min(40, max(4, width-2-ansi.StringWidth(requests)-3))
	times := []string{clock(f.elapsed) + " elapsed"}
	if f.left != nil {
		times = append(times, "about "+clock(*f.left)+" left")
	}
	if f.speed != nil && f.phase != "" {
		times = append(times, fmt.Sprintf("%.0f tok/s now", *f.speed))
	}
	return []string{
		"  " + bar(f.ended, f.total, length) + "  " + requests,
		"  " + strings.Join(times, faint.Render(" · ")),
	}
}

// drawNotes renders the latest notes.
func drawNotes(notes []string) []string {
	const most = 3
	var lines []string
	for _, note := range notes[max(0, len(notes)-most):] {
		lines = append(lines, alert.Render("  note: "+note))
	}
	return lines
}

// bar renders a part of a whole in so many cells; it is full only at the end.
func bar[N ~int | ~int64](done, whole N, cells int) string {
	full := percent(done, whole) * cells / 100
	return busy.Render(strings.Repeat("█", full)) + faint.Render(strings.Repeat("░", cells-full))
}
