package summary

import (
	"math"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// Spread is how much the values of a metric differ at each level, as standard
// deviations of their logarithms: about shares of the value. A level that is not
// known is nil.
type Spread struct {
	// Repeats is between requests of one prompt in one load.
	Repeats *float64 `json:"between_repeats"`
	// Prompts is between prompts, which are fixed: it is in no interval. Nil where
	// there is one.
	Prompts *float64 `json:"between_prompts"`
	// Loads is between loads, beyond what differs within them; nil where there is
	// one, which cannot tell.
	Loads *float64 `json:"between_loads"`
	// ToHalve is what would halve the interval of the median; nil where there is no
	// interval.
	ToHalve *Effort `json:"to_halve_interval"`
}

// Effort is how much there must be in all for an interval to have a width, if values
// go on to differ as they do. Each number is what is needed if the other stays. Nil
// stands for what no number brings, or, of loads, for what one load cannot tell.
type Effort struct {
	Loads   *int `json:"loads"`
	Repeats *int `json:"repeats"`
	// MoreLoads and MoreRepeats are what lacks.
	MoreLoads   *int `json:"more_loads"`
	MoreRepeats *int `json:"more_repeats"`
}

// spreadMetrics are those of which a cell tells how values differ.
func spreadMetric(name string) bool { return name == metric.TokenRate || name == metric.Latency }

// spreadOf returns how the values of a metric differ, whose median has that interval;
// nil where they cannot be compared as shares.
func spreadOf(observations []stat.Observation, interval *stat.Interval) *Spread {
	levels, ok := stat.LevelsOf(observations)
	if !ok {
		return nil
	}
	s := &Spread{Repeats: levels.Within, Prompts: levels.Strata, Loads: levels.Blocks}
	if interval == nil {
		return s
	}
	effort, ok := levels.ToHalve(*interval)
	if !ok {
		return s
	}
	s.ToHalve = &Effort{}
	if effort.Blocks > 0 {
		s.ToHalve.Loads, s.ToHalve.MoreLoads = &effort.Blocks, new(max(1, effort.Blocks-levels.BlockCount))
	}
	if effort.Each > 0 {
		prompts := float64(levels.StrataCount)
		now := math.Ceil(float64(levels.N) / float64(levels.BlockCount) / prompts)
		repeats := math.Ceil(float64(effort.Each) / prompts)
		s.ToHalve.Repeats, s.ToHalve.MoreRepeats = new(int(repeats)), new(int(max(1, repeats-now)))
	}
	return s
}

// Until is how well the medians of a cell are known that its plan wants known, and why
// no more was asked for that.
type Until struct {
	// Goals are the plan's.
	Goals []Reached `json:"goals"`
	// Ends are those of the cell's blocks, one for each load, in order. Each went on
	// by itself until the interval within it was narrow enough.
	Ends []LoadEnd `json:"ends"`
}

// Reached is a goal and what became of it over all loads.
type Reached struct {
	exobench.Goal
	// Now is half of the interval's width as a share of the median; nil where there
	// is no interval.
	Now *float64 `json:"reached"`
}

// LoadEnd is the end of a cell's requests in one load.
type LoadEnd struct {
	Step int `json:"step"`
	// Repeats is how often each prompt was sent.
	Repeats int                     `json:"repeats"`
	Reason  exobench.BlockEndReason `json:"reason"`
}

// untilOf returns what became of a cell's goals; nil where its plan has none.
func untilOf(c *Cell, blocks []*block) *Until {
	goals, err := c.Stop.Until.Goals()
	if c.Stop.Until == "" || err != nil {
		return nil
	}
	u := &Until{Ends: []LoadEnd{}}
	for _, g := range goals {
		r := Reached{Goal: g}
		if s, ok := c.Metric(g.Metric); ok && s.Interval != nil {
			if half, ok := s.Interval.HalfWidth(s.Median); ok {
				r.Now = &half
			}
		}
		u.Goals = append(u.Goals, r)
	}
	for _, b := range blocks {
		if b.end != nil {
			u.Ends = append(u.Ends, LoadEnd{b.Step, b.end.Repeats, b.end.Reason})
		}
	}
	return u
}
