package terminal

import (
	"fmt"
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
	head := drawTitle(f.engine)
	foot := append(drawRun(&f, width), drawNotes(f.notes)...)
	room := height - 1 - len(head) - len(foot) - 2
	lines := append(head, "")
	lines = append(lines, drawModels(&f, width, max(1, room))...)
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

func drawTitle(engine exobench.Engine) []string {
	line := strong.Render("exobench")
	if engine.Name != "" {
		line += faint.Render(" · ") + oneLine(engine.Name+" "+engine.Version)
	}
	if engine.URL != "" {
		line += faint.Render(" · " + oneLine(engine.URL))
	}
	lines := []string{line}
	if engine.Label != "" {
		lines = append(lines, alert.Render(oneLine(engine.Label)))
	}
	return lines
}

// drawModels renders one line per model; where there is less room, those around
// the model at work, and how many more there are.
func drawModels(f *frame, width, room int) []string {
	first, last := visible(len(f.rows), f.current, room)
	names := 0
	for _, r := range f.rows {
		names = max(names, ansi.StringWidth(r.name))
	}
	names = min(names, max(8, width/3))
	var lines []string
	for i := first; i < last; i++ {
		lines = append(lines, drawModel(f, i, names))
	}
	if first > 0 && room >= 3 {
		lines[0] = faint.Render(fmt.Sprintf("  ↑ %d more", first+1))
	}
	if hidden := len(f.rows) - last; hidden > 0 && room >= 3 {
		lines[len(lines)-1] = faint.Render(fmt.Sprintf("  ↓ %d more", hidden+1))
	}
	return lines
}

// visible returns which of n rows show in room lines: a window around current.
func visible(n, current, room int) (first, last int) {
	if n <= room {
		return 0, n
	}
	first = min(max(0, current-room/2), n-room)
	return first, first + room
}

func drawModel(f *frame, i, names int) string {
	r := f.rows[i]
	name := r.name
	if over := ansi.StringWidth(name) - names; over > 0 {
		name = ansi.TruncateLeft(name, over+1, "…") // the end of an id tells more
	}
	padded := name + strings.Repeat(" ", names-ansi.StringWidth(name))
	switch r.status {
	case done:
		return "  " + good.Render("✓") + " " + padded + "  " + result(r)
	case failed:
		return "  " + bad.Render("✗") + " " + padded + "  " + bad.Render(r.reason)
	case working:
		return "  " + busy.Render("▸") + " " + strong.Render(padded) + "  " + drawActivity(f, r)
	default:
		return faint.Render("  · " + name)
	}
}

// result says how a model did.
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

// figures are the medians of a model so far.
func figures(r row) string {
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
	words := busy.Render(activity(f.load, f.phase, f.concurrency))
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
