package exo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"exobench"
	"exobench/driver/api"
)

// preview is one placement that exo considered: an instance, or the reason why
// there is none. Its labels say what was asked, not what the instance is.
type preview struct {
	Sharding string          `json:"sharding"`
	Meta     string          `json:"instance_meta"`
	Instance json.RawMessage `json:"instance"`
	Error    string          `json:"error"`
}

// permanentReasons are parts of exo's reasons that waiting does not change;
// all others (memory, backends, connections) depend on what exo has yet to
// hear from its nodes, or on memory that is about to be freed.
var permanentReasons = []string{
	"does not support tensor parallelism",
	"No tensor sharding found",
	"cannot satisfy engine",
	"Pipeline parallelism is not supported",
	"Cannot distribute",
}

func permanent(reason string) bool {
	return slices.ContainsFunc(permanentReasons, func(part string) bool { return strings.Contains(reason, part) })
}

// Placements lists where exo can put the model within the bounds of the
// options, each as a value for Prepare: few nodes before many,
// Pipeline before Tensor, ring before jaccl. It adds the model's card where exo
// has none, and waits for exo to settle.
func (e *Engine) Placements(ctx context.Context, model exobench.Model) ([]string, error) {
	silent := e.reporter(func(exobench.StageEvent) {})
	if err := e.awaitBack(ctx, silent); err != nil {
		return nil, silent.blame(err)
	}
	if err := e.ensureCard(ctx, model, silent); err != nil {
		return nil, silent.blame(err)
	}
	allowed, err := e.settled(ctx, model, silent)
	if err != nil {
		return nil, silent.blame(err)
	}
	var labels []string
	for _, candidate := range allowed {
		if label := candidate.placement(); !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	return labels, nil
}

// place returns the instance to ask for: the best one, or that of the placement
// that is wanted.
func (e *Engine) place(ctx context.Context, model exobench.Model, placement string, say *reporter) (instance, error) {
	allowed, err := e.settled(ctx, model, say)
	if err != nil {
		return instance{}, err
	}
	if placement == "" {
		return allowed[0], nil
	}
	for _, candidate := range allowed {
		if candidate.placement() == placement {
			return candidate, nil
		}
	}
	return instance{}, fmt.Errorf("exo no longer offers %s", placement)
}

// settled returns the placements that the flags allow, at least one, waiting
// for exo to settle.
func (e *Engine) settled(ctx context.Context, model exobench.Model, say *reporter) ([]instance, error) {
	began := time.Now()
	limit := e.config.pace.settle
	for wait := e.config.pace.backoff; ; wait *= 2 {
		previews, err := e.previews(ctx, model.ID)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			allowed, offered := e.choose(previews)
			if len(allowed) > 0 {
				return allowed, nil
			}
			err = e.noPlacement(previews, offered)
			if e.hopeless(previews, offered) {
				return nil, err
			}
			if short := e.shortage(ctx, model, previews, offered); short != nil {
				if err = short; short.forGood() {
					return nil, err
				}
				limit = min(limit, e.config.pace.memory)
			}
		} else if !api.Passing(err) {
			return nil, err
		}
		left := limit - time.Since(began)
		if left <= 0 {
			return nil, fmt.Errorf("%w (waited %v)", err, limit)
		}
		say.event(exobench.StageEvent{Stage: exobench.StagePlace, Detail: "waiting for exo to settle: " + err.Error()})
		if err := api.Pause(ctx, min(wait, left)); err != nil {
			return nil, err
		}
	}
}

func (e *Engine) previews(ctx context.Context, id string) ([]preview, error) {
	var list struct {
		Previews []preview `json:"previews"`
	}
	path := "/instance/previews?" + url.Values{"model_id": {id}}.Encode()
	err := e.api.Within(e.config.pace.slowCall).Call(ctx, http.MethodGet, path, nil, &list)
	var status *api.StatusError
	if errors.As(err, &status) && !api.Passing(err) {
		return nil, fmt.Errorf("exo cannot preview it: %s", status.Text)
	}
	return list.Previews, err
}

// choose returns the placements that the flags allow, and all that exo offers:
// few nodes before many, Pipeline before Tensor, ring before jaccl.
func (e *Engine) choose(previews []preview) (allowed, offered []instance) {
	for _, p := range previews {
		if candidate, err := parseInstance(p.Instance); err == nil {
			offered = append(offered, candidate)
		}
	}
	slices.SortStableFunc(offered, func(a, b instance) int {
		return cmp.Or(
			cmp.Compare(len(a.nodes), len(b.nodes)),
			cmp.Compare(rank(a.sharding, pipeline, tensor), rank(b.sharding, pipeline, tensor)),
			cmp.Compare(rank(a.meta, ring, jaccl), rank(b.meta, ring, jaccl)),
		)
	})
	for _, candidate := range offered {
		if e.allows(candidate.sharding, candidate.meta) &&
			e.config.minNodes <= len(candidate.nodes) && len(candidate.nodes) <= e.config.maxNodes {
			allowed = append(allowed, candidate)
		}
	}
	return allowed, offered
}

// rank returns the place of name in order; the unknown comes last.
func rank(name string, order ...string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

func (e *Engine) allows(sharding, meta string) bool {
	return (e.config.sharding == "" || e.config.sharding == sharding) && (e.config.instanceMeta == "" || e.config.instanceMeta == meta)
}

// hopeless reports whether waiting cannot bring a placement: exo gave a lasting
// reason for each way to place the model that the flags allow.
func (e *Engine) hopeless(previews []preview, offered []instance) bool {
	reasons := 0
	for _, p := range previews {
		if p.Error == "" || !e.allows(p.Sharding, p.Meta) {
			continue
		}
		if !permanent(p.Error) {
			return false
		}
		reasons++
	}
	return reasons > 0 && len(offered) == 0
}

// noPlacement says why nothing fits, in exo's own words where it has any.
func (e *Engine) noPlacement(previews []preview, offered []instance) error {
	var reasons []string
	add := func(reason string) {
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	for _, candidate := range offered {
		add("exo offers " + candidate.placement())
	}
	for _, p := range previews {
		// Tensor and jaccl need two nodes, so exo's reason against them says
		// nothing to who asked for one.
		oneNode := p.Sharding == pipeline && p.Meta == ring
		if p.Error != "" && e.allows(p.Sharding, p.Meta) && (oneNode || e.config.maxNodes > 1) {
			add(api.Line(p.Error))
		}
	}
	if len(reasons) == 0 {
		add("exo offers no placement at all")
	}
	return fmt.Errorf("no placement fits (%s): %s", e.wanted(), strings.Join(reasons, "; "))
}

// wanted says what the flags ask for.
func (e *Engine) wanted() string {
	var words []string
	for _, word := range []string{e.config.sharding, e.config.instanceMeta} {
		if word != "" {
			words = append(words, word)
		}
	}
	if e.config.minNodes == e.config.maxNodes {
		words = append(words, nodesText(e.config.minNodes))
	} else {
		words = append(words, fmt.Sprintf("%d to %d nodes", e.config.minNodes, e.config.maxNodes))
	}
	return strings.Join(words, ", ")
}

// create asks exo for the instance, in the bytes in which exo previewed it:
// exo rejects unknown keys, and a field that we do not know must survive.
func (e *Engine) create(ctx context.Context, chosen instance) error {
	body := slices.Concat([]byte(`{"instance":`), chosen.raw, []byte("}"))
	err := e.api.Within(e.config.pace.slowCall).Call(ctx, http.MethodPost, "/instance", body, nil)
	var status *api.StatusError
	if !errors.As(err, &status) {
		return err
	}
	if status.Status >= 500 {
		return fmt.Errorf("exo broke down over it, as it does when it cannot load the model's card: %w", status)
	}
	return fmt.Errorf("exo refuses it: %w", status)
}
