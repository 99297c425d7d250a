package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"exobench"
	"exobench/driver/api"
)

// errStillThere: exo still has the instance; only removeInstance sees it.
var errStillThere = errors.New("still there")

// errGone: the exo process itself is gone, and every instance with it.
var errGone = errors.New("exo no longer listens, so its instances are gone too")

// Release has exo delete the instance and returns once it is gone and its
// runners have let go of their memory. An instance that Prepare found rather
// than made stays; one that is already gone is no error. A cancelled ctx does
// not stop it: pace.release does.
func (e *Engine) Release(ctx context.Context, deployment exobench.Deployment, report func(exobench.StageEvent)) error {
	if !deployment.Created {
		return nil
	}
	say := e.reporter(report)
	say.about(deployment.Placement, deployment.Instance)
	known := e.watched.processes()
	e.watchOver(ctx, exobench.Deployment{})
	err := e.release(ctx, deployment.Instance, removal{}, say)
	e.observeOrphans(context.WithoutCancel(ctx), known)
	return err
}

// release is remove with its events.
func (e *Engine) release(ctx context.Context, id string, how removal, say *reporter) error {
	say.event(exobench.StageEvent{Stage: exobench.StageRelease})
	lingering, err := e.remove(ctx, id, how)
	if err != nil {
		return say.blame(err)
	}
	detail := ""
	if len(lingering) > 0 {
		detail = "still there: " + strings.Join(lingering, ", ")
	}
	say.event(exobench.StageEvent{Stage: exobench.StageReleased, Detail: detail})
	return nil
}

// removal says what is known of an instance to remove.
type removal struct {
	// runners are its runners; where nil, they are read from exo.
	runners []string
	// unseen: it was asked for and has not shown up, so that a 404 may only
	// mean that it is still on its way.
	unseen bool
	// foreign: it was made before this Engine took note of exo's processes.
	foreign bool
}

// remove deletes an instance, waits until it is gone, and then some time until
// its runners are: on this host the tree of processes tells, and elsewhere exo's
// state does, if it does. It returns what is left of them, in words.
func (e *Engine) remove(ctx context.Context, id string, how removal) (lingering []string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.pace.release)
	defer cancel()
	if how.runners == nil {
		if raw, err := e.instance(ctx, id); err == nil {
			parsed, _ := parseInstance(raw)
			how.runners = parsed.runners
		}
	}
	seen := e.runnerProcesses(ctx, how.foreign)
	if err := e.removeInstance(ctx, id, how.unseen); err != nil {
		return nil, err
	}
	e.marks.Clear(id)
	if seen.known {
		return e.awaitProcessesGone(ctx, seen, len(how.runners)), nil
	}
	return e.awaitRunnersGone(ctx, how.runners), nil
}

// removeInstance asks exo to delete the instance until it is gone. Asking
// again is harmless, and needed when a master election swallowed the command.
func (e *Engine) removeInstance(ctx context.Context, id string, unseen bool) error {
	path := "/instance" + api.Path(id)
	late := time.Now().Add(min(e.config.pace.late, e.config.pace.release/2))
	var asked time.Time
	for {
		err := e.instanceGone(ctx, id, path, &asked)
		if err == nil && (!unseen || !asked.IsZero() || time.Now().After(late)) {
			return nil
		}
		if api.Refused(err) {
			return errGone
		}
		if api.Pause(ctx, e.config.pace.poll) == nil {
			continue
		}
		if asked.IsZero() {
			return fmt.Errorf("exo did not take the deletion of instance %s within %v: %w", id, e.config.pace.release, err)
		}
		return fmt.Errorf("instance %s is still there %v after exo was asked to delete it", id, e.config.pace.release)
	}
}

// instanceGone asks for the deletion where that is due and returns nil if exo
// does not know the instance.
func (e *Engine) instanceGone(ctx context.Context, id, path string, asked *time.Time) error {
	if time.Since(*asked) > e.config.pace.late {
		err := e.api.Call(ctx, http.MethodDelete, path, nil, nil)
		if api.Missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		*asked = time.Now()
	}
	_, err := e.instance(ctx, id)
	if api.Missing(err) {
		return nil
	}
	if err == nil {
		return errStillThere
	}
	return err
}

// instance reads one instance. Note: /state/instances/{id} says the same, but
// exo dumps its whole state to answer that.
func (e *Engine) instance(ctx context.Context, id string) (json.RawMessage, error) {
	var raw json.RawMessage
	err := e.api.Get(ctx, "/instance"+api.Path(id), &raw)
	return raw, err
}

// awaitRunnersGone waits for the runners to leave exo's state or to be dead in
// it, and returns those that do neither. exo's state can keep a runner for good:
// a worker that kills one after its 3 s of grace does not always say so.
func (e *Engine) awaitRunnersGone(ctx context.Context, runners []string) []string {
	ctx, cancel := context.WithTimeout(ctx, e.config.pace.linger)
	defer cancel()
	var lingering []string
	for {
		// A look that got no answer says nothing, so the one before it stands.
		if alive, err := e.aliveRunners(ctx, runners); err == nil {
			lingering = alive
		}
		if len(lingering) == 0 || api.Pause(ctx, e.config.pace.poll) != nil {
			return lingering
		}
	}
}

func (e *Engine) aliveRunners(ctx context.Context, runners []string) ([]string, error) {
	var alive []string
	for _, id := range runners {
		state, err := e.runner(ctx, id)
		if err != nil {
			return nil, err
		}
		if state.holdsMemory() {
			alive = append(alive, "runner "+id+" ("+state.tag+")")
		}
	}
	return alive, nil
}
