package summary

import (
	"cmp"
	"maps"
	"slices"

	"exobench/metric"
)

// Observation is one measured value with what it is of: the prompt that was asked,
// and the step, that is the load of the model, in which it was.
type Observation struct {
	Value  float64
	Prompt string
	Step   int
}

// Observations returns the values of a metric of a cell's OK requests, in the order
// of its blocks and, in each, in which they were sent. Of memory, whose peak belongs
// to a load and not to a request, it is one value for each step, without a prompt.
// It is empty where nothing is known.
func (r *Run) Observations(c *Cell, name string) []Observation {
	blocks := r.fold.blocksOf()[c.ID]
	s := newSample(blocks, &r.fold.space)
	if name == metric.MemoryAdditional {
		return s.memoryOfSteps(r.fold)
	}
	m := r.fold.place(name)
	if m < 0 {
		return nil
	}
	way := wayOf(c.TokensFrom)
	var all []Observation
	for _, o := range s.observations(m, func(row *row) bool { return row.enters(r.fold.metrics[m], way) }) {
		all = append(all, Observation{o.Value, r.fold.prompts[o.Stratum], o.Block})
	}
	return all
}

// memoryOfSteps returns the additional memory of each step: the greatest of its
// requests.
func (s *sample) memoryOfSteps(f *Fold) []Observation {
	most := map[int]float64{}
	for b, r := range s.all() {
		m := f.steps[b.Step].memory()
		p := m.during(r.span)
		if !p.known {
			continue
		}
		if before, _ := m.around(p.reading); before != nil {
			most[b.Step] = max(most[b.Step], float64(p.total-before.Total))
		}
	}
	var all []Observation
	for _, step := range slices.SortedFunc(maps.Keys(most), cmp.Compare[int]) {
		all = append(all, Observation{Value: most[step], Step: step})
	}
	return all
}
