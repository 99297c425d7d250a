package terminal

import (
	"fmt"
	"math"
	"strings"

	"exobench/summary"
)

// drawCell renders one cell of a step below it.
func drawCell(c *cellRow, nameWidth int) string {
	name := pad(trafficOf(c.traffic), nameWidth-2)
	requests := count(c.requests, "request") + wrongOf(c.wrong)
	switch c.state {
	case summary.Done:
		return "    " + good.Render("✓") + " " + name + "  " + joined(figures(c), requests)
	case summary.Measuring:
		return "    " + busy.Render("▸") + " " + strong.Render(name) + "  " + joined(c.progress()+wrongOf(c.wrong), figures(c))
	case summary.Failed:
		return "    " + bad.Render("✗") + " " + name + "  " + joined(figures(c), requests)
	case summary.Interrupted:
		return "    " + alert.Render("■") + " " + name + "  " + joined(c.progress()+wrongOf(c.wrong), figures(c))
	}
	return "    " + faint.Render("· "+strings.TrimRight(name, " "))
}

// progress says how many requests of the cell have ended, and how long more are
// sent.
func (c *cellRow) progress() string {
	words := count(c.requests, "request")
	if c.planned > 0 {
		words = fmt.Sprintf("%d/%d", c.requests, c.planned)
	}
	if c.left == nil {
		return words
	}
	if *c.left == 0 {
		return words + ", waiting for the last"
	}
	return words + ", " + clock(*c.left) + " left"
}

// figures are the medians of a cell so far.
func figures(c *cellRow) string {
	if c.requests > 0 && c.wrong == c.requests {
		return bad.Render("none OK")
	}
	var words []string
	if c.peek.TokenRate != nil {
		words = append(words, fmt.Sprintf("%.1f tok/s", *c.peek.TokenRate))
	}
	if c.peek.Latency != nil {
		words = append(words, seconds(*c.peek.Latency))
	}
	return strings.Join(words, " · ")
}

// rangeOf are the figures of several cells: from the least to the greatest of
// their medians, which are never pooled.
func rangeOf(cells []cellRow) string {
	if len(cells) == 1 {
		return figures(&cells[0])
	}
	rate := spanOf(cells, func(c *cellRow) *float64 { return c.peek.TokenRate }, func(v float64) string { return fmt.Sprintf("%.1f", v) })
	latency := spanOf(cells, func(c *cellRow) *float64 { return c.peek.Latency }, seconds)
	if rate != "" {
		rate += " tok/s"
	}
	return joined(rate, latency)
}

func spanOf(cells []cellRow, value func(*cellRow) *float64, write func(float64) string) string {
	least, most := math.Inf(1), math.Inf(-1)
	for i := range cells {
		if v := value(&cells[i]); v != nil {
			least, most = min(least, *v), max(most, *v)
		}
	}
	switch {
	case least > most:
		return ""
	case write(least) == write(most):
		return write(least)
	}
	return write(least) + "–" + write(most)
}

func wrongOf(n int) string {
	if n == 0 {
		return ""
	}
	return bad.Render(fmt.Sprintf(", %d failed", n))
}

// joined puts a dot between what there is.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + dot + b
}
