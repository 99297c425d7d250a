package history

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"exobench"
	"exobench/compare"
	"exobench/metric"
	"exobench/stat"
	"exobench/summary"
)

// Run is what a history keeps of a run.
type Run struct {
	// Name is what people call it, ID its own name in its journal.
	Name string    `json:"name"`
	ID   string    `json:"run_id"`
	When time.Time `json:"when"`
	// Incomplete is set where it was cut off or interrupted: what it has counts.
	Incomplete bool `json:"incomplete"`
	// Damaged is how many lines of its journal could not be read.
	Damaged int `json:"damaged_lines"`

	pid int
	// facts are of the run and its plan, cells of what was measured.
	facts []compare.Fact
	cells []cell
}

// Same reports whether two are copies of one run.
func (r Run) Same(other Run) bool {
	return r.ID == other.ID && r.When.Equal(other.When) && r.pid == other.pid
}

// cell is one cell of a run.
type cell struct {
	engine, model, placement string
	traffic                  exobench.Traffic
	// about is what forbids to set the cell beside one of which it differs.
	about string
	// odd says that the prompt cache did not do what the plan wanted.
	odd         string
	facts       []compare.Fact
	points      map[string]point // by the metric's name
	disturbance float64
	bound       bool
}

// point is one metric of a cell.
type point struct {
	n        int
	value    float64
	interval *stat.Interval
}

// Keep returns what a history keeps of a run.
func Keep(name string, run *summary.Run) Run {
	r := Run{
		Name: name, ID: run.Header.RunID, Incomplete: run.Incomplete || run.Interrupted, Damaged: run.Damaged,
		facts: append(compare.Facts(run), planFacts(run.Header.Plan)...),
	}
	if len(run.Sessions) > 0 {
		r.When, r.pid = run.Sessions[0].Epoch.UTC(), run.Sessions[0].PID
	}
	for i := range run.Cells {
		if c := &run.Cells[i]; c.Requests > 0 {
			r.cells = append(r.cells, keepCell(run, c))
		}
	}
	return r
}

func keepCell(run *summary.Run, c *summary.Cell) cell {
	engine, _ := run.Header.Engine(c.Engine)
	kept := cell{
		engine: c.Engine, model: c.Model, placement: c.Placement, traffic: c.Traffic,
		points: map[string]point{}, disturbance: compare.Disturbance(c), bound: compare.BoundByClient(c),
	}
	for _, f := range compare.CellFacts(engine, c) {
		if f.Forbids {
			kept.about += f.Value + "\x00"
		} else {
			kept.facts = append(kept.facts, f)
		}
	}
	switch wanted := run.Header.Plan.Workload.Cache; {
	case wanted == exobench.ColdCache && c.Cache == summary.CacheWarm:
		kept.odd = "answered from the prompt cache"
	case wanted == exobench.WarmCache && c.Cache == summary.CacheCold:
		kept.odd = "not answered from the prompt cache"
	}
	kept.facts = append(kept.facts, engineFacts(run.Header.Plan, engine)...)
	for name, s := range c.Metrics {
		kept.points[name] = point{s.N, s.Median, s.Interval}
	}
	for name, value := range c.Values {
		kept.points[name] = point{1, value, nil}
	}
	return kept
}

// engineFacts are the options of an engine, by their flags, where it is, and the
// files of its models.
func engineFacts(p exobench.Plan, e exobench.Engine) []compare.Fact {
	var all []compare.Fact
	for _, spec := range p.Engines {
		if spec.Label() != e.Name {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(spec.Options)) {
			all = append(all, compare.Fact{What: "--" + name, Value: spec.Options[name]})
		}
		for _, name := range slices.Sorted(maps.Keys(spec.Headers)) {
			all = append(all, compare.Fact{What: "header " + name, Value: cmp.Or(spec.Headers[name], "given")})
		}
		all = append(all, compare.Fact{What: "--url", Value: spec.URL})
	}
	for _, f := range e.Files {
		all = append(all, compare.Fact{What: "file " + filepath.Base(f.Path), Value: fmt.Sprintf("%d bytes of %s", f.Size, f.Modified.UTC().Format("2006-01-02 15:04:05"))})
	}
	return all
}

// planFacts are the members of a plan that are no part of what tells series apart
// and no engine's.
func planFacts(p exobench.Plan) []compare.Fact {
	text, err := json.Marshal(p)
	var members map[string]any
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		return nil // a plan was read from JSON, and can be written as such
	}
	// The cell has its own traffic and its own end.
	for _, known := range []string{"engines", "workload", "stop"} {
		delete(members, known)
	}
	var all []compare.Fact
	addMembers(&all, "plan: ", members)
	return all
}

// addMembers adds a fact for each leaf of an object.
func addMembers(all *[]compare.Fact, path string, members map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch value := members[name].(type) {
		case map[string]any:
			addMembers(all, path+name+".", value)
		case []any:
			var parts []string
			for _, v := range value {
				if s, ok := v.(string); ok {
					parts = append(parts, s)
					continue
				}
				text, _ := json.Marshal(v)
				parts = append(parts, string(text))
			}
			*all = append(*all, compare.Fact{What: path + name, Value: strings.Join(parts, ", ")})
		default:
			*all = append(*all, compare.Fact{What: path + name, Value: fmt.Sprint(value)})
		}
	}
}

// pointOf returns a metric of the cell; it is absent where it was not measured or
// the harness's own error is too large in it.
func (c cell) pointOf(m metric.Metric) (point, bool) {
	p, ok := c.points[m.Name]
	return p, ok && !(c.bound && m.Unit != metric.Bytes)
}

// differing returns what differs from one list of facts to another, in their order.
func differing(before, after []compare.Fact) []compare.Unlike {
	var all []compare.Unlike
	value := func(of []compare.Fact, what string) string {
		i := slices.IndexFunc(of, func(f compare.Fact) bool { return f.What == what })
		if i < 0 {
			return "none"
		}
		return of[i].Value
	}
	seen := map[string]bool{}
	for _, f := range slices.Concat(before, after) {
		if seen[f.What] {
			continue
		}
		seen[f.What] = true
		if a, b := value(before, f.What), value(after, f.What); a != b {
			all = append(all, compare.Unlike{What: f.What, A: a, B: b})
		}
	}
	return all
}
