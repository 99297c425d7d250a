package exolegacy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"exobench/driver"
	"exobench/driver/api"
	"exobench/driver/local"
)

// engine is a legacy exo.
type engine struct {
	label string
	env   driver.Env
	pace  pace
	api   *api.Client
	seen  local.Server
	// listed are the models that exo knows of, usable those that its inference
	// engine has weights for.
	listed, usable []string
	inference      inference
	kept           sync.Once // Release has said that models stay
	held           string    // the model that was asked for last, which exo keeps
}

// detect tells a legacy exo from exo 1.x and from all else at that address.
func (e *engine) detect(ctx context.Context) error {
	var health struct {
		Status string `json:"status"`
	}
	err := e.api.Get(ctx, "/healthcheck", &health)
	if err == nil && health.Status == "ok" {
		return nil
	}
	if err != nil && !api.Answered(err) {
		return fmt.Errorf("%w: is exo running there? its address can be given with --url", err)
	}
	if api.Elsewhere(err) {
		return err
	}
	var id json.RawMessage
	if e.api.Get(ctx, "/node_id", &id) == nil {
		return fmt.Errorf("%s is exo 1.x, not 0.0.x: leave --engine out, or give --engine exo", e.api.Base())
	}
	return fmt.Errorf("%s answers, but not as exo 0.0.x does: /healthcheck gives no status ok", e.api.Base())
}

func (e *engine) list(ctx context.Context) error {
	var all struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := e.api.Get(ctx, "/v1/models", &all); err != nil {
		return err
	}
	for _, m := range all.Data {
		e.listed = append(e.listed, m.ID)
	}
	var mine map[string]json.RawMessage
	if err := e.api.Get(ctx, "/initial_models", &mine); err != nil {
		if !api.Answered(err) {
			return err
		}
		mine = nil // exo before this endpoint: any listed model may be refused
	}
	for _, id := range e.listed {
		if _, ok := mine[id]; (ok || mine == nil) && chats(id) {
			e.usable = append(e.usable, id)
		}
	}
	if mine != nil {
		e.inference = inferenceOf(e.usable)
	}
	return nil
}

// chats reports whether a listed id can be asked for an answer: exo takes a
// gpt- id for its default model, and stable diffusion draws.
func chats(id string) bool {
	return !strings.HasPrefix(id, "gpt-") && !strings.HasPrefix(id, "stable-diffusion")
}

// match finds an id whatever its case.
func match(ids []string, wanted string) (string, bool) {
	i := slices.IndexFunc(ids, func(id string) bool { return strings.EqualFold(id, wanted) })
	if i < 0 {
		return "", false
	}
	return ids[i], true
}
