package plot

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// The measures of a figure, in points.
const (
	pageWidth   vg.Length = 1050
	pageHeight  vg.Length = 600
	margin      vg.Length = 26
	maxSlot     vg.Length = 250 // of a group
	minSlot     vg.Length = 62
	minBarPitch vg.Length = 17
	maxBarWidth vg.Length = 92
	groupShare            = 0.78 // of the slot, the rest is the gap between groups
	barShare              = 0.86 // of a bar's pitch
	labelGap    vg.Length = 4    // between a bar or whisker and its label
)

// The text sizes, in points.
const (
	titleSize    vg.Length = 20
	subtitleSize vg.Length = 12.5
	axisSize     vg.Length = 12
	nameSize     vg.Length = 12.5
	labelSize    vg.Length = 13
	minTextSize  vg.Length = 8.5
	footnoteSize vg.Length = 10
	detailScale            = 0.76 // of the label's size
)

// layout is where everything goes.
type layout struct {
	plot  vg.Rectangle // the area of the bars
	slot  vg.Length    // width of a group
	first vg.Length    // left edge of the first group
	pitch vg.Length    // width of a bar with its gap
	top   float64      // value at the upper edge of the area

	label   ink
	upright bool // labels read upwards
	detail  bool // details are shown
	name    ink
	names   [][]string // lines, by group
}

// figureWidth returns the page's width, greater where bars would be too thin.
func figureWidth(f Figure) vg.Length {
	perGroup := max(minSlot, vg.Length(f.most())*minBarPitch/groupShare)
	return max(pageWidth, vg.Length(len(f.Groups))*perGroup+2*margin+60)
}

// x returns the centre of a bar.
func (l layout) x(group, series, count int) vg.Length {
	centre := l.first + (vg.Length(group)+0.5)*l.slot
	return centre + (vg.Length(series)-vg.Length(count-1)/2)*l.pitch
}

// y returns the height of a value.
func (l layout) y(value float64) vg.Length {
	return l.plot.Min.Y + vg.Length(math.Max(0, value)/l.top)*l.plot.Size().Y
}

// arrange places the groups between the edges given: the bars stand on the
// names, and the tallest has room for its label.
func (p *painter) arrange(f Figure, x0, y0, x1, y1 vg.Length) layout {
	groups := vg.Length(max(1, len(f.Groups)))
	l := layout{slot: min(maxSlot, (x1-x0)/groups)}
	l.first = (x0 + x1 - groups*l.slot) / 2
	l.pitch = min(l.slot*groupShare/vg.Length(f.most()), maxBarWidth/barShare)
	if f.most() == 1 {
		// A lone bar's label may be as wide as the group.
		l.fitLabels(p, f, l.slot-6)
	} else {
		l.fitLabels(p, f, l.pitch-3)
	}
	l.fitNames(p, f)
	height := vg.Length(0)
	for _, lines := range l.names {
		height = max(height, vg.Length(len(lines))*leading(l.name))
	}
	l.plot = vg.Rectangle{Min: vg.Point{X: x0, Y: y0 + height + 8}, Max: vg.Point{X: x1, Y: y1}}
	free := l.plot.Size().Y - l.labelHeight(p, f) - labelGap - 2
	l.top = highest(f) * float64(l.plot.Size().Y/free)
	return l
}

// fitLabels chooses the labels' size for the width that each has: the greatest
// that fits, with details where they fit too, else upright.
func (l *layout) fitLabels(p *painter, f Figure, width vg.Length) {
	labels, details := texts(f)
	l.label = ink{size: labelSize, bold: true, color: textColor}
	for l.label.size > minTextSize && p.widest(labels, l.label) > width {
		l.label.size -= 0.5
	}
	l.upright = p.widest(labels, l.label) > width
	l.detail = !l.upright && len(details) > 0 && p.widest(details, l.detailInk()) <= width
}

func (l *layout) detailInk() ink {
	return ink{size: max(minTextSize, detailScale*l.label.size), color: quietColor}
}

func (l *layout) labelHeight(p *painter, f Figure) vg.Length {
	labels, _ := texts(f)
	switch {
	case l.upright:
		return p.widest(labels, l.label)
	case l.detail:
		return capHeight(l.label) + leading(l.detailInk()) + 2
	}
	return capHeight(l.label)
}

// fitNames wraps the names, smaller where they would take many lines.
func (l *layout) fitNames(p *painter, f Figure) {
	for _, size := range []vg.Length{nameSize, 11.5, 10.5, 9.5} {
		l.name = ink{size: size, color: textColor}
		l.names = nil
		most := 0
		for _, g := range f.Groups {
			lines := wrap(g.Name, func(s string) bool { return p.width(s, l.name) <= l.slot-10 })
			l.names = append(l.names, lines)
			most = max(most, len(lines))
		}
		if most <= 3 {
			return
		}
	}
}

// texts returns the labels and the details of all bars.
func texts(f Figure) (labels, details []string) {
	for _, g := range f.Groups {
		for _, b := range g.Bars {
			if b.Label != "" {
				labels = append(labels, b.Label)
			}
			if b.Detail != "" {
				details = append(details, b.Detail)
			}
		}
	}
	return labels, details
}

// highest returns the greatest value or interval end, 1 where none is above 0.
func highest(f Figure) float64 {
	most := 0.0
	for _, g := range f.Groups {
		for _, b := range g.Bars {
			if b.Missing != "" {
				continue
			}
			most = max(most, reach(b))
		}
	}
	if most <= 0 {
		return 1
	}
	return most
}

// reach returns the upper end of a bar and its whisker.
func reach(b Bar) float64 {
	if b.Interval == nil {
		return b.Value
	}
	return max(b.Value, b.Interval.Hi)
}
