package exo

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"exobench"
	"exobench/driver/api"
)

// Prepare has exo place and load the model and returns once it answers. Each
// change on the way is reported; the download, once a second. Failing is not
// reported but returned, and leaves no instance that Prepare created.
func (e *Engine) Prepare(ctx context.Context, model exobench.Model, placement string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	say := e.reporter(report)
	deployment, err := e.prepare(ctx, model, placement, say)
	if err != nil {
		return exobench.Deployment{}, err
	}
	_, _ = e.listener(ctx) // where exo was started again, it is found anew
	deployment.PID, _ = e.process()
	e.watchOver(ctx, deployment)
	return deployment, nil
}

func (e *Engine) prepare(ctx context.Context, model exobench.Model, placement string, say *reporter) (exobench.Deployment, error) {
	if err := e.ensureCard(ctx, model, say); err != nil {
		return exobench.Deployment{}, say.blame(err)
	}
	say.event(exobench.StageEvent{Stage: exobench.StagePlace})
	running, err := e.vacate(ctx, model, say)
	if err != nil {
		return exobench.Deployment{}, say.blame(err)
	}
	if len(running) > 0 {
		return e.reuse(ctx, model, running, say)
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

// start creates the chosen instance and waits until it answers; if it never
// does, the instance is deleted again.
func (e *Engine) start(ctx context.Context, model exobench.Model, chosen instance, say *reporter) (exobench.Deployment, error) {
	watch := e.newWatch(chosen, say)
	watch.rememberFailures(ctx)
	say.about(chosen.placement(), chosen.id)
	say.event(exobench.StageEvent{Stage: exobench.StagePlace, Detail: "asking exo for it"})
	e.noteProcesses(ctx)
	e.noteRunners(ctx)
	e.marks.Set(chosen.id)
	err := e.create(ctx, chosen)
	if status := api.Status(err); status != 0 && status <= http.StatusInternalServerError {
		// exo's own refusal. A lost call is none, nor is what a proxy says when
		// it loses one.
		e.marks.Clear(chosen.id)
		return exobench.Deployment{}, say.blame(err)
	}
	if err == nil {
		err = watch.untilReady(ctx)
	}
	if err == nil {
		if e.config.env.Plan.KeepLoaded {
			e.marks.Clear(chosen.id) // it is to outlive the run
		}
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
