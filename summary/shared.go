package summary

import (
	"cmp"
	"slices"

	"exobench"
)

// use is what an engine did for others, as one reading tells it.
type use struct {
	window
	requests, atWork int
}

// addUse keeps a reading of what an engine did for others, where that was
// something.
func (f *Fold) addUse(s *exobench.Sample) {
	requests, _ := s.Values.Get(exobench.OthersRequests)
	atWork, _ := s.Values.Get(exobench.OthersAtWork)
	if requests <= 0 && atWork <= 0 {
		return
	}
	one := use{window{s.At - exobench.Instant(s.Span), s.At}, int(max(0, requests)), int(max(0, atWork))}
	if s.Block != 0 {
		b := f.block(s.Block)
		b.uses = append(b.uses, one)
	} else if s.Moment == exobench.Loaded {
		step := entryOf(f.steps, s.Step)
		step.uses = append(step.uses, one)
	}
}

// doubtShared says where the engine worked for others meanwhile.
func doubtShared(f *Fold, c *Cell, blocks []*block) []Figures {
	shared := EngineShared{Of: c.N}
	take := func(uses []use) {
		for _, u := range uses {
			shared.Requests, shared.AtWork = max(shared.Requests, u.requests), max(shared.AtWork, u.atWork)
		}
	}
	for _, b := range blocks {
		take(b.uses)
		if loading := f.steps[b.Step].uses; len(loading) > 0 {
			take(loading)
			shared.Loading = true
		}
		shared.N += b.ok.during(together(b.uses))
	}
	if shared.Requests == 0 && shared.AtWork == 0 {
		return nil
	}
	return []Figures{shared}
}

// together returns the times of uses in order, those that meet as one.
func together(uses []use) []window {
	var all []window
	ordered := slices.SortedFunc(slices.Values(uses), func(a, b use) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for _, u := range ordered {
		if n := len(all); n > 0 && u.from <= all[n-1].to {
			all[n-1].to = max(all[n-1].to, u.to)
		} else {
			all = append(all, u.window)
		}
	}
	return all
}

// during counts the requests that were under way in one of the times, which are in
// order and apart.
func (rs *rows) during(times []window) (n int) {
	if len(times) == 0 {
		return 0
	}
	for _, r := range rs.all() {
		i, _ := slices.BinarySearchFunc(times, r.sent, func(w window, sent exobench.Instant) int { return cmp.Compare(w.to, sent) })
		if i < len(times) && times[i].from <= r.ended {
			n++
		}
	}
	return n
}
