package summary

import (
	"cmp"
	"math"
	"slices"
	"time"

	"exobench/metric"
	"exobench/stat"
)

// From when on requests that are not alike are worth a warning. Each is beyond noise
// by stat's own rules as well; how seldom quiet cells are warned of is simulated in a
// test, and stands in the methodology.
const (
	// leadEffect is by what share the first request must be slower.
	leadEffect = 0.10
	// driftEffect is by what share the last request must differ from the first, and
	// driftChance how likely such a trend may be by chance: less where there are too
	// few requests to tell how alike those are that follow each other.
	driftEffect    = 0.03
	driftChance    = 0.002
	driftChanceFew = 0.001
	driftMany      = 30
	// modesEffect is how far apart two modes must be, and modesChance how likely the
	// gap between them may be by chance.
	modesEffect = 0.05
	modesChance = 0.003
	// outlierEffect is how far off an outlier must be.
	outlierEffect = 0.20
	// uselessHalf is the half-width of an interval, as a share of its median, from
	// which on it is useless; usefulHalf is what it ought to be.
	uselessHalf = 0.25
	usefulHalf  = 0.05
	// promptsApart is how many times as far as requests of one prompt prompts lie apart
	// from each other that do not overlap.
	promptsApart = 3
)

// inStretches is the share of the changes between two modes that chance would bring
// below which they come in stretches.
const inStretches = 1.0 / 3

// course is what is odd about the values of one metric in the order of requests.
type course struct {
	lead     *stat.Lead
	trend    *stat.Trend
	modes    *stat.Modes
	outliers []stat.Outlier
}

// courseOf looks at values of requests of which so many are under way at a time.
// Where that is more than one, those are left out that were under way with fewer or
// together with the very first, and only a trend and outliers are looked for: how
// many are at work at a time makes requests differ by itself.
//
// What is told is told once: a slow first request is no outlier, and of a trend and
// two modes it is the one that leaves less unexplained.
//
// So many first requests of each block, which are known to be slow, are left out.
func courseOf(all []stat.Observation, m metric.Metric, underWay, slow int) course {
	var c course
	var places []int
	if slow > 0 {
		all, places = without(all, slow, 0)
	} else if underWay > 1 {
		all, places = without(all, underWay, underWay)
	} else if lead, ok := stat.LeadOf(all); ok && slower(m, lead.Ratio) >= 1+leadEffect {
		c.lead = &lead
		all, places = without(all, lead.N, 0)
	}
	if trend, ok := clearTrend(all); ok {
		c.trend = &trend
	}
	if modes, ok := stat.ModesOf(all); ok && underWay == 1 && modes.Hi >= (1+modesEffect)*modes.Lo && modes.P <= modesChance {
		if c.trend == nil || modes.Left < c.trend.Left {
			modes.First = placeOf(places, modes.First)
			c.modes, c.trend = &modes, nil
		}
	}
	for _, o := range stat.OutliersOf(all) {
		if math.Abs(math.Log(o.Ratio)) >= math.Log1p(outlierEffect) {
			o.At = placeOf(places, o.At)
			c.outliers = append(c.outliers, o)
		}
	}
	return c
}

// trendOfLoads returns how the medians of loads change from the first load to the
// last, where that is worth a warning. All loads have the same prompts.
func trendOfLoads(all []stat.Observation) (stat.Trend, bool) {
	var medians []stat.Observation
	var values []float64
	for i, o := range all {
		values = append(values, o.Value)
		if i+1 == len(all) || all[i+1].Block != o.Block {
			medians = append(medians, stat.Observation{Value: median(values)})
			values = values[:0]
		}
	}
	return clearTrend(medians)
}

// clearTrend returns the trend of values where it is worth a warning.
func clearTrend(all []stat.Observation) (stat.Trend, bool) {
	trend, ok := stat.TrendOf(all)
	chance := driftChance
	if trend.N < driftMany {
		chance = driftChanceFew
	}
	return trend, ok && math.Abs(trend.Change) >= driftEffect && trend.P <= chance
}

// slower returns by what factor a ratio of values means slower.
func slower(m metric.Metric, ratio float64) float64 {
	if m.Better == metric.Higher {
		return 1 / ratio
	}
	return ratio
}

// placeOf returns the place of a value that is at i among those that are left; all are
// where there are no places.
func placeOf(places []int, i int) int {
	if places == nil {
		return i
	}
	return places[i]
}

// without leaves out the first and the last of each block, and tells the places of
// the others.
func without(all []stat.Observation, first, last int) (kept []stat.Observation, at []int) {
	for from := 0; from < len(all); {
		to := from
		for to < len(all) && all[to].Block == all[from].Block {
			to++
		}
		for i := from + first; i < to-last; i++ {
			kept, at = append(kept, all[i]), append(at, i)
		}
		from = to
	}
	return kept, at
}

// doubtCourse says where requests of a cell are not alike though they should be, and
// where the interval of a median is too wide to be of use. It goes by tokens/s and,
// where all answers took the same way, latency.
func doubtCourse(f *Fold, c *Cell, s *sample) []Figures {
	var doubts []Figures
	var odd oddOnes
	// What is said is said of one metric: a step may be a drift of the one and two
	// modes of the other.
	slow, useless, changes, overLoads := 0, false, false, false
	disturbed := c.disturbed()
	for _, name := range []string{metric.TokenRate, metric.Latency} {
		if _, given := c.Metrics[name]; !given || name == metric.Latency && !f.alike(c, s) {
			continue
		}
		place := f.place(name)
		m := f.metrics[place]
		wanted := func(r *row) bool { return r.enters(m, wayOf(c.TokensFrom)) }
		all := s.observations(place, wanted)
		if wide, is := c.useless(f, name, all); is && !useless {
			useless = true
			wide.Disturbed = disturbed
			doubts = append(doubts, wide)
		}
		if trend, is := trendOfLoads(all); is && !overLoads {
			overLoads = true
			doubts = append(doubts, Drift{Metric: name, Change: trend.Change, P: trend.P, N: trend.N, Loads: trend.N, Between: true, Time: time.Duration(len(s.blocks)) * s.meanTime(), Disturbed: disturbed})
		}
		if c.Traffic.Open() {
			continue
		}
		found := courseOf(all, m, c.Traffic.Concurrency, slow)
		if found.lead != nil {
			slow = found.lead.N
			doubts = append(doubts, SlowFirst{name, found.lead.N, found.lead.Blocks, found.lead.Ratio, found.lead.Noise, f.warmupFor(s, found.lead.N), disturbed})
		}
		if changes {
			found.trend, found.modes = nil, nil
		}
		changes = changes || found.trend != nil || found.modes != nil
		if found.trend != nil {
			doubts = append(doubts, Drift{Metric: name, Change: found.trend.Change, P: found.trend.P, N: found.trend.N, Loads: len(s.blocks), Time: s.meanTime(), Disturbed: disturbed})
		}
		if m := found.modes; m != nil {
			modes := TwoModes{Metric: name, Low: m.Lo, High: m.Hi, ShareHigh: m.Share, N: len(all), Changes: m.Changes, P: m.P, Disturbed: disturbed}
			modes.Stretches = m.Changes > 0 && float64(m.Changes) <= inStretches*m.Mixed
			if b, i := s.nth(place, wanted, m.First); modes.Stretches && b != nil {
				modes.First, modes.After = m.First+1, b.ok.at(i).sent.Sub(b.sent)
			}
			doubts = append(doubts, modes)
		}
		for _, o := range found.outliers {
			b, i := s.nth(place, wanted, o.At)
			odd.add(oddOne{name, o.Ratio, o.At, b, i})
		}
	}
	if len(odd) > 0 {
		doubts = append(doubts, odd.figures(f, c))
	}
	return doubts
}

// alike reports whether latencies of a cell can be compared: whether all answers were
// of one length, and none waited for its model or came from a cache.
func (f *Fold) alike(c *Cell, s *sample) bool {
	counted, t := s.lengthsOf(c.TokensFrom), tally(s.blocks)
	if counted.least != counted.most || counted.n == 0 && f.mayStopEarly(c.Engine) || t.reloads > 0 || t.cached > 0 && t.cold > 0 {
		return false
	}
	if c.Cache == CacheUnknown {
		_, fell := s.collapse(f.place(metric.TTFT))
		return !fell
	}
	return true
}

// nth returns the request that observation n of a metric is of.
func (s *sample) nth(m int, wanted func(*row) bool, n int) (*block, int) {
	for _, b := range s.blocks {
		for _, i := range b.ok.inOrder() {
			if _, ok := b.ok.values[m].value(i); ok && wanted(b.ok.at(i)) {
				if n == 0 {
					return b, i
				}
				n--
			}
		}
	}
	return nil, 0
}

// meanTime returns how long a block took on average.
func (s *sample) meanTime() time.Duration {
	var sum time.Duration
	for _, b := range s.blocks {
		sum += b.done.Sub(b.sent)
	}
	return sum / time.Duration(len(s.blocks))
}

// warmupFor returns how many warm-ups would leave out the first requests of the
// blocks; 0 where others were measured between the warm-ups and them.
func (f *Fold) warmupFor(s *sample, first int) int {
	for _, other := range f.blocks {
		for _, b := range s.blocks {
			if other.Step == b.Step && other.ID < b.ID && other.requests > 0 && !other.Warmup() {
				return 0
			}
		}
	}
	return f.header.Plan.Warmups() + first
}

// useless reports whether the interval of a metric is too wide, and what it takes.
func (c *Cell) useless(f *Fold, name string, all []stat.Observation) (UselessInterval, bool) {
	described := c.Metrics[name]
	if described.Interval == nil || !(described.Median > 0) {
		return UselessInterval{}, false
	}
	half := (described.Interval.Hi - described.Interval.Lo) / 2 / described.Median
	if half <= uselessHalf {
		return UselessInterval{}, false
	}
	u := UselessInterval{Metric: name, Median: described.Median, Lo: described.Interval.Lo, Hi: described.Interval.Hi, HalfWidth: half, Limit: uselessHalf, Aim: usefulHalf}
	// Prompts that do not overlap, each of which is known well.
	levels, told := stat.LevelsOf(all)
	if described.Interval.Basis == stat.WithinBlock && told && levels.Within != nil && levels.Strata != nil &&
		*levels.Strata > promptsApart**levels.Within && 3**levels.Within/math.Sqrt(float64(len(all))) < uselessHalf/2 {
		u.PromptsApart = true
		return u, true
	}
	effort, ok := stat.EffortFor(all, usefulHalf, stat.Confidence)
	if !ok {
		return u, true
	}
	u.Requests, u.Loads = effort.Each, effort.Blocks
	if c.Stop.Repeat > 0 && len(c.Prompts) > 0 {
		u.Repeat = (effort.Each + len(c.Prompts) - 1) / len(c.Prompts)
	}
	return u, true
}

// oddOne is a request that stands apart.
type oddOne struct {
	metric string
	ratio  float64
	at     int // which of the cell's it is, from 0
	block  *block
	row    int
}

func (o oddOne) far() float64 { return math.Abs(math.Log(o.ratio)) }

// oddOnes are the requests that stand apart by any metric, each once.
type oddOnes []oddOne

func (all *oddOnes) add(one oddOne) {
	if !slices.ContainsFunc(*all, func(o oddOne) bool { return o.block == one.block && o.row == one.row }) {
		*all = append(*all, one)
	}
}

// figures says how many there are, and what fell together with the farthest.
func (all oddOnes) figures(f *Fold, c *Cell) Outliers {
	worst := slices.MaxFunc(all, func(a, b oddOne) int { return cmp.Compare(a.far(), b.far()) })
	rows := worst.block.ok
	r := rows.at(worst.row)
	o := Outliers{
		N: len(all), Of: c.N, Metric: worst.metric, Ratio: worst.ratio,
		Place: worst.at + 1, Prompt: f.prompts[r.prompt], Step: worst.block.Step, After: r.sent.Sub(worst.block.sent),
		Disturbed: c.disturbed(),
	}
	value := func(name string) (float64, bool) { return rows.values[f.place(name)].value(worst.row) }
	usual := func(name string) float64 {
		for _, p := range c.Prompts {
			if p.ID == o.Prompt {
				return p.Metrics[name].Median
			}
		}
		return 0
	}
	latency, ok := value(metric.Latency)
	longer := latency - usual(metric.Latency)
	if !ok || longer <= 0 {
		return o
	}
	o.Longer = time.Duration(longer * float64(time.Second))
	if ttft, ok := value(metric.TTFT); ok && ttft-usual(metric.TTFT) >= longer/2 {
		o.BeforeFirst = new(time.Duration((ttft - usual(metric.TTFT)) * float64(time.Second)))
	}
	if pause, ok := value(metric.InterChunkMax); ok && pause >= longer/2 {
		o.Pause = new(time.Duration(pause * float64(time.Second)))
	}
	if c.Machine != nil {
		if wait := c.Machine.LongestWait(); wait != nil && *wait >= o.Longer/2 {
			o.Waited = wait
		}
	}
	return o
}

// disturbed reports whether others used the machine while the cell was measured.
func (c *Cell) disturbed() bool {
	return slices.ContainsFunc(doubtMachine(c, 1), func(d Figures) bool {
		switch d.(type) {
		case TimeStolen, OthersBusy:
			return true
		}
		return false
	})
}
