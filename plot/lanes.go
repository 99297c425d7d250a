package plot

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// lanes is where the parts of a timeline go.
type lanes struct {
	left, right vg.Length
	until       float64
}

func (l lanes) x(at float64) vg.Length {
	return l.left + vg.Length(min(1, max(0, at/l.until)))*(l.right-l.left)
}

// render draws from top to bottom: the heads, the strip, the lanes, the axis.
func (t Timeline) render(p *painter) {
	heads := Figure{Title: t.Title, Subtitle: t.Subtitle, Series: t.Kinds}
	y := p.heads(heads, pageWidth, t.height())
	bottom := p.footnote(t.Footnote, pageWidth) + timeAxisRoom
	l := lanes{margin + gutter, pageWidth - margin, t.Until}
	y = t.strip(p, l, y-nameSize)
	t.shade(p, l, y, bottom)
	room := (y - bottom) / vg.Length(max(1, len(t.Lanes)))
	for i, lane := range t.Lanes {
		top := y - vg.Length(i)*room
		t.lane(p, l, lane, top-laneGap, top-room)
	}
	for _, at := range t.Breaks {
		p.canvas.StrokeLine2(draw.LineStyle{Color: missingColor, Width: 1, Dashes: []vg.Length{3, 3}}, l.x(at), bottom, l.x(at), y)
	}
	t.axis(p, l, bottom)
}

// strip draws what happened, with names above as far as they fit, and returns the lower
// edge.
func (t Timeline) strip(p *painter, l lanes, y vg.Length) vg.Length {
	k := ink{size: axisSize - 1, color: textColor}
	for _, n := range t.Names {
		p.write(p.shortened(n.Text, k, l.x(n.To)-l.x(n.From)), k, l.x(n.From), y, left)
	}
	y -= 6
	for _, s := range t.Spans {
		from := l.x(s.From)
		p.fill(seriesColor(s.Kind), from, y-stripHeight, max(l.x(s.To), from+0.75), y)
	}
	return y - stripHeight
}

// leastName is how many letters of a name still tell something.
const leastName = 6

// shortened returns as much of a text as fits, nothing where that is too little.
func (p *painter) shortened(text string, k ink, room vg.Length) string {
	if p.width(text, k) <= room {
		return text
	}
	runes := []rune(text)
	for n := len(runes) - 1; n >= leastName; n-- {
		if short := string(runes[:n]) + "…"; p.width(short, k) <= room {
			return short
		}
	}
	return ""
}

// shade draws the bands behind the lanes.
func (t Timeline) shade(p *painter, l lanes, top, bottom vg.Length) {
	for _, s := range t.Spans {
		if s.Shaded {
			from := l.x(s.From)
			p.fill(bandColor, from, bottom, max(l.x(s.To), from+0.75), top)
		}
	}
}

// lane draws one lane between the heights given.
func (t Timeline) lane(p *painter, l lanes, lane Lane, top, bottom vg.Length) {
	highest := 0.0
	for _, c := range lane.Curves {
		for _, point := range c.Points {
			highest = max(highest, point.Value)
		}
	}
	if highest == 0 {
		highest = 1
	}
	scale := highest * 1.08
	y := func(v float64) vg.Length { return bottom + vg.Length(max(0, v)/scale)*(top-bottom) }
	step := roundStep(highest / 4)
	if lane.Whole {
		step = max(1, step)
	}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	small := ink{size: footnoteSize, color: quietColor}
	for i := 0; float64(i)*step <= scale; i++ {
		at := y(float64(i) * step)
		p.line(gridColor, 0.8, l.left, at, l.right, at)
		p.write(tickLabel(float64(i)*step, decimals, highest >= 10000), small, l.left-6, at-capHeight(small)/2, right)
	}
	p.line(greyColor, 1, l.left, bottom, l.right, bottom)
	p.laneName(lane, top)
	for i, c := range lane.Curves {
		p.curve(l, c, y, laneColor(i), lane.Filled)
	}
	p.laneLegend(l, lane, top)
}

// laneColor returns the colour of a curve of a lane.
func laneColor(i int) color.RGBA { return seriesColors[(i+len(seriesColors)-2)%len(seriesColors)] }

// laneName writes the name of a lane beside it.
func (p *painter) laneName(lane Lane, top vg.Length) {
	k := ink{size: axisSize - 0.5, color: textColor}
	y := top - capHeight(k)
	for _, text := range wrap(lane.Name, func(s string) bool { return p.width(s, k) <= gutter-52 }) {
		p.write(text, k, margin, y, left)
		y -= leading(k)
	}
}

// laneLegend tells the curves of a lane apart, above its right end.
func (p *painter) laneLegend(l lanes, lane Lane, top vg.Length) {
	if len(lane.Curves) < 2 {
		return
	}
	k := ink{size: footnoteSize, color: textColor}
	x := l.right
	for i := len(lane.Curves) - 1; i >= 0; i-- {
		name := lane.Curves[i].Name
		x -= p.width(name, k)
		p.write(name, k, x, top+3, left)
		p.fill(laneColor(i), x-12, top+3, x-4, top+3+capHeight(k))
		x -= 24
	}
}

// curve draws a curve.
func (p *painter) curve(l lanes, c Curve, y func(float64) vg.Length, ink color.RGBA, filled bool) {
	columns := int((l.right - l.left) / 0.75) // of pixels
	points := thinned(c.Points, l.until, columns)
	// What was thinned out has gaps of its own.
	gap := max(c.Gap, 2*l.until/float64(columns))
	pale := draw.LineStyle{Color: shade(ink, 1, 2), Width: 1, Dashes: []vg.Length{2, 3}}
	full := draw.LineStyle{Color: ink, Width: 1.3}
	var run []vg.Point
	flush := func() {
		if filled && len(run) > 1 {
			area := append([]vg.Point{{X: run[0].X, Y: y(0)}}, run...)
			p.canvas.FillPolygon(shade(ink, 1, 2), append(area, vg.Point{X: run[len(run)-1].X, Y: y(0)}))
		}
		switch len(run) {
		case 0:
		case 1: // a point on its own
			p.fill(ink, run[0].X-1.2, run[0].Y-1.2, run[0].X+1.2, run[0].Y+1.2)
		default:
			p.stroke(full, run)
		}
		run = run[:0]
	}
	for i, point := range points {
		here := vg.Point{X: l.x(point.At), Y: y(point.Value)}
		if i > 0 && (point.Apart || point.At-points[i-1].At > gap) {
			before := vg.Point{X: l.x(points[i-1].At), Y: y(points[i-1].Value)}
			flush()
			if c.Joined && !point.Apart {
				p.canvas.StrokeLines(pale, []vg.Point{before, here})
			}
		}
		run = append(run, here)
	}
	flush()
}

// strokePiece is how many points are stroked at once: the time that a stroke takes
// grows with the square of the points in a row of pixels.
const strokePiece = 100

// stroke draws a line in pieces that meet.
func (p *painter) stroke(style draw.LineStyle, line []vg.Point) {
	for from := 0; from < len(line)-1; from += strokePiece {
		p.canvas.StrokeLines(style, line[from:min(from+strokePiece+1, len(line))])
	}
}

// axis draws the axis of time.
func (t Timeline) axis(p *painter, l lanes, y vg.Length) {
	k := ink{size: axisSize, color: quietColor}
	step, unit, name := timeStep(t.Until)
	for i := 0; float64(i)*step <= t.Until; i++ {
		x := l.x(float64(i) * step)
		p.line(greyColor, 1, x, y, x, y-4)
		p.write(fmt.Sprintf("%.3g", float64(i)*step/unit), k, x, y-9-capHeight(k), centre)
	}
	p.write(name, k, l.left-14, y-9-capHeight(k), right)
}

// timeStep returns the distance between two ticks of an axis of time, in seconds,
// and the unit in which they are written.
func timeStep(until float64) (step, unit float64, name string) {
	switch {
	case until <= 300:
		return roundStep(until / 12), 1, "time (s)"
	case until <= 3*3600:
		unit, name = 60, "time (min)"
	default:
		unit, name = 3600, "time (h)"
	}
	for _, n := range []float64{0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240} {
		if step = n * unit; until/step <= 13 {
			return step, unit, name
		}
	}
	return roundStep(until / 12), unit, name
}
