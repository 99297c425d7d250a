package exo

import (
	"fmt"

	"exobench"
)

// reporter passes on the stage events of one model, each only if it says
// something new.
type reporter struct {
	clock exobench.Clock
	send  func(exobench.StageEvent) // nil where nobody wants to know
	// placement and instance are in every event from when they are known.
	placement, instance string
	last                exobench.StageEvent
	// stage is what the model is going through, whether or not an event said so.
	stage exobench.Stage
}

func (e *Engine) reporter(send func(exobench.StageEvent)) *reporter {
	return &reporter{clock: e.config.env.Clock, send: send}
}

// about sets the instance that all further events are about.
func (r *reporter) about(placement, instance string) {
	r.placement, r.instance = placement, instance
}

func (r *reporter) event(e exobench.StageEvent) {
	r.stage = e.Stage
	e.Placement, e.Instance = r.placement, r.instance
	if e == r.last {
		return
	}
	r.last = e
	if r.send != nil {
		e.At = r.clock.Now()
		r.send(e)
	}
}

// blame says in which stage err came up. Whoever shows it says of which model.
func (r *reporter) blame(err error) error {
	doing := map[exobench.Stage]string{
		exobench.StageResolve:  "look-up",
		exobench.StagePlace:    "placement",
		exobench.StageDownload: "download",
		exobench.StageLoad:     "load",
		exobench.StageWarm:     "warm-up",
		exobench.StageReady:    "start",
		exobench.StageRelease:  "release",
	}
	return fmt.Errorf("%s: %w", doing[r.stage], err)
}
