package ollama

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"exobench"
	"exobench/driver/api"
)

// keepAlive is how long Ollama keeps a model that Prepare loaded.
const keepAlive = "30m"

// times are how long things may take.
type times struct {
	// load bounds a load: Ollama tells nothing of its progress.
	load time.Duration
	// pull bounds the time without news of a download.
	pull time.Duration
	// release bounds the wait for a model to go, at which poll is the time
	// between two looks.
	release, poll time.Duration
}

var defaultTimes = times{
	// Ollama itself gives up a load after five minutes without progress.
	load:    30 * time.Minute,
	pull:    5 * time.Minute,
	release: 30 * time.Second,
	poll:    50 * time.Millisecond,
}

// Prepare has Ollama fetch the model where that is allowed and needed, and load
// it. The time from StageLoad to StageReady is that of the load; about a
// millisecond of it is the look at what Ollama then lists as loaded.
func (e *engine) Prepare(ctx context.Context, m exobench.Model, _ string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	report(exobench.StageEvent{Stage: exobench.StageResolve})
	found, err := e.vacate(ctx, m.ID, report)
	if err != nil {
		return exobench.Deployment{}, err
	}
	if found != nil {
		report(exobench.StageEvent{Stage: exobench.StageReady, Detail: "loaded before this run: " + found.String()})
		return exobench.Deployment{Model: m, PID: e.seen.PID()}, nil
	}
	report(exobench.StageEvent{Stage: exobench.StagePlace, Detail: "leaving the context length to Ollama"})
	if err := e.fetch(ctx, m.ID, report); err != nil {
		return exobench.Deployment{}, err
	}
	if !e.marks.Set(m.ID) {
		return exobench.Deployment{}, fmt.Errorf("another exobench is loading %s on this Ollama: wait until it is done", m.ID)
	}
	report(exobench.StageEvent{Stage: exobench.StageLoad})
	if err := e.load(ctx, m.ID); err != nil {
		return exobench.Deployment{}, e.clean(ctx, m.ID, err)
	}
	detail, err := e.check(ctx, m.ID)
	if err != nil {
		return exobench.Deployment{}, e.clean(ctx, m.ID, err)
	}
	if e.env.Plan.KeepLoaded {
		e.marks.Clear(m.ID) // it is to outlive the run
	}
	report(exobench.StageEvent{Stage: exobench.StageReady, Detail: detail})
	return exobench.Deployment{Model: m, Created: true, PID: e.seen.PID()}, nil
}

func (e *engine) inMemory(ctx context.Context, id string) (*loaded, error) {
	all, err := e.loaded(ctx)
	if err != nil {
		return nil, err
	}
	found, _ := find(all, id)
	return found, nil
}

// fetch makes sure that the server has the model, and has it itself.
func (e *engine) fetch(ctx context.Context, id string, report func(exobench.StageEvent)) error {
	m, ok := e.have(id)
	if !ok && !e.mayPull {
		return fmt.Errorf("Ollama does not have %s: --pull fetches it", id)
	}
	if !ok {
		if err := e.pull(ctx, id, report); err != nil {
			return err
		}
		m, _ = e.have(id)
	}
	if m.RemoteHost != "" {
		return fmt.Errorf("%s runs at %s, not on this server: there is nothing to measure here", id, m.RemoteHost)
	}
	return nil
}

// load asks for an answer to nothing, which comes when the model is loaded.
func (e *engine) load(ctx context.Context, id string) error {
	var answer struct {
		DoneReason string `json:"done_reason"`
	}
	err := e.client.Within(e.times.load).Call(ctx, http.MethodPost, "/api/chat", e.empty(id, keepAlive), &answer)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("load %s: not done in %v", id, e.times.load)
	}
	if err != nil {
		return fmt.Errorf("load %s: %w", id, err)
	}
	return nil
}

// empty is a chat without messages, which only loads a model or, with 0 for
// keep, unloads it.
func (e *engine) empty(id string, keep any) chat {
	return chat{Chat: api.Chat{Model: id, Messages: []api.Message{}}, Shift: e.shift(), KeepAlive: keep}
}

// check makes sure that the model is listed as loaded, and says how it is.
func (e *engine) check(ctx context.Context, id string) (string, error) {
	all, err := e.loaded(ctx)
	if err != nil {
		return "", err
	}
	found, others := find(all, id)
	if found == nil {
		return "", fmt.Errorf("Ollama says that it loaded %s, and does not list it as loaded; it lists %s", id, orNone(others))
	}
	detail := found.String()
	if len(others) > 0 {
		detail += "; loaded beside it: " + strings.Join(others, ", ")
	}
	return detail, nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// clean takes away what a failed Prepare may have left.
func (e *engine) clean(ctx context.Context, id string, err error) error {
	if left := e.unload(context.WithoutCancel(ctx), id); left != nil {
		return fmt.Errorf("%w; and it may still be loaded: %w", err, left)
	}
	e.marks.Clear(id)
	return err
}

// Release unloads a model that Prepare loaded, and waits until Ollama no longer
// lists it.
func (e *engine) Release(ctx context.Context, d exobench.Deployment, report func(exobench.StageEvent)) error {
	if !d.Created {
		return nil
	}
	report(exobench.StageEvent{Stage: exobench.StageRelease})
	if err := e.unload(context.WithoutCancel(ctx), d.Model.ID); err != nil {
		return err
	}
	e.marks.Clear(d.Model.ID)
	report(exobench.StageEvent{Stage: exobench.StageReleased})
	return nil
}

// unload asks Ollama to drop the model when its requests have ended, and waits
// until it has.
func (e *engine) unload(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, e.times.release)
	defer cancel()
	var answer struct{}
	err := e.client.Within(e.times.release).Call(ctx, http.MethodPost, "/api/chat", e.empty(id, 0), &answer)
	if err != nil && !api.Missing(err) {
		return fmt.Errorf("unload %s: %w", id, err)
	}
	seen := false // at the latest look that was answered
	for {
		found, err := e.inMemory(ctx, id)
		if err == nil && found == nil {
			return nil
		}
		seen = found != nil || seen && ctx.Err() != nil
		select {
		case <-ctx.Done():
			if !seen {
				return fmt.Errorf("unload %s: %w", id, err)
			}
			return fmt.Errorf("%s is still loaded %v after Ollama was asked to unload it: requests to it may be under way", id, e.times.release)
		case <-time.After(e.times.poll):
		}
	}
}
