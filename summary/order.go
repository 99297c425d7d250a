package summary

import (
	"cmp"
	"container/list"
	"slices"

	"exobench"
)

// order is the one in which reports show things: the ranks of models and engines.
type order struct{ models, engines map[string]int }

// newOrder merges the orders of the plan and of the engines, which may know a
// model by another name than it was asked for, and may lack some.
func newOrder(h *exobench.Header) order {
	models, at := list.New(), map[string]*list.Element{}
	for _, name := range h.Plan.Models {
		if at[name] == nil {
			at[name] = models.PushBack(name)
		}
	}
	o := order{map[string]int{}, map[string]int{}}
	for _, e := range h.Engines {
		if _, known := o.engines[e.Name]; !known {
			o.engines[e.Name] = len(o.engines)
		}
		var before *list.Element
		for _, m := range e.Models {
			switch {
			case at[m.Name] != nil:
			case before == nil:
				at[m.Name] = models.PushFront(m.Name)
			default:
				at[m.Name] = models.InsertAfter(m.Name, before)
			}
			before = at[m.Name]
		}
	}
	for e := models.Front(); e != nil; e = e.Next() {
		o.models[e.Value.(string)] = len(o.models)
	}
	return o
}

// rank returns the rank of a name, or one after the last.
func rank(ranks map[string]int, name string) int {
	if i, known := ranks[name]; known {
		return i
	}
	return len(ranks)
}

func (o order) subjects(a, b Subject) int {
	return cmp.Or(
		cmp.Compare(rank(o.models, a.Model), rank(o.models, b.Model)),
		cmp.Compare(a.Model, b.Model),
		cmp.Compare(rank(o.engines, a.Engine), rank(o.engines, b.Engine)),
		cmp.Compare(a.Engine, b.Engine),
	)
}

func (o order) cells(a, b Cell) int {
	return cmp.Or(
		o.subjects(a.Subject, b.Subject),
		cmp.Compare(a.ModelID, b.ModelID),
		cmp.Compare(a.Placement, b.Placement),
		cmp.Compare(a.Traffic.Concurrency, b.Traffic.Concurrency),
		cmp.Compare(a.Traffic.Rate, b.Traffic.Rate),
		cmp.Compare(a.ID, b.ID),
	)
}

// Subjects returns every model on every engine that has it, in the plan's order
// of models and then in the header's of engines, so that the engines of a model
// stand side by side.
func (r *Run) Subjects() []Subject {
	var all []Subject
	for _, e := range r.Header.Engines {
		for _, m := range e.Models {
			all = append(all, Subject{e.Name, m.Name})
		}
	}
	for _, s := range r.Steps {
		all = append(all, s.Subject)
	}
	for _, c := range r.Cells {
		all = append(all, c.Subject)
	}
	slices.SortFunc(all, newOrder(&r.Header).subjects)
	return slices.Compact(all)
}

// Warnings says what about the run as a whole the reader must know first.
func (r *Run) Warnings() []Warning {
	var all []Warning
	warn := func(f Figures) { all = append(all, Warning{Kind: f.kind(), Figures: f}) }
	switch {
	case r.Incomplete:
		warn(CutOff{r.Requests})
	case r.Interrupted:
		warn(StoppedEarly{r.Requests})
	case r.End.Reason == exobench.EndFailed:
		warn(BrokenOff{r.Requests, r.End.Error})
	}
	if r.Damaged > 0 {
		warn(DamagedLines{r.Damaged, r.DamagedAt})
	}
	if r.Replaced > 0 {
		warn(DoneAgain{r.Replaced})
	}
	if r.Unplaced > 0 {
		warn(UnplacedRequests{r.Unplaced})
	}
	return append(all, r.cacheWarnings()...)
}

// cacheWarnings says how sure it is that a cold plan was measured cold.
func (r *Run) cacheWarnings() []Warning {
	if r.Header.Plan.Workload.Cache != exobench.ColdCache {
		return nil
	}
	var untold CacheUntold
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.N == 0 {
			continue
		}
		untold.Of++
		if c.Cache == CacheUnknown {
			engine, _ := r.Header.Engine(c.Engine)
			untold.Cells++
			untold.Apart = untold.Apart || !engine.CacheSwitch
		}
	}
	var all []Warning
	if untold.Cells > 0 {
		all = append(all, Warning{Kind: untold.kind(), Figures: untold})
	}
	apart := func(e exobench.Engine) bool { return !e.CacheSwitch }
	if seed := r.Header.Plan.Seeds.Prompts; seed != 0 && slices.ContainsFunc(r.Header.Engines, apart) {
		f := PromptsRepeat{seed}
		all = append(all, Warning{Kind: f.kind(), Figures: f})
	}
	return all
}
