package compare

import (
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/summary"
)

// Unlike is something that differs between two runs besides what was measured.
type Unlike struct {
	What string `json:"what"`
	// A and B are what it was in the first run and in the other.
	A string `json:"a"`
	B string `json:"b"`
	// Forbids is set where the figures of the runs then are of different things.
	Forbids bool `json:"forbids"`
	// Cell is the cell that it is of, by its name; empty for all.
	Cell string `json:"cell,omitempty"`
}

// String writes it for people.
func (u Unlike) String() string {
	text := fmt.Sprintf("%s: %s, then %s", u.What, orNone(u.A), orNone(u.B))
	if u.Cell != "" {
		text = u.Cell + ": " + text
	}
	return text
}

func orNone(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// Fact is something about a run besides what was measured.
type Fact struct {
	What  string `json:"what"`
	Value string `json:"value"`
	// Forbids is set where figures of another value are of different things.
	Forbids bool `json:"-"`
}

// Facts returns what must be known of a run before its figures are set beside those
// of another: the same facts in the same order of every run. Where a value is empty
// it is not known.
func Facts(r *summary.Run) []Fact {
	var all []Fact
	w := r.Header.Plan.Workload
	fact := func(what, value string, forbids bool) { all = append(all, Fact{what, value, forbids}) }
	fact("answers", answers(w), true)
	fact("prompt cache", string(w.Cache), true)
	fact("temperature", fmt.Sprintf("%g", w.Temperature), true)
	fact(promptsFact, prompts(w), true)
	var h exobench.Host
	if len(r.Sessions) > 0 {
		h = r.Sessions[len(r.Sessions)-1].Host
		fact("processor", fmt.Sprintf("%s, %d cores", orNone(h.CPU), h.Cores), true)
		fact("memory of the machine", h.Memory.String(), true)
	} else {
		fact("processor", "", true)
		fact("memory of the machine", "", true)
	}
	fact(gpusFact, gpus(h, func(g exobench.GPU) string { return g.Name }), true)
	fact("operating system", h.System, false)
	fact("build of the system", h.Build, false)
	fact("driver of the GPU", gpus(h, func(g exobench.GPU) string { return g.Driver }), false)
	fact("power", power(h.Power), false)
	fact("heat", h.Conditions.Thermal, false)
	fact("limits of control groups", limits(h.Limits), false)
	fact("virtual machine", h.Virtual, false)
	fact("container", h.Container, false)
	fact(MachineName, h.Name, false)
	fact("exobench", r.Header.Tool.Version, false)
	return all
}

// MachineName is the fact that has the name of the machine.
const MachineName = "name of the machine"

// The facts that forbid a comparison only sometimes.
const (
	promptsFact = "prompts" // where the runs share none
	gpusFact    = "GPUs"    // where both are known
)

// unlikeRuns returns how two runs differ as wholes.
func unlikeRuns(a, b *summary.Run) []Unlike {
	var all []Unlike
	others := Facts(b)
	for i, x := range Facts(a) {
		y := others[i]
		if x.Value == y.Value {
			continue
		}
		u := Unlike{What: x.What, A: x.Value, B: y.Value, Forbids: x.Forbids}
		switch x.What {
		case promptsFact:
			u.Forbids = !slices.ContainsFunc(a.Header.Plan.Workload.Prompts, func(p exobench.Prompt) bool {
				return slices.Contains(b.Header.Plan.Workload.Prompts, p)
			})
		case gpusFact:
			u.Forbids = x.Value != "" && y.Value != ""
		}
		all = append(all, u)
	}
	return all
}

func answers(w exobench.Workload) string {
	if w.NaturalStop {
		return fmt.Sprintf("as the model ends them, at most %d tokens", w.MaxTokens)
	}
	return fmt.Sprintf("%d tokens", w.MaxTokens)
}

// gpus lists something of each GPU of a host.
func gpus(h exobench.Host, of func(exobench.GPU) string) string {
	var texts []string
	for _, g := range h.GPUs {
		if text := of(g); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}

// power says how a machine is fed and told to save power.
func power(p exobench.PowerMode) string {
	parts := []string{string(p.Source), p.Mode, p.Driver, p.Governor, p.Preference}
	if p.LowPower != nil && *p.LowPower {
		parts = append(parts, "low power mode")
	}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
}

func limits(l exobench.Limits) string {
	var parts []string
	if l.CPUs > 0 {
		parts = append(parts, fmt.Sprintf("%.3g cores", l.CPUs))
	}
	if l.Memory > 0 {
		parts = append(parts, l.Memory.String())
	}
	return strings.Join(parts, ", ")
}

// prompts names those of a workload.
func prompts(w exobench.Workload) string {
	var ids []string
	for _, p := range w.Prompts {
		ids = append(ids, p.ID)
	}
	text := strings.Join(ids, ", ")
	if len(text) > 60 {
		text = fmt.Sprintf("%d prompts from %s", len(ids), strings.Join(w.PromptFiles, ", "))
	}
	// Of the same names with other texts, this tells them apart.
	return fmt.Sprintf("%s (%08x)", text, digest(w.Prompts))
}

// digest is of the prompts' texts (FNV-1a).
func digest(prompts []exobench.Prompt) uint32 {
	sum := uint32(2166136261)
	for _, p := range prompts {
		for _, c := range []byte(p.ID + "\x00" + p.Text + "\x00") {
			sum = (sum ^ uint32(c)) * 16777619
		}
	}
	return sum
}

// CellFacts returns what must be known of a cell and its engine, as Facts does of a
// run.
func CellFacts(e exobench.Engine, c *summary.Cell) []Fact {
	return []Fact{
		{"what answered", e.Label, true},
		{"engine", e.Driver, false},
		{"engine's version", e.Version, false},
		{"model as the engine calls it", c.ModelID, false},
		{"placement", c.Placement, false},
		{"when a cell ends", stop(c.Stop), false},
		{cacheFact, string(c.Cache), false},
	}
}

// cacheFact forbids a comparison where both are known.
const cacheFact = "answers from the prompt cache"

// unlikeCells returns how two cells differ besides their runs.
func unlikeCells(name string, a, b side) []Unlike {
	var all []Unlike
	known := func(c summary.Cache) bool { return c != "" && c != summary.CacheUnknown }
	others := CellFacts(b.engine, b.cell)
	for i, x := range CellFacts(a.engine, a.cell) {
		if y := others[i]; x.Value != y.Value {
			forbids := x.Forbids || x.What == cacheFact && known(a.cell.Cache) && known(b.cell.Cache)
			all = append(all, Unlike{x.What, x.Value, y.Value, forbids, name})
		}
	}
	return all
}

func stop(s exobench.Stop) string {
	switch {
	case s.Until != "" && s.MaxTime > 0:
		return fmt.Sprintf("each prompt %d to %d times, until %s or for %v", s.Repeat, s.MaxRepeat, s.Until, s.MaxTime)
	case s.Until != "":
		return fmt.Sprintf("each prompt %d to %d times, until %s", s.Repeat, s.MaxRepeat, s.Until)
	case s.Requests > 0 && s.Duration > 0:
		return fmt.Sprintf("%d requests or %v", s.Requests, s.Duration)
	case s.Requests > 0:
		return fmt.Sprintf("%d requests", s.Requests)
	case s.Duration > 0:
		return s.Duration.String()
	}
	return fmt.Sprintf("each prompt %d times", s.Repeat)
}
