package exolegacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"exobench"
)

// Target is a legacy exo.
type Target struct {
	config Config
	// listed are the models that exo knows of, usable those that its inference
	// engine has weights for.
	listed, usable []string
	engine         inference
	kept           sync.Once // Release has said that models stay
}

// Dial makes sure that a legacy exo answers, and asks which models it has.
func Dial(ctx context.Context, c Config) (*Target, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	t := &Target{config: c.withDefaults()}
	if err := t.detect(ctx); err != nil {
		return nil, err
	}
	if err := t.list(ctx); err != nil {
		return nil, fmt.Errorf("list the models of exo 0.0.x: %w", err)
	}
	return t, nil
}

// detect tells a legacy exo from exo 1.x and from all else at that address.
func (t *Target) detect(ctx context.Context) error {
	var health struct {
		Status string `json:"status"`
	}
	err := t.get(ctx, "/healthcheck", &health)
	if err == nil && health.Status == "ok" {
		return nil
	}
	if err != nil && !answered(err) {
		return fmt.Errorf("%w: is exo running there? its address can be given with --url", err)
	}
	var id json.RawMessage
	if t.get(ctx, "/node_id", &id) == nil {
		return fmt.Errorf("%s is exo 1.x, not 0.0.x: leave --engine out, or give --engine exo", t.config.URL)
	}
	return fmt.Errorf("%s answers, but not as exo 0.0.x does: /healthcheck gives no status ok", t.config.URL)
}

func (t *Target) list(ctx context.Context) error {
	var all struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := t.get(ctx, "/v1/models", &all); err != nil {
		return err
	}
	for _, m := range all.Data {
		t.listed = append(t.listed, m.ID)
	}
	var mine map[string]json.RawMessage
	if err := t.get(ctx, "/initial_models", &mine); err != nil {
		if !answered(err) {
			return err
		}
		mine = nil // exo before this endpoint: any listed model may be refused
	}
	for _, id := range t.listed {
		if _, ok := mine[id]; (ok || mine == nil) && chats(id) {
			t.usable = append(t.usable, id)
		}
	}
	if mine != nil {
		t.engine = inferenceOf(t.usable)
	}
	return nil
}

// chats reports whether a listed id can be asked for an answer: exo takes a
// gpt- id for its default model, and stable diffusion draws.
func chats(id string) bool {
	return !strings.HasPrefix(id, "gpt-") && !strings.HasPrefix(id, "stable-diffusion")
}

// Info describes the server. Answers are as long as the models make them.
func (t *Target) Info() exobench.Engine {
	engine := exobench.Engine{
		Name: "exo-legacy", Version: "0.0.x (" + t.engine.String() + ")", URL: t.config.URL,
		LifeCycle: true, CacheSwitch: false, IgnoresEOS: false,
	}
	if t.engine == dummy {
		engine.Label = "exo's dummy inference engine"
		engine.Caveat = "It computes nothing: the figures are those of exo's own overhead."
	}
	return engine
}

// Models returns the ids of the models that exo can run.
func (t *Target) Models() []string { return slices.Clone(t.usable) }

// Resolve returns the model of that id, or the first of the known ids that exo
// can run. It is an id that exo lists: for any other, exo would silently run
// its default model.
func (t *Target) Resolve(name string, known []string) (exobench.Model, error) {
	for _, id := range append([]string{name}, known...) {
		if have, ok := match(t.usable, id); ok {
			return exobench.Model{Name: name, ID: have}, nil
		}
	}
	for _, id := range append([]string{name}, known...) {
		if have, ok := match(t.listed, id); ok {
			return exobench.Model{}, fmt.Errorf("exo lists %s, but cannot run it with its inference engine (%v); it can run %s", have, t.engine, strings.Join(t.usable, ", "))
		}
	}
	return exobench.Model{}, fmt.Errorf("exo 0.0.x does not have %s, and would answer with its default model; it has %s", name, strings.Join(t.usable, ", "))
}

func match(ids []string, wanted string) (string, bool) {
	i := slices.IndexFunc(ids, func(id string) bool { return strings.EqualFold(id, wanted) })
	if i < 0 {
		return "", false
	}
	return ids[i], true
}

// refusal is an answer with another status than 200.
type refusal struct{ status int }

func (r refusal) Error() string { return fmt.Sprintf("HTTP %d", r.status) }

// answered tells an error of a server that answered from one on the way.
func answered(err error) bool {
	var r refusal
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	return errors.As(err, &r) || errors.As(err, &syntax) || errors.As(err, &shape)
}

// bodyLimit is how much of an answer is read.
const bodyLimit = 16 << 20

func (t *Target) get(ctx context.Context, path string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	response, err := t.open(ctx, path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	if err != nil {
		return fmt.Errorf("read the answer to %s: %w", path, err)
	}
	if len(body) == 0 {
		return fmt.Errorf("the answer to %s is empty", path)
	}
	return json.Unmarshal(body, answer)
}

// open returns an answer whose status is 200; the caller closes it.
func (t *Target) open(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.config.URL+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := t.config.Client.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("no answer from %s: %w", t.config.URL, err)
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, refusal{response.StatusCode}
	}
	return response, nil
}
