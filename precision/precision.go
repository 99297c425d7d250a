// Package precision knows when the medians of a cell are known as well as a plan
// wants. It takes finished requests in, as a run has them, and looks at the interval
// that the report will give of them.
//
// Whoever looks again and again and stops at the first narrow interval stops where
// chance made it narrow, and too many such intervals miss the truth. So it looks
// seldom, and goes by two looks in a row; see [Rule.Enough].
package precision

import (
	"cmp"
	"fmt"
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// Named returns what a person wrote with metrics by their columns; names may lack
// the unit that the column ends with. It fails where one is no figure of single
// requests.
func Named(u exobench.Until) (exobench.Until, error) {
	goals, err := u.Goals()
	if err != nil {
		return u, err
	}
	for i := range goals {
		m, known := metric.Named(goals[i].Metric)
		if !known || m.Value == nil {
			var names []string
			for _, m := range metric.PerRequest() {
				names = append(names, m.Name)
			}
			return u, fmt.Errorf("names %q, which is no figure of single requests: there are %v", goals[i].Metric, names)
		}
		goals[i].Metric = m.Name
	}
	named := exobench.NewUntil(goals)
	_, err = named.Goals() // ttft and ttft_s are one
	return named, err
}

const (
	// leastValues is how many values there are before the first look: of fewer, an
	// interval is too often narrow by chance, and it does not know how alike those are
	// that follow each other.
	leastValues = 30
	// spacing is by which part more repeats there are at the next look: a quarter.
	spacing = 4
	// inRow is at how many looks in a row all goals must be reached.
	inRow = 2
)

// Rule knows of the requests of one block, which are of one load of a model, whether
// they tell enough. It is not safe for concurrent use.
type Rule struct {
	goals   []exobench.Goal
	metrics []metric.Metric
	// size is how many requests a repeat has, and least how many repeats there must
	// be.
	size, least int
	repeats     []repeat // by their numbers, less one
	whole       int      // how many of them, from the first on, have ended
	prompts     map[string]int
	next        int // with how many whole repeats the next look is
	reached     int // at how many looks in a row
}

// repeat is the requests of one repeat of the prompts that have ended.
type repeat struct {
	ended int
	ok    []request
}

// request is what is kept of an OK request.
type request struct {
	sent, ended, done exobench.Instant
	prompt            int
	way               exobench.TokensFrom
	counted           bool      // it tells how many tokens there were
	values            []float64 // by goal
	known             []bool
}

// NewRule returns the rule for a cell of so many prompts, under traffic that is an
// open loop or a closed one. The plan must be valid, its metrics Named.
func NewRule(s exobench.Stop, prompts int, open bool) (*Rule, error) {
	goals, err := s.Until.Goals()
	if err != nil {
		return nil, err
	}
	r := &Rule{size: prompts, least: s.Repeat, prompts: map[string]int{}}
	for _, g := range goals {
		m, known := metric.ByName(g.Metric)
		switch {
		case !known || m.Value == nil:
			return nil, fmt.Errorf("%s is no figure of single requests", g.Metric)
		case m.OpenLoop && !open:
			return nil, fmt.Errorf("%s means something in an open loop alone", g.Metric)
		}
		r.goals, r.metrics = append(r.goals, g), append(r.metrics, m)
	}
	return r, nil
}

// Saw is told of a request that has ended.
func (r *Rule) Saw(record *exobench.Record) {
	if record.Repeat < 1 {
		return
	}
	for len(r.repeats) < record.Repeat {
		r.repeats = append(r.repeats, repeat{})
	}
	in := &r.repeats[record.Repeat-1]
	if in.ended++; in.ended == r.size {
		for r.whole < len(r.repeats) && r.repeats[r.whole].ended >= r.size {
			r.whole++
		}
	}
	if record.Outcome != exobench.OK {
		return
	}
	place, seen := r.prompts[record.PromptID]
	if !seen {
		place = len(r.prompts)
		r.prompts[record.PromptID] = place
	}
	kept := request{
		sent: record.Sent, ended: record.Ended, done: record.Done, prompt: place, way: record.TokensFrom,
		counted: record.OutputTokens != nil, values: make([]float64, len(r.metrics)), known: make([]bool, len(r.metrics)),
	}
	for i, m := range r.metrics {
		if value, ok := m.Value(record); ok && m.Possible(value) {
			kept.values[i], kept.known[i] = value, true
		}
	}
	in.ok = append(in.ok, kept)
}

// Enough reports whether all goals were reached at this look and at the one before.
// It looks where there are whole repeats enough: from the least on that the plan
// wants and that have 30 requests, and then whenever there are a quarter more.
func (r *Rule) Enough() bool {
	if r.reached >= inRow {
		return true
	}
	if r.whole < max(r.next, r.least) || r.whole*r.size < leastValues {
		return false
	}
	r.next = r.whole + max(1, r.whole/spacing)
	if r.narrow() {
		r.reached++
	} else {
		r.reached = 0
	}
	return r.reached >= inRow
}

// narrow reports whether the whole repeats reach all goals, by the interval that a
// summary gives of them.
func (r *Rule) narrow() bool {
	var all []request
	for _, in := range r.repeats[:r.whole] {
		all = append(all, in.ok...)
	}
	slices.SortStableFunc(all, func(a, b request) int {
		return cmp.Or(cmp.Compare(a.sent, b.sent), cmp.Compare(a.ended, b.ended), cmp.Compare(a.done, b.done))
	})
	way := mostUsed(all)
	for i, g := range r.goals {
		var observations []stat.Observation
		var values []float64
		for _, q := range all {
			if q.known[i] && (!r.metrics[i].CountsOutput || q.way == way) {
				observations = append(observations, stat.Observation{Value: q.values[i], Stratum: q.prompt})
				values = append(values, q.values[i])
			}
		}
		interval, ok := stat.MedianInterval(observations, stat.Confidence)
		if !ok {
			return false
		}
		median, _ := stat.Sorted(values).Median()
		if half, ok := interval.HalfWidth(median); !ok || half > g.HalfWidth {
			return false
		}
	}
	return true
}

// mostUsed returns the way in which most requests had their tokens counted, of
// equally many the most trusted.
func mostUsed(all []request) exobench.TokensFrom {
	counts := map[exobench.TokensFrom]int{}
	for _, q := range all {
		if q.counted {
			counts[q.way]++
		}
	}
	var most exobench.TokensFrom
	for _, way := range []exobench.TokensFrom{exobench.FromUsage, exobench.FromStats, exobench.FromEvents} {
		if counts[way] > counts[most] || most == "" && counts[way] > 0 {
			most = way
		}
	}
	return most
}
