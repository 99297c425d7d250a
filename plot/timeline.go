package plot

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// Timeline is lanes that lie above each other over one axis of time.
type Timeline struct {
	Title, Subtitle, Footnote string
	// Until is the end of the axis, in seconds; it begins at 0.
	Until float64
	// Kinds name the kinds of Spans, for the legend.
	Kinds []string
	// Spans are what happened, in the strip above the lanes.
	Spans []Happening
	// Names stand above the strip where there is room.
	Names []Label
	// Breaks are where the axis leaves a time out.
	Breaks []float64
	Lanes  []Lane
}

// Happening is a span of time of a kind, an index of Kinds. Shaded ones are shown
// behind the lanes too.
type Happening struct {
	From, To float64
	Kind     int
	Shaded   bool
}

// Label is a text over a span of time.
type Label struct {
	From, To float64
	Text     string
}

// Lane is curves on one axis, which begins at 0.
type Lane struct {
	// Name says what and in which unit.
	Name   string
	Curves []Curve
	// Filled fills the area below the curve; Whole has whole numbers at its ticks
	// alone.
	Filled, Whole bool
}

// Curve is points in order of time.
type Curve struct {
	// Name tells it from others of its lane; empty where there is one.
	Name   string
	Points []Point
	// Gap is the longest time between two points that a full line joins. Over a
	// longer one there is a pale line where Joined is set, else none.
	Gap    float64
	Joined bool
}

// Point is a value at a time, in seconds. One that is Apart is not joined to the
// one before.
type Point struct {
	At, Value float64
	Apart     bool
}

// The measures of a timeline, in points.
const (
	gutter       vg.Length = 190 // of the names and the ticks
	laneHeight   vg.Length = 78
	laneGap      vg.Length = 16
	stripHeight  vg.Length = 12
	timeAxisRoom vg.Length = 34
	headRoom     vg.Length = 118
	footRoom     vg.Length = 46
)

// bandColor is behind what was measured.
var bandColor = color.RGBA{0xf1, 0xf5, 0xfa, 0xff}

// WriteTimeline writes a timeline as a PNG, 1400 pixels wide and as high as its
// lanes need. Curves are thinned out to what can be seen: of all points of a
// column of pixels the least and the greatest stay.
func WriteTimeline(w io.Writer, t Timeline) error {
	if err := t.validate(); err != nil {
		return err
	}
	return writePage(w, t.height(), t.render)
}

// writePage writes what is drawn on a page of that height as a PNG.
func writePage(w io.Writer, height vg.Length, render func(*painter)) error {
	canvas := vgimg.NewWith(vgimg.UseWH(pageWidth, height), vgimg.UseDPI(96), vgimg.UseBackgroundColor(color.White))
	render(newPainter(canvas))
	return writePNG(w, canvas.Image().(*image.RGBA))
}

func (t Timeline) height() vg.Length {
	lanes := vg.Length(max(1, len(t.Lanes)))
	return headRoom + 2*stripHeight + 10 + lanes*(laneHeight+laneGap) + timeAxisRoom + footRoom
}

func (t Timeline) validate() error {
	var problems []error
	if !(t.Until > 0) || math.IsInf(t.Until, 0) {
		problems = append(problems, fmt.Errorf("a timeline until %v s", t.Until))
	}
	for _, s := range t.Spans {
		if s.Kind < 0 || s.Kind >= len(t.Kinds) {
			problems = append(problems, fmt.Errorf("a span of kind %d, of %d", s.Kind, len(t.Kinds)))
		}
	}
	for _, l := range t.Lanes {
		for _, c := range l.Curves {
			for i, p := range c.Points {
				if p.Value-p.Value != 0 || p.At-p.At != 0 || i > 0 && p.At < c.Points[i-1].At {
					problems = append(problems, fmt.Errorf("lane %q has a point at %v of %v", l.Name, p.At, p.Value))
					break
				}
			}
		}
	}
	return errors.Join(problems...)
}

// thinned keeps of the points of each of the columns the first, the least, the
// greatest and the last.
func thinned(points []Point, until float64, columns int) []Point {
	if len(points) <= 4*columns {
		return points
	}
	column := func(p Point) int { return int(p.At / until * float64(columns)) }
	var kept []Point
	for from := 0; from < len(points); {
		to, least, most := from, from, from
		for ; to < len(points) && column(points[to]) == column(points[from]); to++ {
			if points[to].Value < points[least].Value {
				least = to
			}
			if points[to].Value > points[most].Value {
				most = to
			}
		}
		last := -1
		for _, i := range []int{from, min(least, most), max(least, most), to - 1} {
			if i > last {
				kept, last = append(kept, points[i]), i
			}
		}
		from = to
	}
	return kept
}
