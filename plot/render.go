package plot

import (
	"image/color"

	"gonum.org/v1/plot/vg"
)

// render draws the figure on a canvas of the figure's width and of pageHeight,
// from the outside to the inside: the heads, the footnote, the axis, the bars.
func render(f Figure, canvas vg.CanvasSizer) *painter {
	width := figureWidth(f)
	p := newPainter(canvas)
	top := p.heads(f, width, pageHeight)
	bottom := p.footnote(f.Footnote, width)

	// The axis labels' width depends on the top value, which depends on the
	// space that is left: the room of a six-digit label serves all but the
	// oddest.
	gutter := p.width("100,000", ink{size: axisSize}) + 10
	l := p.arrange(f, margin+gutter, bottom, width-margin, top)
	p.axis(l)
	for i, g := range f.Groups {
		p.group(l, f, i, g)
	}
	p.line(textColor, 1.2, l.plot.Min.X, l.plot.Min.Y, l.plot.Max.X, l.plot.Min.Y)
	return p
}

// heads draws title, subtitle, axis name and legend, and returns where the
// space below them begins.
func (p *painter) heads(f Figure, width, height vg.Length) vg.Length {
	y := height - margin - capHeight(ink{size: titleSize})
	title := ink{size: titleSize, bold: true, color: textColor}
	for title.size > subtitleSize && p.width(f.Title, title) > width-2*margin {
		title.size--
	}
	p.write(f.Title, title, margin, y, left)
	y = p.paragraph(f.Subtitle, ink{size: subtitleSize, color: quietColor}, y-1.75*subtitleSize, width)

	axis := ink{size: axisSize, bold: true, color: textColor}
	entries := legend(f)
	y -= 0.7 * axisSize
	if p.legendWidth(entries)+p.width(f.Axis, axis)+3*margin > width {
		y = p.legend(entries, margin, y, width) - leading(axis) - 4
	} else {
		p.legend(entries, width-margin-p.legendWidth(entries), y, width)
	}
	p.write(f.Axis, axis, margin, y, left)
	return y - 14
}

// paragraph draws text over as many lines as it needs, the first baseline at
// y, and returns the baseline after the last.
func (p *painter) paragraph(text string, k ink, y, width vg.Length) vg.Length {
	for _, line := range wrap(text, func(s string) bool { return p.width(s, k) <= width-2*margin }) {
		p.write(line, k, margin, y, left)
		y -= leading(k)
	}
	return y
}

// footnote draws the footnote at the bottom and returns where the space above
// it begins.
func (p *painter) footnote(text string, width vg.Length) vg.Length {
	k := ink{size: footnoteSize, color: quietColor}
	lines := wrap(text, func(s string) bool { return p.width(s, k) <= width-2*margin })
	y := margin * 0.7
	for i := len(lines) - 1; i >= 0; i-- {
		p.write(lines[i], k, margin, y, left)
		y += leading(k)
	}
	return y + 4
}

// entry is one line of the legend.
type entry struct {
	text  string
	color color.RGBA
}

// legend returns the entries that tell the bars apart: the series where there
// are several, and the parts, in grey where the series have the colours.
func legend(f Figure) []entry {
	var entries []entry
	base := seriesColor(0)
	if len(f.Series) > 1 {
		base = greyColor
		for i, name := range f.Series {
			entries = append(entries, entry{name, seriesColor(i)})
		}
	}
	for i, name := range f.Parts {
		entries = append(entries, entry{name, shade(base, i, len(f.Parts))})
	}
	return entries
}

const (
	swatch    vg.Length = 12
	legendGap vg.Length = 20
)

var legendInk = ink{size: axisSize, color: textColor}

func (p *painter) legendWidth(entries []entry) vg.Length {
	width := -legendGap
	for _, e := range entries {
		width += swatch + 6 + p.width(e.text, legendInk) + legendGap
	}
	return max(0, width)
}

// legend draws the entries in a row from x, in more rows where they do not fit,
// and returns the baseline of the last.
func (p *painter) legend(entries []entry, x, y, width vg.Length) vg.Length {
	start := x
	for _, e := range entries {
		need := swatch + 6 + p.width(e.text, legendInk)
		if x > start && x+need > width-margin {
			x, y = start, y-leading(legendInk)-3
		}
		p.fill(e.color, x, y-1.5, x+swatch, y-1.5+swatch)
		p.write(e.text, legendInk, x+swatch+6, y, left)
		x += need + legendGap
	}
	return y
}

func (p *painter) axis(l layout) {
	k := ink{size: axisSize, color: quietColor}
	for _, t := range ticks(l.top) {
		y := l.y(t.value)
		p.line(gridColor, 1, l.plot.Min.X, y, l.plot.Max.X, y)
		p.write(t.label, k, l.plot.Min.X-8, y-capHeight(k)/2, right)
	}
}
