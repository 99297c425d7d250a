package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/metric"
	"exobench/stat"
	"exobench/summary"
)

// Options say how to compare.
type Options struct {
	// MinEffect is the least difference that matters, as a share: below it no two
	// are better or worse. 0 means DefaultMinEffect.
	MinEffect float64
	// Metrics are the names of the metrics to compare; none are Metrics.
	Metrics []string
	// Force compares what is unlike in a way that forbids it.
	Force bool
}

// DefaultMinEffect is the least difference that matters unless somebody says
// otherwise.
const DefaultMinEffect = 0.02

// Metrics are what is compared where nobody names any.
var Metrics = []string{metric.TokenRate, metric.TTFT, metric.Latency, metric.MemoryAdditional}

// Run is one of the runs to compare, with what people call it.
type Run struct {
	Name    string
	Summary *summary.Run
}

// Result is what was found. Its members are JSON's.
type Result struct {
	MinEffect  float64 `json:"min_effect"`
	Confidence float64 `json:"confidence"`
	// Baseline is the run that the others are set beside.
	Baseline string `json:"baseline"`
	// Pairs are the baseline beside each other run, in their order.
	Pairs []Pair `json:"pairs"`
}

// Pair is two runs, or two variants of one.
type Pair struct {
	A string `json:"a"`
	B string `json:"b"`
	// Unlike is what differs besides what was measured. Where something forbids a
	// comparison there are no cells, unless it was forced.
	Unlike []Unlike `json:"unlike"`
	Forced bool     `json:"forced"`
	Cells  []Cell   `json:"cells"`
	// OnlyA and OnlyB name the cells that only one of the two has.
	OnlyA []string `json:"only_a"`
	OnlyB []string `json:"only_b"`

	// inTurn is set where the two were loaded in turn, so that what disturbs the
	// machine meets both and is in the spread of their loads.
	inTurn bool
}

// Cell is one cell in both runs.
type Cell struct {
	// Name tells it from the others of the pair.
	Name        string       `json:"name"`
	Comparisons []Comparison `json:"comparisons"`
}

// Forbidden reports whether the pair cannot be compared, and was not forced.
func (p *Pair) Forbidden() bool {
	return !p.Forced && slices.ContainsFunc(p.Unlike, func(u Unlike) bool { return u.Forbids && u.Cell == "" })
}

// side is a cell in one of the runs.
type side struct {
	run    *summary.Run
	cell   *summary.Cell
	engine exobench.Engine
}

// Compare sets each further run beside the first.
func Compare(runs []Run, o Options) (*Result, error) {
	if len(runs) < 2 {
		return nil, errors.New("there is one run: a comparison needs another")
	}
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	r := &Result{MinEffect: o.MinEffect, Confidence: stat.Confidence, Baseline: runs[0].Name}
	for _, other := range runs[1:] {
		p := Pair{A: runs[0].Name, B: other.Name, Unlike: unlikeRuns(runs[0].Summary, other.Summary), Forced: o.Force}
		a, b := sides(runs[0].Summary, ""), sides(other.Summary, "")
		p.fill(a, b, o)
		r.Pairs = append(r.Pairs, p)
	}
	return r, nil
}

// Variants sets the further engines of one run, by their labels, beside the first.
func Variants(run *summary.Run, o Options) (*Result, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	var labels []string
	for _, e := range run.Header.Engines {
		labels = append(labels, e.Name)
	}
	if len(labels) < 2 {
		return nil, errors.New("the run has one engine: a comparison within it needs another, or another variant")
	}
	r := &Result{MinEffect: o.MinEffect, Confidence: stat.Confidence, Baseline: shortOf(run, labels[0])}
	for _, label := range labels[1:] {
		p := Pair{A: shortOf(run, labels[0]), B: shortOf(run, label), Forced: o.Force, inTurn: run.Header.Plan.LoadCount() > 1}
		p.fill(sides(run, labels[0]), sides(run, label), o)
		r.Pairs = append(r.Pairs, p)
	}
	return r, nil
}

// shortOf returns the name of a variant where all engines are variants of one
// driver, else the label.
func shortOf(run *summary.Run, label string) string {
	short := label
	for _, e := range run.Header.Engines {
		variant, ok := strings.CutPrefix(e.Name, e.Driver+" ")
		if !ok || e.Driver != run.Header.Engines[0].Driver {
			return label
		}
		if e.Name == label {
			short = variant
		}
	}
	return short
}

func (o Options) complete() (Options, error) {
	if o.MinEffect == 0 {
		o.MinEffect = DefaultMinEffect
	}
	if !(o.MinEffect > 0 && o.MinEffect < 1) {
		return o, fmt.Errorf("the least effect is %g: it must be a share between 0 and 1", o.MinEffect)
	}
	if len(o.Metrics) == 0 {
		o.Metrics = Metrics
	}
	o.Metrics = slices.Clone(o.Metrics)
	for i, name := range o.Metrics {
		m, err := metricOf(name)
		if err != nil {
			return o, err
		}
		o.Metrics[i] = m.Name
	}
	return o, nil
}

// sides returns the measured cells of a run, or of one of its engines.
func sides(run *summary.Run, engine string) []side {
	var all []side
	for i := range run.Cells {
		c := &run.Cells[i]
		if c.Requests == 0 || engine != "" && c.Engine != engine {
			continue
		}
		e, _ := run.Header.Engine(c.Engine)
		all = append(all, side{run, c, e})
	}
	return all
}

// fill pairs the cells and compares them.
func (p *Pair) fill(a, b []side, o Options) {
	taken := map[*summary.Cell]bool{}
	type pairing struct {
		name string
		a, b side
	}
	var pairings []pairing
	for _, x := range a {
		name := nameOf(x, a, b)
		i := match(x, b, taken)
		if i < 0 {
			p.OnlyA = append(p.OnlyA, name)
			continue
		}
		taken[b[i].cell] = true
		pairings = append(pairings, pairing{name, x, b[i]})
		p.Unlike = append(p.Unlike, unlikeCells(name, x, b[i])...)
	}
	for _, y := range b {
		if !taken[y.cell] {
			p.OnlyB = append(p.OnlyB, nameOf(y, b, a))
		}
	}
	p.Unlike = shared(p.Unlike, len(pairings))
	if p.Forbidden() {
		return
	}
	for _, pair := range pairings {
		c := Cell{Name: pair.name}
		if !p.forbids(pair.name) {
			c.Comparisons = compareCells(pair.a, pair.b, o)
		}
		p.Cells = append(p.Cells, c)
	}
	p.judge(o)
}

// forbids reports whether something forbids the comparison of one cell.
func (p *Pair) forbids(cell string) bool {
	return !p.Forced && slices.ContainsFunc(p.Unlike, func(u Unlike) bool { return u.Forbids && u.Cell == cell })
}

// shared makes one of what is unlike in every cell in the same way.
func shared(all []Unlike, cells int) []Unlike {
	counts := map[Unlike]int{}
	for _, u := range all {
		u.Cell = ""
		counts[u]++
	}
	var kept []Unlike
	seen := map[Unlike]bool{}
	for _, u := range all {
		whole := u
		whole.Cell = ""
		if u.Cell == "" || cells > 1 && counts[whole] < cells {
			kept = append(kept, u)
			continue
		}
		if !seen[whole] {
			seen[whole] = true
			kept = append(kept, whole)
		}
	}
	return kept
}

func engines(all []side) int {
	labels := map[string]bool{}
	for _, s := range all {
		labels[s.cell.Engine] = true
	}
	return len(labels)
}

// match returns the place of the cell that is the same as x: of the same model and
// traffic, and of the same engine and placement as far as there are several.
func match(x side, b []side, taken map[*summary.Cell]bool) int {
	best, most := -1, -1
	for i, y := range b {
		if taken[y.cell] || y.cell.Model != x.cell.Model || y.cell.Traffic != x.cell.Traffic {
			continue
		}
		points := 0
		if y.cell.Engine == x.cell.Engine {
			points += 2
		} else if engines(b) > 1 {
			continue
		}
		if y.cell.Placement == x.cell.Placement {
			points++
		}
		if points > most {
			best, most = i, points
		}
	}
	return best
}

// nameOf names a cell by what tells it from the others: its engine and placement
// only where there are several.
func nameOf(of side, own, other []side) string {
	c := of.cell
	name := c.Model
	if engines(own) > 1 {
		name = c.Engine + " " + name
	}
	if placements(own, c) > 1 || placements(other, c) > 1 {
		name += " · " + c.Placement
	}
	if c.Traffic.Open() || c.Traffic.Concurrency > 1 {
		name += " × " + c.Traffic.String()
	}
	return name
}

// placements counts where a cell's model is under its traffic.
func placements(all []side, c *summary.Cell) int {
	of := map[string]bool{}
	for _, s := range all {
		if s.cell.Model == c.Model && s.cell.Traffic == c.Traffic {
			of[s.cell.Placement] = true
		}
	}
	return len(of)
}

// metricOf finds a metric that can be compared by its name, with or without its
// unit.
func metricOf(name string) (metric.Metric, error) {
	m, err := MetricNamed(name)
	if err == nil && m.Value == nil && m.Name != metric.MemoryAdditional {
		return m, fmt.Errorf("%s is not compared: it is no figure of single requests; there are %v", name, Metrics)
	}
	return m, err
}

// MetricNamed finds a metric by its column, with or without the unit; the error
// names those that there are.
func MetricNamed(name string) (metric.Metric, error) {
	m, ok := metric.Named(name)
	if ok {
		return m, nil
	}
	var names []string
	for _, m := range metric.All {
		names = append(names, m.Name)
	}
	return m, fmt.Errorf("there is no metric %q; there are %v", name, names)
}
