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

// unlikeRuns returns how two runs differ as wholes.
func unlikeRuns(a, b *summary.Run) []Unlike {
	var all []Unlike
	note := func(what string, of func(*summary.Run) string, forbids bool) {
		if x, y := of(a), of(b); x != y {
			all = append(all, Unlike{What: what, A: x, B: y, Forbids: forbids})
		}
	}
	workload := func(of func(exobench.Workload) string) func(*summary.Run) string {
		return func(r *summary.Run) string { return of(r.Header.Plan.Workload) }
	}
	note("answers", workload(func(w exobench.Workload) string {
		if w.NaturalStop {
			return fmt.Sprintf("as the model ends them, at most %d tokens", w.MaxTokens)
		}
		return fmt.Sprintf("%d tokens", w.MaxTokens)
	}), true)
	note("prompt cache", workload(func(w exobench.Workload) string { return string(w.Cache) }), true)
	note("temperature", workload(func(w exobench.Workload) string { return fmt.Sprintf("%g", w.Temperature) }), true)
	note("prompts", workload(prompts), !slices.ContainsFunc(a.Header.Plan.Workload.Prompts, func(p exobench.Prompt) bool {
		return slices.Contains(b.Header.Plan.Workload.Prompts, p)
	}))
	host := func(of func(exobench.Host) string) func(*summary.Run) string {
		return func(r *summary.Run) string {
			if len(r.Sessions) == 0 {
				return ""
			}
			return of(r.Sessions[len(r.Sessions)-1].Host)
		}
	}
	note("processor", host(func(h exobench.Host) string { return fmt.Sprintf("%s, %d cores", orNone(h.CPU), h.Cores) }), true)
	note("memory of the machine", host(func(h exobench.Host) string { return h.Memory.String() }), true)
	note("operating system", host(func(h exobench.Host) string { return h.System }), false)
	note("name of the machine", host(func(h exobench.Host) string { return h.Name }), false)
	note("exobench", func(r *summary.Run) string { return r.Header.Tool.Version }, false)
	return all
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

// unlikeCells returns how two cells differ besides their runs.
func unlikeCells(name string, a, b side) []Unlike {
	var all []Unlike
	note := func(what, x, y string, forbids bool) {
		if x != y {
			all = append(all, Unlike{what, x, y, forbids, name})
		}
	}
	note("what answered", a.engine.Label, b.engine.Label, true)
	note("engine", a.engine.Driver, b.engine.Driver, false)
	note("engine's version", a.engine.Version, b.engine.Version, false)
	note("model as the engine calls it", a.cell.ModelID, b.cell.ModelID, false)
	note("placement", a.cell.Placement, b.cell.Placement, false)
	note("when a cell ends", stop(a.cell.Stop), stop(b.cell.Stop), false)
	known := a.cell.Cache != "" && b.cell.Cache != ""
	note("answers from the prompt cache", string(a.cell.Cache), string(b.cell.Cache), known && a.cell.Cache != summary.CacheUnknown && b.cell.Cache != summary.CacheUnknown)
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
