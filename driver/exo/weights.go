package exo

import (
	"context"

	"exobench"
	"exobench/driver"
)

// Weights returns the size on the model's card. A model that may be spread over
// several nodes is read by all of them at once, or by one after the other, which
// is not known before it is placed: of that nothing is told.
func (e *Engine) Weights(ctx context.Context, m exobench.Model) driver.Weights {
	if e.config.maxNodes != 1 && len(e.nodes) > 1 || len(e.nodes) == 0 {
		return driver.Weights{}
	}
	cards, err := e.cards(ctx)
	if err != nil {
		return driver.Weights{}
	}
	card, listed := listed(cards, m.ID)
	if !listed {
		return driver.Weights{}
	}
	// Of several nodes it is not known which one it will be.
	return driver.Weights{Size: card.size, Here: e.seen && len(e.nodes) == 1, Chip: e.chip()}
}

// chip returns what all nodes call their processor; empty where they differ.
func (e *Engine) chip() string {
	for _, n := range e.nodes {
		if n.chip != e.nodes[0].chip {
			return ""
		}
	}
	if len(e.nodes) == 0 {
		return ""
	}
	return e.nodes[0].chip
}
