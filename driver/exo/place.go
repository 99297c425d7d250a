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
// configuration, each as a value for Model.Placement: few nodes before many,
// Pipeline before Tensor, ring before jaccl. It adds the model's card where exo
// has none, and waits for exo to settle.
func (t *Target) Placements(ctx context.Context, model exobench.Model) ([]string, error) {
	silent := t.reporter(model, func(exobench.LoadEvent) {})
	if err := t.ensureCard(ctx, model, silent); err != nil {
		return nil, silent.blame(err)
	}
	allowed, err := t.settled(ctx, model, silent)
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
// that the model wants.
func (t *Target) place(ctx context.Context, model exobench.Model, say *reporter) (instance, error) {
	allowed, err := t.settled(ctx, model, say)
	if err != nil {
		return instance{}, err
	}
	if model.Placement == "" {
		return allowed[0], nil
	}
	for _, candidate := range allowed {
		if candidate.placement() == model.Placement {
			return candidate, nil
		}
	}
	return instance{}, fmt.Errorf("exo no longer offers %s", model.Placement)
}

// settled returns the placements that the flags allow, at least one, waiting
// for exo to settle.
func (t *Target) settled(ctx context.Context, model exobench.Model, say *reporter) ([]instance, error) {
	deadline := time.Now().Add(t.config.SettleTimeout)
	for wait := t.config.pace.backoff; ; wait *= 2 {
		previews, err := t.previews(ctx, model.ID)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			allowed, offered := t.choose(previews)
			if len(allowed) > 0 {
				return allowed, nil
			}
			err = t.noPlacement(previews, offered)
			if t.hopeless(previews, offered) {
				return nil, err
			}
		} else if !passing(err) {
			return nil, err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return nil, fmt.Errorf("%w (waited %v for exo to settle)", err, t.config.SettleTimeout)
		}
		say.event(exobench.LoadEvent{Stage: exobench.StagePlace, Detail: "waiting for exo to settle: " + err.Error()})
		if err := pause(ctx, min(wait, left)); err != nil {
			return nil, err
		}
	}
}

func (t *Target) previews(ctx context.Context, id string) ([]preview, error) {
	var list struct {
		Previews []preview `json:"previews"`
	}
	path := "/instance/previews?" + url.Values{"model_id": {id}}.Encode()
	err := t.call(ctx, t.config.pace.slowCall, http.MethodGet, path, nil, &list)
	var status *StatusError
	if errors.As(err, &status) && !passing(err) {
		return nil, fmt.Errorf("exo cannot preview it: %s", status.Text)
	}
	return list.Previews, err
}

// choose returns the placements that the flags allow, and all that exo offers:
// few nodes before many, Pipeline before Tensor, ring before jaccl.
func (t *Target) choose(previews []preview) (allowed, offered []instance) {
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
		if t.allows(candidate.sharding, candidate.meta) &&
			t.config.MinNodes <= len(candidate.nodes) && len(candidate.nodes) <= t.config.MaxNodes {
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

func (t *Target) allows(sharding, meta string) bool {
	return (t.sharding == "" || t.sharding == sharding) && (t.meta == "" || t.meta == meta)
}

// hopeless reports whether waiting cannot bring a placement: exo gave a lasting
// reason for each way to place the model that the flags allow.
func (t *Target) hopeless(previews []preview, offered []instance) bool {
	reasons := 0
	for _, p := range previews {
		if p.Error == "" || !t.allows(p.Sharding, p.Meta) {
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
func (t *Target) noPlacement(previews []preview, offered []instance) error {
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
		if p.Error != "" && t.allows(p.Sharding, p.Meta) && (oneNode || t.config.MaxNodes > 1) {
			add(oneLine(p.Error))
		}
	}
	if len(reasons) == 0 {
		add("exo offers no placement at all")
	}
	return fmt.Errorf("no placement fits (%s): %s", t.wanted(), strings.Join(reasons, "; "))
}

// wanted says what the flags ask for.
func (t *Target) wanted() string {
	var words []string
	for _, word := range []string{t.sharding, t.meta} {
		if word != "" {
			words = append(words, word)
		}
	}
	if t.config.MinNodes == t.config.MaxNodes {
		words = append(words, nodesText(t.config.MinNodes))
	} else {
		words = append(words, fmt.Sprintf("%d to %d nodes", t.config.MinNodes, t.config.MaxNodes))
	}
	return strings.Join(words, ", ")
}

// create asks exo for the instance, in the bytes in which exo previewed it:
// exo rejects unknown keys, and a field that we do not know must survive.
func (t *Target) create(ctx context.Context, chosen instance) error {
	body := slices.Concat([]byte(`{"instance":`), chosen.raw, []byte("}"))
	err := t.call(ctx, t.config.pace.slowCall, http.MethodPost, "/instance", body, nil)
	var status *StatusError
	if !errors.As(err, &status) {
		return err
	}
	if status.Status >= 500 {
		return fmt.Errorf("exo broke down over it, as it does when it cannot load the model's card: %w", status)
	}
	return fmt.Errorf("exo refuses it: %w", status)
}
