package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"exobench"
	"exobench/driver/api"
)

// Prepare has exo place and load the model and returns once it answers. Each
// change on the way is reported; the download, once a second. Failing is not
// reported but returned, and leaves no instance that Prepare created.
func (e *Engine) Prepare(ctx context.Context, model exobench.Model, placement string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	say := e.reporter(model, report)
	deployment, err := e.prepare(ctx, model, placement, say)
	if err != nil {
		return exobench.Deployment{}, err
	}
	e.findProcess(ctx)
	deployment.PID, _ = e.process()
	return deployment, nil
}

func (e *Engine) prepare(ctx context.Context, model exobench.Model, placement string, say *reporter) (exobench.Deployment, error) {
	if err := e.ensureCard(ctx, model, say); err != nil {
		return exobench.Deployment{}, say.blame(err)
	}
	say.event(exobench.StageEvent{Stage: exobench.StagePlace})
	running, err := e.runningInstances(ctx, model.ID)
	if err != nil {
		return exobench.Deployment{}, say.blame(err)
	}
	switch {
	case len(running) > 0 && e.config.reuse:
		return e.reuse(ctx, model, running, say)
	case len(running) > 0 && e.config.replace:
		if err := e.replace(ctx, running, say); err != nil {
			return exobench.Deployment{}, say.blame(err)
		}
	case len(running) > 0:
		return exobench.Deployment{}, say.blame(fmt.Errorf(
			"exo already runs %s (instance %s): --reuse measures it and leaves it there, --replace deletes it first",
			model.ID, running[0].id))
	}
	chosen, err := e.place(ctx, model, placement, say)
	if err != nil {
		return exobench.Deployment{}, say.blame(err)
	}
	return e.start(ctx, model, chosen, say)
}

// ensureCard adds the model to exo's cards if it is not among them.
func (e *Engine) ensureCard(ctx context.Context, model exobench.Model, say *reporter) error {
	say.event(exobench.StageEvent{Stage: exobench.StageResolve})
	cards, err := e.cards(ctx)
	if err != nil {
		return err
	}
	if _, listed := listed(cards, model.ID); listed {
		return nil
	}
	say.event(exobench.StageEvent{Stage: exobench.StageResolve, Detail: "adding it to exo as a custom model"})
	return e.addCard(ctx, model.ID)
}

// runningInstances returns the instances of the model, whoever made them.
func (e *Engine) runningInstances(ctx context.Context, modelID string) ([]instance, error) {
	var all map[string]json.RawMessage
	if err := e.api.Get(ctx, "/state/instances", &all); err != nil {
		return nil, fmt.Errorf("list exo's instances: %w", err)
	}
	var running []instance
	for _, id := range slices.Sorted(maps.Keys(all)) {
		parsed, err := parseInstance(all[id])
		if err == nil && parsed.model == modelID {
			running = append(running, parsed)
		}
	}
	return running, nil
}

// reuse waits for an instance that is not ours.
func (e *Engine) reuse(ctx context.Context, model exobench.Model, running []instance, say *reporter) (exobench.Deployment, error) {
	if len(running) > 1 {
		return exobench.Deployment{}, say.blame(fmt.Errorf(
			"exo runs %d instances of it and spreads requests over them: delete all but one, or give --replace", len(running)))
	}
	found := running[0]
	say.about(found.placement(), found.id)
	say.event(exobench.StageEvent{Stage: exobench.StagePlace, Detail: "reusing an instance that exo already runs"})
	watch := e.newWatch(found, say)
	watch.seen = true
	if err := watch.untilReady(ctx); err != nil {
		return exobench.Deployment{}, say.blame(err)
	}
	return exobench.Deployment{Model: model, Placement: found.placement(), Instance: found.id}, nil
}

// replace deletes the instances of an earlier run.
func (e *Engine) replace(ctx context.Context, running []instance, say *reporter) error {
	for _, old := range running {
		say.event(exobench.StageEvent{Stage: exobench.StagePlace, Detail: "deleting instance " + old.id + " that exo already runs"})
		if _, err := e.remove(ctx, old.id, removal{runners: old.runners}); err != nil {
			return fmt.Errorf("replace instance %s: %w", old.id, err)
		}
	}
	return nil
}

// start creates the chosen instance and waits until it answers; if it never
// does, the instance is deleted again.
func (e *Engine) start(ctx context.Context, model exobench.Model, chosen instance, say *reporter) (exobench.Deployment, error) {
	watch := e.newWatch(chosen, say)
	watch.rememberFailures(ctx)
	say.about(chosen.placement(), chosen.id)
	say.event(exobench.StageEvent{Stage: exobench.StagePlace, Detail: "asking exo for it"})
	err := e.create(ctx, chosen)
	if status := api.Status(err); status != 0 && status <= http.StatusInternalServerError {
		// exo's own refusal. A lost call is none, nor is what a proxy says when
		// it loses one.
		return exobench.Deployment{}, say.blame(err)
	}
	if err == nil {
		err = watch.untilReady(ctx)
	}
	if err == nil {
		return exobench.Deployment{Model: model, Placement: chosen.placement(), Instance: chosen.id, Created: true}, nil
	}
	// A call that was lost may have arrived, and an instance that was asked for
	// may still be on its way: it must go too.
	err = say.blame(err)
	cleanup := e.release(ctx, chosen.id, removal{runners: chosen.runners, unseen: !watch.seen}, say)
	if cleanup != nil && !errors.Is(cleanup, errGone) {
		return exobench.Deployment{}, fmt.Errorf("%w; and its instance could not be taken away: %w", err, cleanup)
	}
	return exobench.Deployment{}, err
}
