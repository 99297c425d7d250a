package exo

import (
	"context"
	"fmt"
	"slices"

	"exobench"
)

// observe takes note of something that the reader of a report must know, once for
// each model.
func (e *Engine) observe(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.told == nil {
		e.told = map[string]bool{}
	}
	if !e.told[text] {
		e.told[text] = true
		e.observed = append(e.observed, text)
	}
}

// forget begins the observations of another model.
func (e *Engine) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.told)
}

// Observed returns what was seen since it was called before.
func (e *Engine) Observed() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	seen := e.observed
	e.observed = nil
	return seen
}

// observeForeign takes note of an instance of somebody else's.
func (e *Engine) observeForeign(other instance) {
	e.observe("exo also runs %s (instance %s), which is not part of this measurement: what that does is in these figures of memory and speed", other.model, other.id)
}

// observeOutage takes note of a time in which the instance did not serve.
func (e *Engine) observeOutage(what string) {
	e.observe("the instance did not serve all the time (%s): requests that were under way then are marked, and are in no median", what)
}

// observeInstances looks at which instances exo has besides the one that is
// measured.
func (e *Engine) observeInstances(ctx context.Context, measured instance) error {
	all, err := e.allInstances(ctx)
	if err != nil {
		return err
	}
	same := 0
	for _, one := range all {
		switch {
		case one.model == measured.model:
			same++
		case one.id != measured.id:
			e.observeForeign(one)
		}
	}
	if same > 1 {
		e.observe("exo has %d instances of this model and spreads requests over them: the figures are not of one", same)
	}
	if !slices.ContainsFunc(all, func(one instance) bool { return one.id == measured.id }) {
		e.observe("exo no longer has instance %s, which was measured: another client deleted it, or exo was started anew", measured.id)
	}
	return nil
}

// watchOver begins the watch over the instance of a deployment, or ends it where
// there is none.
func (e *Engine) watchOver(ctx context.Context, d exobench.Deployment) {
	var measured instance
	if d.Instance != "" {
		if raw, err := e.instance(ctx, d.Instance); err == nil {
			measured, _ = parseInstance(raw)
		}
	}
	e.watched.begin(measured, d.Created)
	e.lookAtProcesses(ctx)
}
