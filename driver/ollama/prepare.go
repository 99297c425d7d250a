package ollama

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"exobench"
)

// Prepare has Ollama fetch the model where that is allowed and needed, and load
// it. The time from StageLoad to StageReady is that of the load; about a
// millisecond of it is the look at what Ollama then lists as loaded.
func (t *Target) Prepare(ctx context.Context, m exobench.Model, report func(exobench.LoadEvent)) (exobench.Deployment, error) {
	report(exobench.LoadEvent{Stage: exobench.StageResolve})
	found, err := t.inMemory(ctx, m.ID)
	if err != nil {
		return exobench.Deployment{}, err
	}
	if found != nil && t.config.Reuse {
		return t.reuse(m, *found, report)
	}
	if found != nil {
		report(exobench.LoadEvent{Stage: exobench.StageResolve, Detail: "Ollama has it loaded already; unloading it, so that its load can be timed"})
		if err := t.unload(ctx, m.ID); err != nil {
			return exobench.Deployment{}, err
		}
	}
	report(exobench.LoadEvent{Stage: exobench.StagePlace, Detail: t.asked()})
	if err := t.fetch(ctx, m.ID, report); err != nil {
		return exobench.Deployment{}, err
	}
	report(exobench.LoadEvent{Stage: exobench.StageLoad})
	if err := t.load(ctx, m.ID); err != nil {
		return exobench.Deployment{}, t.clean(ctx, m.ID, err)
	}
	detail, err := t.check(ctx, m.ID)
	if err != nil {
		return exobench.Deployment{}, t.clean(ctx, m.ID, err)
	}
	report(exobench.LoadEvent{Stage: exobench.StageReady, Detail: detail})
	return exobench.Deployment{Model: m, Created: true}, nil
}

func (t *Target) inMemory(ctx context.Context, id string) (*Loaded, error) {
	all, err := t.Loaded(ctx)
	if err != nil {
		return nil, err
	}
	found, _ := find(all, id)
	return found, nil
}

// reuse measures what is there. Its requests say nothing of its context, since
// another would make Ollama load it anew.
func (t *Target) reuse(m exobench.Model, found Loaded, report func(exobench.LoadEvent)) (exobench.Deployment, error) {
	if wanted := t.config.Context; wanted > 0 && found.Context > 0 && wanted != found.Context {
		return exobench.Deployment{}, fmt.Errorf("%s is loaded with a context of %d, not %d: leave --reuse out to have it loaded anew", m.ID, found.Context, wanted)
	}
	report(exobench.LoadEvent{Stage: exobench.StageReady, Detail: "loaded before this run: " + found.String()})
	return exobench.Deployment{Model: m}, nil
}

func (t *Target) asked() string {
	if t.config.Context > 0 {
		return fmt.Sprintf("asking for a context of %d", t.config.Context)
	}
	return "leaving the context length to Ollama"
}

// fetch makes sure that the server has the model, and has it itself.
func (t *Target) fetch(ctx context.Context, id string, report func(exobench.LoadEvent)) error {
	m, ok := t.have(id)
	if !ok && !t.config.Pull {
		return fmt.Errorf("Ollama does not have %s: --pull fetches it", id)
	}
	if !ok {
		if err := t.pull(ctx, id, report); err != nil {
			return err
		}
		m, _ = t.have(id)
	}
	if m.RemoteHost != "" {
		return fmt.Errorf("%s runs at %s, not on this server: there is nothing to measure here", id, m.RemoteHost)
	}
	return nil
}

// load asks for an answer to nothing, which comes when the model is loaded.
func (t *Target) load(ctx context.Context, id string) error {
	var answer struct {
		DoneReason string `json:"done_reason"`
	}
	err := t.call(ctx, t.config.LoadTimeout, http.MethodPost, "/api/chat", t.empty(id, keepAlive), &answer)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("load %s: not done in %v", id, t.config.LoadTimeout)
	}
	if err != nil {
		return fmt.Errorf("load %s: %w", id, err)
	}
	return nil
}

// empty is a chat without messages, which only loads a model or, with 0 for
// keep, unloads it.
func (t *Target) empty(id string, keep any) chat {
	stream, shift := false, false
	return chat{Model: id, Messages: []message{}, Stream: &stream, Shift: &shift, KeepAlive: keep, Options: options{Context: t.config.Context}}
}

// check makes sure that the model is listed as loaded, and says how it is.
func (t *Target) check(ctx context.Context, id string) (string, error) {
	all, err := t.Loaded(ctx)
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
func (t *Target) clean(ctx context.Context, id string, err error) error {
	if left := t.unload(context.WithoutCancel(ctx), id); left != nil {
		return fmt.Errorf("%w; and it may still be loaded: %w", err, left)
	}
	return err
}

// Release unloads a model that Prepare loaded, and waits until Ollama no longer
// lists it.
func (t *Target) Release(ctx context.Context, d exobench.Deployment, report func(exobench.LoadEvent)) error {
	if !d.Created {
		return nil
	}
	report(exobench.LoadEvent{Stage: exobench.StageRelease})
	if err := t.unload(context.WithoutCancel(ctx), d.Model.ID); err != nil {
		return err
	}
	report(exobench.LoadEvent{Stage: exobench.StageReleased})
	return nil
}

// unload asks Ollama to drop the model when its requests have ended, and waits
// until it has.
func (t *Target) unload(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, t.config.ReleaseTimeout)
	defer cancel()
	var answer struct{}
	err := t.call(ctx, t.config.ReleaseTimeout, http.MethodPost, "/api/chat", t.empty(id, 0), &answer)
	if err != nil && !missing(err) {
		return fmt.Errorf("unload %s: %w", id, err)
	}
	seen := false // at the latest look that was answered
	for {
		found, err := t.inMemory(ctx, id)
		if err == nil && found == nil {
			return nil
		}
		seen = found != nil || seen && ctx.Err() != nil
		select {
		case <-ctx.Done():
			if !seen {
				return fmt.Errorf("unload %s: %w", id, err)
			}
			return fmt.Errorf("%s is still loaded %v after Ollama was asked to unload it: requests to it may be under way", id, t.config.ReleaseTimeout)
		case <-time.After(t.config.PollInterval):
		}
	}
}
