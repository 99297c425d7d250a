package plot

import (
	"errors"
	"fmt"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// History is series over the same runs, each in a panel of its own, below each
// other. Runs stand at even distances.
type History struct {
	Title, Subtitle, Footnote string
	// Runs name the runs, for the axis.
	Runs   []string
	Panels []Panel
}

// Panel is one series. Its axis begins where its values do, not at 0.
type Panel struct {
	// Name says what and in which unit.
	Name   string
	Points []RunPoint
	// Levels are drawn across the runs that they are of.
	Levels []Level
	// Changes are marked before the run that they name.
	Changes []ChangeMark
}

// RunPoint is a value in one run, by its place.
type RunPoint struct {
	Run      int
	Value    float64
	Interval *Interval
}

// Level is a value from one run to another, inclusive.
type Level struct {
	From, To int
	Value    float64
}

// ChangeMark is a line before a run, with a text. Bad ones have the colour of what
// is missing.
type ChangeMark struct {
	Before int
	Text   string
	Bad    bool
}

// The measures of a history, in points.
const (
	panelHeight vg.Length = 120
	panelGap    vg.Length = 22
	historyHead vg.Length = 96
	runAxisRoom vg.Length = 30
)

// WriteHistory writes a history as a PNG, 1400 pixels wide and as high as its panels
// need.
func WriteHistory(w io.Writer, h History) error {
	if err := h.validate(); err != nil {
		return err
	}
	return writePage(w, h.height(), h.render)
}

func (h History) height() vg.Length {
	return historyHead + vg.Length(max(1, len(h.Panels)))*(panelHeight+panelGap) + runAxisRoom + footRoom
}

func (h History) validate() error {
	var problems []error
	if len(h.Runs) == 0 {
		problems = append(problems, errors.New("a history of no run"))
	}
	known := func(run int) bool { return run >= 0 && run < len(h.Runs) }
	for _, p := range h.Panels {
		ok := true
		for _, point := range p.Points {
			ok = ok && known(point.Run) && finite(Bar{Value: point.Value, Interval: point.Interval})
		}
		for _, l := range p.Levels {
			ok = ok && known(l.From) && known(l.To) && finite(Bar{Value: l.Value})
		}
		for _, c := range p.Changes {
			ok = ok && known(c.Before)
		}
		if !ok {
			problems = append(problems, fmt.Errorf("panel %q has a value that is not finite, or is of a run that there is not", p.Name))
		}
	}
	return errors.Join(problems...)
}

// x returns where a run is; halves lie between two.
func (h History) x(run float64) vg.Length {
	from, to := margin+gutter+10, pageWidth-margin-10
	if len(h.Runs) == 1 {
		return (from + to) / 2
	}
	return from + vg.Length(run/float64(len(h.Runs)-1))*(to-from)
}

func (h History) render(p *painter) {
	y := p.heads(Figure{Title: h.Title, Subtitle: h.Subtitle, Series: []string{""}}, pageWidth, h.height())
	bottom := p.footnote(h.Footnote, pageWidth) + runAxisRoom
	room := (y - bottom) / vg.Length(max(1, len(h.Panels)))
	for i, panel := range h.Panels {
		top := y - vg.Length(i)*room
		h.panel(p, panel, top-panelGap, top-room)
	}
	h.axis(p, bottom)
}

// span returns the ends of a panel's axis: what its values take, and some more, so
// that noise of a thousandth does not fill the panel.
func (panel Panel) span() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, point := range panel.Points {
		lo, hi = min(lo, point.Value), max(hi, point.Value)
	}
	if lo > hi {
		return 0, 1
	}
	// An interval that is far wider than the values would leave nothing to see of
	// them: it runs out of the panel.
	widest := max(hi-lo, 0.02*math.Abs(hi))
	inner, outer := lo-widest, hi+widest
	for _, point := range panel.Points {
		if i := point.Interval; i != nil {
			lo, hi = min(lo, max(i.Lo, inner)), max(hi, min(i.Hi, outer))
		}
	}
	if least := 0.02 * math.Abs(hi); hi-lo < least {
		lo, hi = (lo+hi-least)/2, (lo+hi+least)/2
	}
	if lo == hi {
		lo, hi = lo-1, hi+1
	}
	pad := 0.06 * (hi - lo)
	return lo - pad, hi + pad
}

// panel draws one series between the heights given.
func (h History) panel(p *painter, panel Panel, top, bottom vg.Length) {
	lo, hi := panel.span()
	y := func(v float64) vg.Length {
		return bottom + vg.Length(min(1, max(0, (v-lo)/(hi-lo))))*(top-bottom)
	}
	l := lanes{left: margin + gutter, right: pageWidth - margin}
	h.grid(p, l, lo, hi, y)
	p.line(greyColor, 1, l.left, bottom, l.right, bottom)
	p.laneName(Lane{Name: panel.Name}, top)
	for _, c := range panel.Changes {
		h.mark(p, c, top, bottom)
	}
	for _, point := range panel.Points {
		if i := point.Interval; i != nil {
			x := h.x(float64(point.Run))
			p.line(shade(seriesColor(0), 1, 2), 1.6, x, y(i.Lo), x, y(i.Hi))
		}
	}
	for _, level := range panel.Levels {
		from, to := max(l.left, h.x(float64(level.From)-0.3)), min(l.right, h.x(float64(level.To)+0.3))
		p.line(seriesColor(1), 1.8, from, y(level.Value), to, y(level.Value))
	}
	for _, point := range panel.Points {
		x := h.x(float64(point.Run))
		p.fill(seriesColor(0), x-2.2, y(point.Value)-2.2, x+2.2, y(point.Value)+2.2)
	}
}

// grid draws the ticks of an axis that does not begin at 0.
func (h History) grid(p *painter, l lanes, lo, hi float64, y func(float64) vg.Length) {
	small := ink{size: footnoteSize, color: quietColor}
	step := roundStep((hi - lo) / 4)
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	for i := math.Ceil(lo / step); i*step <= hi; i++ {
		at := y(i * step)
		p.line(gridColor, 0.8, l.left, at, l.right, at)
		p.write(tickLabel(i*step, decimals, hi >= 10000), small, l.left-6, at-capHeight(small)/2, right)
	}
}

// mark draws the line of a change, with its text above, as far inside as it must be.
func (h History) mark(p *painter, c ChangeMark, top, bottom vg.Length) {
	tone := seriesColor(2)
	if c.Bad {
		tone = missingColor
	}
	x := h.x(float64(c.Before) - 0.5)
	p.canvas.StrokeLine2(draw.LineStyle{Color: tone, Width: 1.3, Dashes: []vg.Length{4, 3}}, x, bottom, x, top)
	k := ink{size: footnoteSize, bold: true, color: tone}
	text := p.shortened(c.Text, k, pageWidth-2*margin-gutter)
	from := min(max(x-p.width(text, k)/2, margin+gutter), pageWidth-margin-p.width(text, k))
	p.write(text, k, from, top+4, left)
}

// axis names as many runs as there is room for, and the last for certain.
func (h History) axis(p *painter, y vg.Length) {
	k := ink{size: footnoteSize, color: quietColor}
	place := func(i int) (from, to vg.Length) {
		width := p.width(h.Runs[i], k)
		from = min(h.x(float64(i))-width/2, pageWidth-margin-width)
		return from, from + width
	}
	const apart = 14
	last := len(h.Runs) - 1
	limit, _ := place(last)
	end := vg.Length(math.Inf(-1))
	for i, name := range h.Runs {
		x := h.x(float64(i))
		p.line(greyColor, 1, x, y, x, y-4)
		from, to := place(i)
		if i < last && (from < end || to+apart > limit) {
			continue
		}
		p.write(name, k, from, y-8-capHeight(k), left)
		end = to + apart
	}
}
