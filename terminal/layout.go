package terminal

import (
	"fmt"
	"slices"

	"github.com/charmbracelet/x/ansi"
)

// drawRows renders the steps, those of each of several engines below a heading.
// Where there is less room than all of them need in full, they are shortened to
// a line each, the earliest first and the one at work last; where there is less
// than that, those around the one at work show, and how many more there are. It
// returns also which rows are not shown in full.
func drawRows(f *frame, width, room int) (lines []string, cut []int) {
	column := nameWidth(f, width)
	items := headed(f)
	if len(items) > room {
		return drawWindow(f, items, column, width, room)
	}
	rows := make([]drawnRow, len(f.rows))
	needed := len(items) - len(rows)
	for i := range rows {
		rows[i] = drawRow(f, i, column, width)
		needed += len(rows[i].full)
	}
	for _, i := range shortened(f) {
		if n := len(rows[i].full); n > 1 && needed > room {
			rows[i].full = []string{rows[i].short}
			needed -= n - 1
			cut = append(cut, i)
		}
	}
	airy := needed+len(items)-len(rows)-1 <= room
	for i, at := range items {
		switch {
		case !at.heading:
			lines = append(lines, rows[at.row].full...)
			continue
		case airy && i > 0:
			lines = append(lines, "")
		}
		lines = append(lines, drawHeading(f, f.rows[at.row].engine))
	}
	return lines, cut
}

// shortened lists the rows in the order in which they lose lines.
func shortened(f *frame) []int {
	var order []int
	for i := range f.rows {
		if i != f.current {
			order = append(order, i)
		}
	}
	if f.current >= 0 {
		order = append(order, f.current)
	}
	return order
}

// item is a line of the list: a row, or the heading above the rows of an
// engine, of which row is the first.
type item struct {
	row     int
	heading bool
}

// headed lists the rows, and where there are several engines their headings.
func headed(f *frame) []item {
	var items []item
	for i, r := range f.rows {
		if f.several() && (i == 0 || r.engine != f.rows[i-1].engine) {
			items = append(items, item{i, true})
		}
		items = append(items, item{i, false})
	}
	return items
}

// drawWindow renders the items around the row at work in a line each. It returns
// also which rows do not show, or not in full.
func drawWindow(f *frame, items []item, column, width, room int) (lines []string, cut []int) {
	current := slices.Index(items, item{f.current, false})
	first := min(max(0, current-room/2), len(items)-room)
	last := first + room
	cut = append(rowsOf(items[:first]), rowsOf(items[last:])...)
	for i := first; i < last; i++ {
		switch at := items[i]; {
		case i == first && first > 0 && room >= 3:
			lines = append(lines, drawAbove(f, items[:i+2]))
			cut = append(cut, rowsOf(items[i:i+1])...)
		case i == last-1 && last < len(items) && room >= 3:
			lines = append(lines, faint.Render(fmt.Sprintf("  ↓ %d more", len(rowsOf(items[i:])))))
			cut = append(cut, rowsOf(items[i:i+1])...)
		case at.heading:
			lines = append(lines, drawHeading(f, f.rows[at.row].engine))
		default:
			line := drawRow(f, at.row, column, width).short
			if ansi.StringWidth(line) > width {
				cut = append(cut, at.row)
			}
			lines = append(lines, line)
		}
	}
	return lines, cut
}

// rowsOf lists the rows among the items.
func rowsOf(items []item) []int {
	var rows []int
	for _, at := range items {
		if !at.heading {
			rows = append(rows, at.row)
		}
	}
	return rows
}

// drawAbove renders the line that stands for the items but the last, which is
// the first that shows: how many rows are above, and the heading of that one if
// it has to have one.
func drawAbove(f *frame, items []item) string {
	next := items[len(items)-1]
	more := faint.Render(fmt.Sprintf("  ↑ %d more", len(rowsOf(items[:len(items)-1]))))
	if f.several() && !next.heading {
		return drawHeading(f, f.rows[next.row].engine) + more
	}
	return more
}
