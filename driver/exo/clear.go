package exo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"exobench"
	"exobench/driver/api"
	"exobench/driver/marks"
)

// Clear waits for an exo that is away, takes away leftovers of earlier runs and,
// where that is wanted, instances of the model, and has the model's files
// fetched. It waits until the processes of what it took away are gone.
func (e *Engine) Clear(ctx context.Context, model exobench.Model, placement string, report func(exobench.StageEvent)) error {
	say := e.reporter(report)
	e.forget()
	if err := e.clear(ctx, model, placement, say); err != nil {
		return say.blame(err)
	}
	return nil
}

func (e *Engine) clear(ctx context.Context, model exobench.Model, placement string, say *reporter) error {
	if err := e.awaitBack(ctx, say); err != nil {
		return err
	}
	if err := e.ensureCard(ctx, model, say); err != nil {
		return err
	}
	running, err := e.vacate(ctx, model, say)
	if err != nil || len(running) > 0 || e.config.identity.Driver != "" {
		return err
	}
	say.event(exobench.StageEvent{Stage: exobench.StagePlace})
	chosen, err := e.place(ctx, model, placement, say)
	if err != nil {
		return err
	}
	return e.fetch(ctx, chosen, say)
}

// awaitBack waits for an exo that takes no connections, as one that is started
// again does not, and looks at its nodes anew: they have other ids then.
func (e *Engine) awaitBack(ctx context.Context, say *reporter) error {
	began := time.Now()
	for looks := 0; ; looks++ {
		err := e.Alive(ctx)
		away := time.Since(began)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			if looks > 0 {
				e.observe("exo was away for %.1f s before this model was loaded, and was waited for", away.Seconds())
			}
			return e.returned(ctx)
		case away > e.config.pace.away:
			return fmt.Errorf("exo has been away for %v: %w", e.config.pace.away, err)
		}
		say.event(exobench.StageEvent{Stage: exobench.StageResolve, Detail: fmt.Sprintf("exo is away: waiting up to %v for it", e.config.pace.away)})
		if err := api.Pause(ctx, e.config.pace.poll); err != nil {
			return err
		}
	}
}

func (e *Engine) returned(ctx context.Context) error {
	if e.config.identity.PID != 0 {
		return nil
	}
	_, _ = e.listener(ctx) // where it is not on this host, its nodes are looked at
	return e.awaitNodes(ctx)
}

// allInstances returns the instances that exo has, whoever made them.
func (e *Engine) allInstances(ctx context.Context) ([]instance, error) {
	var all map[string]json.RawMessage
	if err := e.api.Get(ctx, "/state/instances", &all); err != nil {
		return nil, fmt.Errorf("list exo's instances: %w", err)
	}
	var parsed []instance
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if one, err := parseInstance(all[id]); err == nil {
			parsed = append(parsed, one)
		}
	}
	return parsed, nil
}

// vacate makes room for the model, and returns the instances of it that are to be
// measured as they are. An instance that exobench made in a run that has ended
// without taking it away goes, whatever its model; one of this model goes where
// that is wanted, and is an error where nothing is said about it.
func (e *Engine) vacate(ctx context.Context, model exobench.Model, say *reporter) (stays []instance, err error) {
	all, err := e.allInstances(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		ours := one.model == model.ID
		state := e.marks.Of(one.id)
		switch {
		case ours && e.config.reuse:
			stays = append(stays, one)
		case state == marks.Abandoned:
			e.observe("an instance of %s that an earlier exobench run had left in exo was taken away before the measurement", one.model)
			err = e.takeAway(ctx, one, say)
		case ours && e.config.replace:
			err = e.takeAway(ctx, one, say)
		case ours && state == marks.Held:
			return nil, fmt.Errorf("another exobench is measuring it on this exo (instance %s): wait until it is done", one.id)
		case ours:
			return nil, fmt.Errorf("exo already runs it (instance %s): --reuse measures it and leaves it there, --replace deletes it first", one.id)
		default:
			e.observeForeign(one)
		}
		if err != nil {
			return nil, err
		}
	}
	e.marks.Prune(ids(all))
	return stays, nil
}

// ids are those of instances.
func ids(all []instance) []string {
	ids := make([]string, len(all))
	for i, one := range all {
		ids[i] = one.id
	}
	return ids
}

// takeAway deletes an instance that this Engine has not made.
func (e *Engine) takeAway(ctx context.Context, old instance, say *reporter) error {
	say.event(exobench.StageEvent{Stage: exobench.StageResolve, Detail: "deleting instance " + old.id + " that exo already runs"})
	if _, err := e.remove(ctx, old.id, removal{runners: old.runners, foreign: true}); err != nil {
		return fmt.Errorf("replace instance %s: %w", old.id, err)
	}
	return nil
}

// fetch has exo fetch the files that the instance's nodes lack, before there is
// an instance: exo itself grows by that, and would start a runner meanwhile. An
// exo that does not take the command is left to fetch them when it loads.
func (e *Engine) fetch(ctx context.Context, chosen instance, say *reporter) error {
	w := e.newWatch(chosen, say)
	w.began, w.moved = time.Now(), time.Now()
	w.rememberFailures(ctx)
	var asked time.Time
	for {
		if err := w.downloads(ctx); err != nil && !api.Passing(err) {
			return err
		}
		if w.here {
			if w.fetches {
				say.event(exobench.StageEvent{Stage: exobench.StageResolve, Detail: "its files are there"})
			}
			return nil
		}
		// Asking again is harmless, and needed where an earlier download failed: exo
		// takes no command until its next scan has forgotten that.
		if w.fetched.ongoing == 0 && time.Since(asked) > e.config.pace.late {
			asked = time.Now()
			if taken, err := e.startDownloads(ctx, chosen); err != nil || !taken {
				return err
			}
		}
		w.note(nil)
		patience := e.config.pace.appear
		if w.fetched.listed == 0 {
			patience = min(patience, e.config.pace.late)
		}
		if !w.fetches && !w.excuses && time.Since(w.began) > patience {
			return nil
		}
		if err := w.stalled(); err != nil {
			return err
		}
		if err := api.Pause(ctx, max(e.config.pace.poll, e.config.pace.slowPoll)); err != nil {
			return err
		}
	}
}

// startDownloads asks exo for the files of each node, and reports whether it takes
// that.
func (e *Engine) startDownloads(ctx context.Context, chosen instance) (bool, error) {
	for _, node := range chosen.nodes {
		err := e.api.Call(ctx, http.MethodPost, "/download/start", struct {
			Node  string          `json:"targetNodeId"`
			Shard json.RawMessage `json:"shardMetadata"`
		}{node, chosen.shards[node]}, nil)
		switch {
		case api.Status(err)/100 == 4:
			return false, nil
		case err != nil && !api.Passing(err):
			return false, err
		}
	}
	return true, ctx.Err()
}
