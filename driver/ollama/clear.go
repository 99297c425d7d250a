package ollama

import (
	"context"
	"fmt"

	"exobench"
	"exobench/driver"
	"exobench/driver/marks"
)

// Clear unloads what stands in the model's way, so that the memory without it can
// be read: the model itself, unless it is to be measured as it is, and whatever
// an exobench that was killed had loaded. It has the model fetched where that is
// allowed and needed.
func (e *engine) Clear(ctx context.Context, m exobench.Model, _ string, report func(exobench.StageEvent)) error {
	report(exobench.StageEvent{Stage: exobench.StageResolve})
	stays, err := e.vacate(ctx, m.ID, report)
	if err != nil || stays != nil {
		return err
	}
	return e.fetch(ctx, m.ID, report)
}

// vacate returns the model where it is loaded and to be measured as it is, and
// unloads what is in its way.
func (e *engine) vacate(ctx context.Context, id string, report func(exobench.StageEvent)) (stays *loaded, err error) {
	all, err := e.loaded(ctx)
	if err != nil {
		return nil, err
	}
	found, _ := find(all, id)
	for i, one := range all {
		ours, state := found == &all[i], e.marks.Of(one.Name)
		detail := "Ollama has it loaded already; unloading it, so that its memory and its load can be measured"
		switch {
		case ours && e.mayReuse:
			stays = found
			continue
		case ours && state == marks.Held:
			return nil, fmt.Errorf("another exobench is measuring %s on this Ollama: wait until it is done", one.Name)
		case state == marks.Abandoned:
			e.observe("%s was unloaded before the measurement: an exobench run that ended early had left it in Ollama", one.Name)
			detail = "unloading " + one.Name + ", which an earlier run had left"
		case !ours:
			continue
		}
		report(exobench.StageEvent{Stage: exobench.StageResolve, Detail: detail})
		if err := e.unload(ctx, one.Name); err != nil {
			return nil, err
		}
		e.marks.Clear(one.Name)
	}
	e.marks.Prune(namesOf(all))
	return stays, nil
}

func namesOf(all []loaded) []string {
	names := make([]string, len(all))
	for i, l := range all {
		names[i] = l.Name
	}
	return names
}

// observe takes note of what the reader of a report must know.
func (e *engine) observe(format string, args ...any) {
	e.observed = append(e.observed, fmt.Sprintf(format, args...))
}

// Observed returns what was seen since it was called before.
func (e *engine) Observed() []string {
	seen := e.observed
	e.observed = nil
	return seen
}

var (
	_ driver.Clearer  = (*engine)(nil)
	_ driver.Observer = (*engine)(nil)
	_ driver.Cleaner  = Driver{}
)
