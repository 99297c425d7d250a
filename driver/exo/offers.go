package exo

import (
	"context"
	"errors"
	"slices"
	"strings"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/driver/local"
)

// Offers returns the catalogue's models that have an id for exo and, where exo
// answers, the others that it has downloaded or loaded. Only at the address that
// the spec gives must one answer.
func (d Driver) Offers(ctx context.Context, spec exobench.EngineSpec, env driver.Env) ([]driver.Offer, error) {
	e, err := open(ctx, spec, env, Identity{})
	_, usage := errors.AsType[driver.UsageError](err)
	switch {
	case err == nil:
		defer e.Close()
		return offersOf(env.Catalogue, e.stock(ctx)), nil
	case usage || spec.URL != "" || ctx.Err() != nil:
		return nil, err
	}
	// It would run here.
	offers := offersOf(env.Catalogue, stock{free: local.FreeMemory(ctx)})
	for i := range offers {
		offers[i].Why = "exo does not answer"
	}
	return offers, nil
}

// offersOf returns the offers of the exo that has the stock.
func offersOf(models *catalogue.Catalogue, s stock) []driver.Offer {
	var offers []driver.Offer
	for _, m := range models.Models() {
		if len(m.IDs[catalogueKey]) > 0 {
			offers = append(offers, s.offer(m))
		}
	}
	for _, card := range s.own() {
		listed := func(o driver.Offer) bool { return strings.EqualFold(o.ID, card.id) }
		if !slices.ContainsFunc(offers, listed) {
			offers = append(offers, s.complete(driver.Offer{Model: card.name, ID: card.id, Size: card.size}))
		}
	}
	return offers
}

// stock is what an exo has: its cards, and the ids of the models that are
// downloaded and loaded, nil where exo did not tell.
type stock struct {
	cards              []modelCard
	downloaded, loaded []string
	free               exobench.Bytes // on all nodes
	chip               string         // of all nodes; empty where they differ
}

func (e *Engine) stock(ctx context.Context) stock {
	var s stock
	// What exo does not tell is unknown, and no reason to tell nothing.
	s.cards, _ = e.cards(ctx)
	s.downloaded, _ = e.downloaded(ctx)
	s.loaded, _ = e.loaded(ctx)
	for _, n := range e.nodes {
		s.free += n.available
	}
	s.chip = e.chip()
	return s
}

// offer is the model as Resolve would find it.
func (s stock) offer(m catalogue.Model) driver.Offer {
	ids := m.IDs[catalogueKey]
	o := driver.Offer{Model: m.Name, ID: ids[0], Size: driver.Estimate(m), Estimated: true}
	if card, err := findCard(s.cards, m.Name, ids); err == nil {
		o.ID = card.id
		if card.size > 0 {
			o.Size, o.Estimated = card.size, false
		}
	}
	return s.complete(o)
}

// own returns the cards of the models that are downloaded or loaded.
func (s stock) own() []modelCard {
	var cards []modelCard
	for _, id := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(s.downloaded, s.loaded)))) {
		card, known := listed(s.cards, id)
		if !known {
			card = modelCard{id: id, name: shortName(id)}
		}
		if card.writesText() {
			cards = append(cards, card)
		}
	}
	return cards
}

// complete says whether the offer is downloaded, loaded, and would fit.
func (s stock) complete(o driver.Offer) driver.Offer {
	o.Engine = Driver{}.Name()
	o.Downloaded, o.Loaded = holds(s.downloaded, o.ID), holds(s.loaded, o.ID)
	o.Chip = s.chip
	o.Fit(s.free)
	return o
}

// holds reports whether the list has the id; nil where the list is unknown.
func holds(ids []string, id string) *bool {
	if ids == nil {
		return nil
	}
	return new(slices.Contains(ids, id))
}
