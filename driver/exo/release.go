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
)

// errStillThere: exo still has the instance; only removeInstance sees it.
var errStillThere = errors.New("still there")

// errGone: the exo process itself is gone, and every instance with it.
var errGone = errors.New("exo no longer listens, so its instances are gone too")

// Release has exo delete the instance and returns once it is gone and its
// runners have let go of their memory. An instance that Prepare found rather
// than made stays; one that is already gone is no error. A cancelled ctx does
// not stop it: Config.ReleaseTimeout does.
func (t *Target) Release(ctx context.Context, deployment exobench.Deployment, report func(exobench.LoadEvent)) error {
	defer t.setDeployed(false)
	if !deployment.Created {
		return nil
	}
	say := t.reporter(deployment.Model, report)
	say.about(deployment.Placement, deployment.Instance)
	return t.release(ctx, deployment.Instance, removal{}, say)
}

// release is remove with its events.
func (t *Target) release(ctx context.Context, id string, how removal, say *reporter) error {
	say.event(exobench.LoadEvent{Stage: exobench.StageRelease})
	lingering, err := t.remove(ctx, id, how)
	if err != nil {
		return say.blame(err)
	}
	detail := ""
	if len(lingering) > 0 {
		// exo's state can keep such a runner forever: a worker that kills a
		// runner after its 3 s of grace does not always say so.
		detail = "exo still lists its " + strings.Join(lingering, ", ")
	}
	say.event(exobench.LoadEvent{Stage: exobench.StageReleased, Detail: detail})
	return nil
}

// removal says what is known of an instance to remove.
type removal struct {
	// runners are its runners; where nil, they are read from exo.
	runners []string
	// unseen: it was asked for and has not shown up, so that a 404 may only
	// mean that it is still on its way.
	unseen bool
}

// remove deletes an instance, waits until it is gone, and then some time for
// its runners; it returns those that exo still lists.
func (t *Target) remove(ctx context.Context, id string, how removal) (lingering []string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.config.ReleaseTimeout)
	defer cancel()
	if how.runners == nil {
		if raw, err := t.instance(ctx, id); err == nil {
			parsed, _ := parseInstance(raw)
			how.runners = parsed.runners
		}
	}
	if err := t.removeInstance(ctx, id, how.unseen); err != nil {
		return nil, err
	}
	return t.awaitRunnersGone(ctx, how.runners), nil
}

// removeInstance asks exo to delete the instance until it is gone. Asking
// again is harmless, and needed when a master election swallowed the command.
func (t *Target) removeInstance(ctx context.Context, id string, unseen bool) error {
	path := "/instance" + pathOf(id)
	late := time.Now().Add(min(t.config.pace.late, t.config.ReleaseTimeout/2))
	var asked time.Time
	for {
		err := t.instanceGone(ctx, id, path, &asked)
		if err == nil && (!unseen || !asked.IsZero() || time.Now().After(late)) {
			return nil
		}
		if refused(err) {
			return errGone
		}
		if pause(ctx, t.config.PollInterval) == nil {
			continue
		}
		if asked.IsZero() {
			return fmt.Errorf("exo did not take the deletion of instance %s within %v: %w", id, t.config.ReleaseTimeout, err)
		}
		return fmt.Errorf("instance %s is still there %v after exo was asked to delete it", id, t.config.ReleaseTimeout)
	}
}

// instanceGone asks for the deletion where that is due and returns nil if exo
// does not know the instance.
func (t *Target) instanceGone(ctx context.Context, id, path string, asked *time.Time) error {
	if time.Since(*asked) > t.config.pace.late {
		err := t.call(ctx, t.config.pace.call, http.MethodDelete, path, nil, nil)
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		*asked = time.Now()
	}
	_, err := t.instance(ctx, id)
	if missing(err) {
		return nil
	}
	if err == nil {
		return errStillThere
	}
	return err
}

// instance reads one instance. Note: /state/instances/{id} says the same, but
// exo dumps its whole state to answer that.
func (t *Target) instance(ctx context.Context, id string) (json.RawMessage, error) {
	var raw json.RawMessage
	err := t.get(ctx, "/instance"+pathOf(id), &raw)
	return raw, err
}

// awaitRunnersGone waits for the runners to leave exo's state or to be dead in
// it, and returns those that do neither.
func (t *Target) awaitRunnersGone(ctx context.Context, runners []string) []string {
	ctx, cancel := context.WithTimeout(ctx, t.config.pace.linger)
	defer cancel()
	var lingering []string
	for {
		// A look that got no answer says nothing, so the one before it stands.
		if alive, err := t.aliveRunners(ctx, runners); err == nil {
			lingering = alive
		}
		if len(lingering) == 0 || pause(ctx, t.config.PollInterval) != nil {
			return lingering
		}
	}
}

func (t *Target) aliveRunners(ctx context.Context, runners []string) ([]string, error) {
	var alive []string
	for _, id := range runners {
		state, err := t.runner(ctx, id)
		if err != nil {
			return nil, err
		}
		if state.holdsMemory() {
			alive = append(alive, "runner "+id+" ("+state.tag+")")
		}
	}
	return alive, nil
}
