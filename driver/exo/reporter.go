package exo

import (
	"fmt"

	"exobench"
)

// reporter passes on the load events of one model, each only if it says
// something new.
type reporter struct {
	clock exobench.Clock
	send  func(exobench.LoadEvent) // nil where nobody wants to know
	// base holds what every event repeats.
	base exobench.LoadEvent
	last exobench.LoadEvent
	// stage is what the model is going through, whether or not an event said so.
	stage exobench.Stage
}

func (t *Target) reporter(model exobench.Model, send func(exobench.LoadEvent)) *reporter {
	base := exobench.LoadEvent{Model: model.Name, ModelID: model.ID}
	return &reporter{clock: t.config.Clock, send: send, base: base}
}

// about sets the instance that all further events are about.
func (r *reporter) about(placement, instance string) {
	r.base.Placement, r.base.Instance = placement, instance
}

func (r *reporter) event(e exobench.LoadEvent) {
	r.stage = e.Stage
	e.Model, e.ModelID = r.base.Model, r.base.ModelID
	e.Placement, e.Instance = r.base.Placement, r.base.Instance
	if e == r.last {
		return
	}
	r.last = e
	if r.send != nil {
		e.At = r.clock.Now()
		r.send(e)
	}
}

// blame says in which stage of which model err came up.
func (r *reporter) blame(err error) error {
	doing := map[exobench.Stage]string{
		exobench.StageResolve:  "look up",
		exobench.StagePlace:    "place",
		exobench.StageDownload: "download",
		exobench.StageLoad:     "load",
		exobench.StageWarm:     "warm up",
		exobench.StageReady:    "start",
		exobench.StageRelease:  "release",
	}
	return fmt.Errorf("%s %s: %w", doing[r.stage], r.base.ModelID, err)
}
