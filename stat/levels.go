package stat

import "math"

// Levels is how much measurements differ at each level of the design, as standard
// deviations of their logarithms: about shares of the value.
type Levels struct {
	// Within is between measurements of one stratum in one block; nil where no
	// stratum of a block has two.
	Within *float64 `json:"within"`
	// Strata is between strata, which are fixed: it is in no interval. Nil where
	// there is one.
	Strata *float64 `json:"strata"`
	// Blocks is between blocks, beyond what differences within them explain; nil
	// where there is one.
	Blocks *float64 `json:"blocks"`
}

// LevelsOf returns them, by the sums of squares of an analysis of variance; a
// level that explains less than nothing is 0. It is absent where a value is not
// above 0, or there are none.
func LevelsOf(observations []Observation) (Levels, bool) {
	logs, ok := onLogs(observations)
	if !ok || len(logs) == 0 {
		return Levels{}, false
	}
	d := newDesign(logs)
	var l Levels
	within, df := 0.0, 0
	for _, block := range d.blocks {
		for _, values := range byStratum(d.of(block)) {
			within += squares(values)
			df += len(values) - 1
		}
	}
	if df > 0 {
		within /= float64(df)
		l.Within = new(math.Sqrt(within))
	}
	n := float64(len(logs))
	if len(d.strata) > 1 {
		var means []float64
		strata := byStratum(logs)
		for _, stratum := range d.strata {
			means = append(means, meanOf(strata[stratum]))
		}
		l.Strata = beyond(means, within/(n/float64(len(d.strata))))
	}
	if common := d.common(d); len(d.blocks) > 1 && len(common) > 0 {
		var means []float64
		for _, block := range d.blocks {
			strata, sum := byStratum(d.of(block)), 0.0
			for _, stratum := range common {
				sum += meanOf(strata[stratum])
			}
			means = append(means, sum/float64(len(common)))
		}
		l.Blocks = beyond(means, within/(n/float64(len(d.blocks))))
	}
	return l, true
}

// beyond returns the standard deviation of means beyond what comes of their own
// variance.
func beyond(means []float64, variance float64) *float64 {
	return new(math.Sqrt(max(0, squares(means)/float64(len(means)-1)-variance)))
}

// Effort is how many measurements there must be for an interval to have a width.
// Each number is what is needed if the other stays; 0 where no number brings it.
type Effort struct {
	Blocks int `json:"blocks"`
	// Each is how many measurements a block must have.
	Each int `json:"each"`
}

// mostEffort is beyond what anybody would do.
const mostEffort = 1_000_000

// EffortFor returns what it takes for MedianInterval to reach no more than so far
// to either side of the median, as a share of it, if the measurements go on to
// differ as these do. It is absent where these have no interval.
func EffortFor(observations []Observation, halfWidth, confidence float64) (Effort, bool) {
	interval, ok := MedianInterval(observations, confidence)
	levels, told := LevelsOf(observations)
	if !ok || !told || !(halfWidth > 0) {
		return Effort{}, false
	}
	blocks := len(newDesign(observations).blocks)
	return levels.effort(interval, blocks, len(observations), math.Log1p(halfWidth)), true
}

// ToHalve returns what it takes to halve the interval that MedianInterval gives of
// so many measurements in so many blocks, whose levels these are. It is absent where
// the interval has no width to halve.
func (l Levels) ToHalve(interval Interval, blocks, measurements int) (Effort, bool) {
	now := math.Log(interval.Hi/interval.Lo) / 2
	if !(interval.Lo > 0) || !(now > 0) {
		return Effort{}, false
	}
	return l.effort(interval, blocks, measurements, now/2), true
}

// effort returns what it takes to bring half of the interval's width to the target,
// both in logarithms.
func (l Levels) effort(interval Interval, blocks, measurements int, target float64) Effort {
	each := float64(measurements) / float64(blocks)
	now := math.Log(interval.Hi/interval.Lo) / 2
	if blocks == 1 {
		return Effort{Each: atMost(math.Ceil(each * (now / target) * (now / target)))}
	}
	p := (1 + interval.Confidence) / 2
	t := tQuantile(p, float64(blocks-1))
	of := now / t * math.Sqrt(float64(blocks)) // the standard deviation of blocks
	effort := Effort{}
	for more := 2; more <= mostEffort; more = max(more+1, more*101/100) {
		if tQuantile(p, float64(more-1))*of/math.Sqrt(float64(more)) <= target {
			effort.Blocks = more
			break
		}
	}
	// What is between blocks stays, however many measurements each has.
	between, within := 0.0, 0.0
	if l.Blocks != nil {
		between = *l.Blocks * *l.Blocks
	}
	if l.Within != nil {
		within = *l.Within * *l.Within / each
	}
	share := 1.0
	if between+within > 0 {
		share = between / (between + within)
	}
	if left := target*target/(now*now) - share; left > 0 {
		effort.Each = atMost(math.Ceil(each * (1 - share) / left))
	}
	return effort
}

func atMost(n float64) int {
	if !(n <= mostEffort) {
		return 0
	}
	return int(n)
}
