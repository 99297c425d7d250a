package plot

import (
	"image/color"

	"gonum.org/v1/plot/vg"
)

func (p *painter) group(l layout, f Figure, index int, g Group) {
	middle := l.x(index, 0, 1)
	for i, line := range l.names[index] {
		y := l.plot.Min.Y - 8 - capHeight(l.name) - vg.Length(i)*leading(l.name)
		p.write(line, l.name, middle, y, centre)
	}
	place, count := 0, g.count()
	for series, b := range g.bars() {
		x := l.x(index, place, count)
		place++
		if b.Missing != "" {
			if count == 1 {
				p.missing(b.Missing, l, x, l.slot)
				continue
			}
			p.missing(b.Missing, l, x, l.pitch)
			p.stub(l, x, seriesColor(series))
			continue
		}
		p.bar(l, f, b, x, seriesColor(series))
		p.whisker(l, b, x)
		p.label(l, b, x)
	}
}

// stub marks below the axis whose place it is, where no bar tells.
func (p *painter) stub(l layout, x vg.Length, c color.Color) {
	half := l.pitch * barShare / 2
	p.fill(c, x-half, l.plot.Min.Y-5, x+half, l.plot.Min.Y-2)
}

// missing writes why there is no bar where it would stand.
func (p *painter) missing(why string, l layout, x, width vg.Length) {
	k := ink{size: nameSize, color: missingColor}
	if p.width(why, k) > width-2 {
		p.writeUp(why, k, x, l.plot.Min.Y+8)
		return
	}
	p.write(why, k, x, l.plot.Min.Y+8, centre)
}

func (p *painter) bar(l layout, f Figure, b Bar, x vg.Length, c color.RGBA) {
	half := l.pitch * barShare / 2
	parts := b.Parts
	if len(parts) == 0 {
		parts = []float64{b.Value}
	}
	from := 0.0
	for i, part := range parts {
		to := from + max(0, part)
		p.fill(shade(c, i, len(f.Parts)), x-half, l.y(from), x+half, l.y(to))
		from = to
	}
	// A value too small to see still shows that it was measured.
	if l.y(from)-l.plot.Min.Y < 1 {
		p.line(c, 1.5, x-half, l.plot.Min.Y+1, x+half, l.plot.Min.Y+1)
	}
}

// whisker draws the interval over the bar's centre, with a pale edge so that
// it shows on the bar as well as beside it.
func (p *painter) whisker(l layout, b Bar, x vg.Length) {
	if b.Interval == nil {
		return
	}
	lo, hi := l.y(b.Interval.Lo), l.y(b.Interval.Hi)
	reach := min(8, l.pitch*barShare/3)
	for _, stroke := range []struct {
		color color.Color
		width vg.Length
	}{{color.RGBA{0xff, 0xff, 0xff, 0xff}, 3.2}, {textColor, 1.5}} {
		p.line(stroke.color, stroke.width, x, lo, x, hi)
		p.line(stroke.color, stroke.width, x-reach, lo, x+reach, lo)
		p.line(stroke.color, stroke.width, x-reach, hi, x+reach, hi)
	}
}

func (p *painter) label(l layout, b Bar, x vg.Length) {
	y := l.y(reach(b)) + labelGap
	if l.upright {
		p.writeUp(b.Label, l.label, x, y)
		return
	}
	if l.detail && b.Detail != "" {
		k := l.detailInk()
		p.write(b.Detail, k, x, y+1, centre)
		y += leading(k) + 1
	}
	p.write(b.Label, l.label, x, y, centre)
}
