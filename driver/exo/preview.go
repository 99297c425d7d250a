package exo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"exobench"
)

// Preview lists where exo would put the model as things are, the first choice
// first, and changes nothing: a model without a card is an error here, and exo
// is not waited for.
func (e *Engine) Preview(ctx context.Context, model exobench.Model) ([]string, error) {
	cards, err := e.cards(ctx)
	if err != nil {
		return nil, err
	}
	if _, has := listed(cards, model.ID); !has {
		return nil, errors.New("exo has no card of it yet: it would be added as a custom model")
	}
	previews, err := e.previews(ctx, model.ID)
	if err != nil {
		return nil, err
	}
	allowed, offered := e.choose(previews)
	if len(allowed) == 0 {
		return nil, fmt.Errorf("as things are it cannot be placed: %w", e.noPlacement(previews, offered))
	}
	var labels []string
	for _, candidate := range allowed {
		if label := candidate.placement(); !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	return labels, nil
}
