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

// dot stands between figures of one line.
var dot = faint.Render(" · ")

// drawing is a frame as text.
type drawing struct {
	text string
	// cut are the rows whose text does not show in full.
	cut []int
}

// draw renders a frame for a terminal of that size, as lines that fit it. It
// never fills the last line, where the cursor rests.
func draw(f frame, width, height int) drawing {
	head := drawTitle(f.engines, width)
	foot := append(drawProgress(&f, width), drawRemarks(&f, width)...)
	room := height - 1 - len(head) - len(foot) - 2
	rows, cut := drawRows(&f, width, max(1, room))
	lines := append(head, "")
	lines = append(lines, rows...)
	lines = append(lines, "")
	lines = append(lines, foot...)
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, width, "…")
	}
	if over := len(lines) - max(1, height-1); over > 0 {
		lines = lines[over:]
	}
	return drawing{text: strings.Join(lines, "\n") + "\n", cut: cut}
}

// drawTitle names the engines: one with all that is known of it, several with
// their versions where there is room for them; the rest stands above their rows.
func drawTitle(engines []exobench.Engine, width int) []string {
	line := strong.Render("exobench")
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

// drawHeading tells of the engine of a row what a title has no room for.
func drawHeading(f *frame, name string) string {
	e := exobench.Engine{Name: name}
	if i := slices.IndexFunc(f.engines, func(e exobench.Engine) bool { return e.Name == name }); i >= 0 {
		e = f.engines[i]
	}
	line := strong.Render(nameOf(e))
	if label := oneLine(e.Label); label != "" {
		line += dot + alert.Render(label)
	}
	if url := oneLine(e.URL); url != "" {
		line += faint.Render(" · " + url)
	}
	return line
}

// drawProgress renders how far the whole run is.
func drawProgress(f *frame, width int) []string {
	requests := count(f.requests, "request")
	if f.planned > 0 {
		requests = fmt.Sprintf("%d/%d requests", f.requests, f.planned)
	}
	if f.wrong > 0 {
		requests += bad.Render(fmt.Sprintf(", %d failed", f.wrong))
	}
	length := min(40, max(4, width-2-ansi.StringWidth(requests)-3))
	times := []string{clock(f.elapsed) + " elapsed"}
	if f.left != nil {
		times = append(times, "about "+clock(*f.left)+" left")
	}
	if f.calibrating {
		times = append(times, "measuring the harness's own error")
	}
	if now := drawNow(f); now != "" {
		times = append(times, now)
	}
	return []string{
		"  " + bar(f.part, length) + "  " + requests,
		"  " + strings.Join(times, dot),
	}
}

// drawNow says what comes in just now, or how long one has waited for it.
func drawNow(f *frame) string {
	if !f.measuring || f.speed == nil {
		return ""
	}
	if *f.speed > 0 {
		return fmt.Sprintf("%.0f tok/s now", *f.speed)
	}
	waited := min(f.idle, f.silent)
	// The latest event may have been seen a little after its request ended.
	first := f.idle+eventSlack >= f.silent
	switch {
	case waited < atLeast:
		return ""
	case f.open || !first:
		return "no token for " + clock(waited)
	case f.single:
		return "waiting for the first token for " + clock(f.silent)
	}
	return "waiting for tokens for " + clock(f.silent)
}

// drawRemarks renders the latest remarks, and why the run failed.
func drawRemarks(f *frame, width int) []string {
	const most = 3
	var lines []string
	for _, remark := range f.remarks[max(0, len(f.remarks)-most):] {
		lines = append(lines, alert.Render("  "+remark))
	}
	if f.failure != "" {
		for _, line := range wrap("the run failed: "+f.failure, width-2) {
			lines = append(lines, bad.Render("  "+line))
		}
	}
	return lines
}

// bar renders a part of a whole, from 0 to 1, in so many columns; it is full
// only at the end.
func bar(part float64, columns int) string {
	const rounding = 1e-9 // a sum of shares may miss 1 by so much
	full := min(columns, max(0, int((part+rounding)*float64(columns))))
	return busy.Render(strings.Repeat("█", full)) + faint.Render(strings.Repeat("░", columns-full))
}

// wrap breaks text into lines of so many columns at most: between words, which
// may be flags to type, and within one only where it is longer than a line.
func wrap(text string, columns int) []string {
	columns = max(1, columns)
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		width := ansi.StringWidth(word)
		if line != "" && used+1+width <= columns {
			line, used = line+" "+word, used+1+width
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		if width > columns {
			parts := strings.Split(ansi.Hardwrap(word, columns, false), "\n")
			lines = append(lines, parts[:len(parts)-1]...)
			word = parts[len(parts)-1]
			width = ansi.StringWidth(word)
		}
		line, used = word, width
	}
	return append(lines, line)
}
