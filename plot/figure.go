package plot

import (
	"errors"
	"fmt"
	"iter"
	"math"
)

// Figure is a bar chart: groups along the x axis, one bar per series in each.
type Figure struct {
	Title string
	// Subtitle stands under the title, such as where the numbers come from.
	Subtitle string
	// Axis names the y axis, unit included. The axis begins at 0.
	Axis string
	// Series name the bars of a group; with more than one there is a legend.
	Series []string
	// Parts, where not empty, name the parts that bars are stacked from, the
	// lowest first.
	Parts  []string
	Groups []Group
	// Footnote stands at the bottom and says what bars and whiskers are.
	Footnote string
}

// Group is the bars of one name.
type Group struct {
	Name string
	// Bars has one bar per series.
	Bars []Bar
}

// bars returns the bars that the group has, by series.
func (g Group) bars() iter.Seq2[int, Bar] {
	return func(yield func(int, Bar) bool) {
		for series, b := range g.Bars {
			if !b.None && !yield(series, b) {
				return
			}
		}
	}
}

// count returns how many bars the group has.
func (g Group) count() (n int) {
	for range g.bars() {
		n++
	}
	return n
}

// most returns the greatest number of bars in a group, at least 1.
func (f Figure) most() int {
	most := 1
	for _, g := range f.Groups {
		most = max(most, g.count())
	}
	return most
}

// Bar is one value. A negative one is drawn without height.
type Bar struct {
	Value float64
	// Parts, where not empty, has one value per part of the figure; they add up
	// to Value.
	Parts []float64
	// Interval is drawn as a whisker where it is not nil.
	Interval *Interval
	// Label stands over the bar; Detail, smaller, between the two. Detail is
	// left out of a figure whose bars are too narrow for it.
	Label, Detail string
	// Missing, where not empty, is shown in place of the bar, such as "failed".
	Missing string
	// None reports that the group has no bar of this series: the others close
	// up.
	None bool
}

// Interval is the ends of a whisker.
type Interval struct{ Lo, Hi float64 }

func (f Figure) validate() error {
	var problems []error
	if len(f.Series) == 0 {
		problems = append(problems, errors.New("a figure needs at least one series"))
	}
	for _, g := range f.Groups {
		if len(g.Bars) != len(f.Series) {
			problems = append(problems, fmt.Errorf("group %q has %d bars for %d series", g.Name, len(g.Bars), len(f.Series)))
		}
		for _, b := range g.Bars {
			if len(b.Parts) > len(f.Parts) {
				problems = append(problems, fmt.Errorf("group %q has a bar of %d parts where %d have names", g.Name, len(b.Parts), len(f.Parts)))
			}
			if !finite(b) {
				problems = append(problems, fmt.Errorf("group %q has a bar that is not finite", g.Name))
			}
		}
	}
	return errors.Join(problems...)
}

func finite(b Bar) bool {
	values := append([]float64{b.Value}, b.Parts...)
	if b.Interval != nil {
		values = append(values, b.Interval.Lo, b.Interval.Hi)
	}
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
