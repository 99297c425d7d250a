package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"exobench/compare"
	"exobench/metric"
	"exobench/stat"
)

// Options say what to look for.
type Options struct {
	// MinEffect is the least change that matters, as a share; 0 means
	// compare.DefaultMinEffect.
	MinEffect float64
	// Metrics are the names of the metrics; none are compare.Metrics.
	Metrics []string
	// Last is how many runs of each group count, the newest; 0 is all.
	Last int
}

// Result is what was found. Its members are JSON's.
type Result struct {
	MinEffect  float64 `json:"min_effect"`
	Confidence float64 `json:"confidence"`
	// Groups are the runs that can be set beside each other, those with the most
	// runs first.
	Groups []Group `json:"groups"`
}

// Group is the runs of one machine and workload.
type Group struct {
	// Of is what they have in common, which tells them from other groups.
	Of []compare.Fact `json:"of"`
	// Runs are in order of time.
	Runs   []Run    `json:"runs"`
	Series []Series `json:"series"`
}

// Series is one metric of one cell over time.
type Series struct {
	Cell   string           `json:"cell"`
	Metric string           `json:"metric"`
	Title  string           `json:"title"`
	Unit   metric.Unit      `json:"unit"`
	Better metric.Direction `json:"better"`
	Points []Point          `json:"points"`
	// Changes are in order of time.
	Changes []Change `json:"changes"`
	// Needed is how many runs would tell a change, where there are fewer; else 0.
	Needed int `json:"runs_needed,omitempty"`
	// Untold is set where a value is not above 0: no change can be told then.
	Untold bool `json:"not_above_zero,omitempty"`
}

// Point is a series in one run.
type Point struct {
	// Run is the place of the run in the group.
	Run int `json:"run"`
	N   int `json:"n"`
	// Median is over the requests of the run; of what a run has once, that.
	Median   float64        `json:"median"`
	Interval *stat.Interval `json:"interval"`
	// Disturbance is the share of the machine that others took, where it is enough
	// to be warned of.
	Disturbance float64 `json:"disturbance,omitempty"`

	cell *cell
}

// Change is where the level of a series changes.
type Change struct {
	// At is the place of the first point after it.
	At int `json:"at"`
	// Before and After name the last run before and the first after.
	Before string    `json:"before"`
	After  string    `json:"after"`
	When   time.Time `json:"when"`
	// Levels are those before and after: geometric means of the runs between this
	// change and its neighbours, Runs how many these are.
	Levels [2]float64 `json:"levels"`
	Runs   [2]int     `json:"runs"`
	// Ratio is after / before, with its interval.
	Ratio    float64        `json:"ratio"`
	Interval *stat.Interval `json:"interval"`
	// P is the probability of a change at least as clear where there is none,
	// corrected for the series of the group.
	P float64 `json:"p_corrected"`
	// Verdict is compare.Better or compare.Worse, or compare.Disturbed where
	// others took so much more or less of the machine that it may be all of it.
	Verdict compare.Verdict `json:"verdict"`
	// Unlike is what else differs from the last run before to the first after.
	Unlike []compare.Unlike `json:"unlike"`
}

// Look finds the changes of runs, which may be in any order.
func Look(runs []Run, o Options) (*Result, error) {
	metrics, err := o.complete()
	if err != nil {
		return nil, err
	}
	r := &Result{MinEffect: o.MinEffect, Confidence: stat.Confidence}
	for _, g := range groups(runs) {
		if o.Last > 0 && len(g.Runs) > o.Last {
			g.Runs = g.Runs[len(g.Runs)-o.Last:]
		}
		g.fill(metrics)
		g.judge(o.MinEffect)
		r.Groups = append(r.Groups, g)
	}
	slices.SortStableFunc(r.Groups, func(a, b Group) int { return cmp.Compare(len(b.Runs), len(a.Runs)) })
	return r, nil
}

func (o *Options) complete() ([]metric.Metric, error) {
	if o.MinEffect == 0 {
		o.MinEffect = compare.DefaultMinEffect
	}
	if !(o.MinEffect > 0 && o.MinEffect < 1) {
		return nil, fmt.Errorf("the least effect is %g: it must be a share between 0 and 1", o.MinEffect)
	}
	names := o.Metrics
	if len(names) == 0 {
		names = compare.Metrics
	}
	var all []metric.Metric
	for _, name := range names {
		m, err := compare.MetricNamed(name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(have metric.Metric) bool { return have.Name == m.Name }) {
			all = append(all, m)
		}
	}
	return all, nil
}

// groups sorts runs into those that can be set beside each other, in order of time.
func groups(runs []Run) []Group {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b Run) int {
		return cmp.Or(a.When.Compare(b.When), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name))
	})
	var all []Group
	for _, r := range runs {
		var of []compare.Fact
		for _, f := range r.facts {
			if f.Forbids {
				of = append(of, f)
			}
		}
		i := slices.IndexFunc(all, func(g Group) bool { return slices.Equal(g.Of, of) })
		if i < 0 {
			i = len(all)
			all = append(all, Group{Of: of})
		}
		all[i].Runs = append(all[i].Runs, r)
	}
	return all
}

// subject is what a series is of: placements only where a run has several.
type subject struct{ engine, about, model, placement, traffic, odd string }

// fill makes the series.
func (g *Group) fill(metrics []metric.Metric) {
	placed := g.placements()
	var subjects []subject
	cells := map[subject][]Point{}
	for i, r := range g.Runs {
		for k := range r.cells {
			c := &r.cells[k]
			s := subject{engine: c.engine, about: c.about, model: c.model, traffic: trafficText(c), odd: c.odd}
			if placed[s] {
				s.placement = c.placement
			}
			if _, known := cells[s]; !known {
				subjects = append(subjects, s)
			}
			cells[s] = append(cells[s], Point{Run: i, Disturbance: c.disturbance, cell: c})
		}
	}
	engines := map[string]bool{}
	for _, s := range subjects {
		engines[s.engine] = true
	}
	for _, s := range subjects {
		for _, m := range metrics {
			series := Series{Cell: s.name(len(engines) > 1), Metric: m.Name, Title: m.Title, Unit: m.Unit, Better: m.Better, Points: []Point{}, Changes: []Change{}}
			for _, p := range cells[s] {
				if of, ok := p.cell.pointOf(m); ok {
					p.N, p.Median, p.Interval = of.n, of.value, of.interval
					series.Points = append(series.Points, p)
				}
			}
			if len(series.Points) > 0 {
				g.Series = append(g.Series, series)
			}
		}
	}
}

// placements tells of which subjects a run has several placements.
func (g *Group) placements() map[subject]bool {
	several := map[subject]bool{}
	for _, r := range g.Runs {
		first := map[subject]string{}
		for k := range r.cells {
			c := &r.cells[k]
			s := subject{engine: c.engine, about: c.about, model: c.model, traffic: trafficText(c), odd: c.odd}
			if other, seen := first[s]; seen && other != c.placement {
				several[s] = true
			}
			first[s] = c.placement
		}
	}
	return several
}

func trafficText(c *cell) string {
	if c.traffic.Open() {
		return c.traffic.String() + " " + string(c.traffic.Arrival)
	}
	return c.traffic.String()
}

// name names the cell of a series by what tells it from the others.
func (s subject) name(withEngine bool) string {
	name := s.model
	if withEngine {
		name = s.engine + " " + name
	}
	if s.placement != "" {
		name += " · " + s.placement
	}
	if s.traffic != "1" {
		name += " × " + s.traffic
	}
	if s.odd != "" {
		name += ", " + s.odd
	}
	return name
}

// judge finds the changes of each series, each at an equal share of the level at
// which one may be told where there is none.
func (g *Group) judge(least float64) {
	tested := 0
	for _, s := range g.Series {
		if len(s.Points) >= stat.LeastForChange(alpha) {
			tested++
		}
	}
	level := alpha / float64(max(1, tested))
	for i := range g.Series {
		s := &g.Series[i]
		values := make([]float64, len(s.Points))
		for k, p := range s.Points {
			values[k] = p.Median
		}
		changes, ok := stat.Changes(values, level, least)
		s.Untold = !ok
		// One that is too short to be tested will be once it is long enough, and so
		// will the others.
		needed := stat.LeastForChange(level)
		if len(values) < stat.LeastForChange(alpha) {
			needed = stat.LeastForChange(alpha / float64(len(g.Series)))
		}
		if ok && len(values) < needed {
			s.Needed = needed
		}
		for k, c := range changes {
			from, to := 0, len(values)
			if k > 0 {
				from = changes[k-1].At
			}
			if k+1 < len(changes) {
				to = changes[k+1].At
			}
			s.Changes = append(s.Changes, g.change(s, from, c.At, to, min(1, c.P*float64(tested))))
		}
	}
}

// alpha is how often a change may be told where there is none, over all series of a
// group.
const alpha = 1 - stat.Confidence

// change describes the change at a place between two others.
func (g *Group) change(s *Series, from, at, to int, p float64) Change {
	last, first := s.Points[at-1], s.Points[at]
	before, after := s.Points[from:at], s.Points[at:to]
	c := Change{
		At: at, Before: g.Runs[last.Run].Name, After: g.Runs[first.Run].Name, When: g.Runs[first.Run].When, P: p,
		Levels: [2]float64{level(before), level(after)}, Runs: [2]int{len(before), len(after)},
		Unlike: append(differing(g.Runs[last.Run].facts, g.Runs[first.Run].facts), differing(last.cell.facts, first.cell.facts)...),
	}
	c.Ratio = c.Levels[1] / c.Levels[0]
	if shift, ok := stat.Compare(observations(before), observations(after), stat.Confidence); ok {
		c.Interval = &shift.Interval
	}
	c.Verdict = compare.Worse
	if (c.Ratio > 1) == (s.Better == metric.Higher) {
		c.Verdict = compare.Better
	}
	// What others took of the machine from run to run is in the spread of the runs;
	// that they took more or less on the whole is not. As compare has it, it slows by
	// as much again where they take it from the engine alone.
	more := disturbance(after) - disturbance(before)
	if s.Unit != metric.Bytes && (more > 0) == (c.Verdict == compare.Worse) && math.Abs(math.Log(c.Ratio)) <= math.Log1p(2*math.Abs(more)) {
		c.Verdict = compare.Disturbed
	}
	return c
}

// level is the geometric mean.
func level(points []Point) float64 {
	sum := 0.0
	for _, p := range points {
		sum += math.Log(p.Median)
	}
	return math.Exp(sum / float64(len(points)))
}

// observations makes each run a block of its own.
func observations(points []Point) []stat.Observation {
	var all []stat.Observation
	for i, p := range points {
		all = append(all, stat.Observation{Value: p.Median, Block: i})
	}
	return all
}

// disturbance is the mean over runs.
func disturbance(points []Point) float64 {
	sum := 0.0
	for _, p := range points {
		sum += p.Disturbance
	}
	return sum / float64(len(points))
}

// String names a group by what its runs have in common.
func (g *Group) String() string {
	var parts []string
	for _, f := range g.Of {
		if f.Value != "" {
			parts = append(parts, f.What+" "+f.Value)
		}
	}
	return strings.Join(parts, "; ")
}

// Machines lists the names of the machines that the runs are of, each once.
func (g *Group) Machines() []string {
	var names []string
	for _, r := range g.Runs {
		for _, f := range r.facts {
			if f.What == compare.MachineName && f.Value != "" && !slices.Contains(names, f.Value) {
				names = append(names, f.Value)
			}
		}
	}
	return names
}

// Breaches returns the newest changes of series that are beyond a limit with their
// whole interval, and not for what else the machine did.
func (r *Result) Breaches(limits []compare.Limit) []compare.Breach {
	var all []compare.Breach
	for _, l := range limits {
		for _, g := range r.Groups {
			for _, s := range g.Series {
				if s.Metric != l.Metric || len(s.Changes) == 0 {
					continue
				}
				c := s.Changes[len(s.Changes)-1]
				if c.Interval == nil || c.Verdict == compare.Disturbed {
					continue
				}
				if l.Change < 0 && c.Interval.Hi < 1+l.Change || l.Change > 0 && c.Interval.Lo > 1+l.Change {
					all = append(all, compare.Breach{Limit: l.String(), B: c.After, Cell: s.Cell, Title: s.Title, Change: c.Ratio - 1, Lo: c.Interval.Lo - 1, Hi: c.Interval.Hi - 1})
				}
			}
		}
	}
	return all
}
