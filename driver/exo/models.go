package exo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/nearest"
)

// modelCard is what exo knows of a model before anything of it is downloaded.
type modelCard struct {
	// id is the full id, such as "mlx-community/Llama-3.2-1B-Instruct-4bit".
	id string
	// name is the part of id after the last slash; two organisations can have
	// the same.
	name string
	// size is that of the weights, rounded to a MiB; 0 where exo does not know.
	size  exobench.Bytes
	tasks []string // such as "TextGeneration"
}

// UnmarshalJSON reads an entry of /models.
func (c *modelCard) UnmarshalJSON(data []byte) error {
	var entry struct {
		ID            string   `json:"id"`
		HuggingFaceID string   `json:"hugging_face_id"`
		Name          string   `json:"name"`
		MiB           float64  `json:"storage_size_megabytes"`
		Tasks         []string `json:"tasks"`
	}
	if err := json.Unmarshal(data, &entry); err != nil {
		return err
	}
	// The Hugging Face id is what exo wants on the wire; id has been the same.
	id := cmp.Or(entry.HuggingFaceID, entry.ID)
	*c = modelCard{
		id: id, name: cmp.Or(entry.Name, shortName(id)),
		size: exobench.Bytes(entry.MiB * (1 << 20)), tasks: entry.Tasks,
	}
	return nil
}

// writesText reports whether a chat request makes sense.
func (c modelCard) writesText() bool {
	return len(c.tasks) == 0 || slices.Contains(c.tasks, "TextGeneration")
}

func shortName(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// cards returns the cards that exo lists, whether or not they are downloaded.
func (e *Engine) cards(ctx context.Context) ([]modelCard, error) {
	var list struct {
		Data []modelCard `json:"data"`
	}
	if err := e.api.Get(ctx, "/models", &list); err != nil {
		return nil, fmt.Errorf("list exo's models: %w", err)
	}
	return list.Data, nil
}

// downloaded returns the ids of the models whose files are on a node.
func (e *Engine) downloaded(ctx context.Context) ([]string, error) {
	var list struct {
		Data []modelCard `json:"data"`
	}
	if err := e.api.Get(ctx, "/models?status=downloaded", &list); err != nil {
		return nil, fmt.Errorf("list exo's downloaded models: %w", err)
	}
	ids := make([]string, len(list.Data))
	for i, card := range list.Data {
		ids[i] = card.id
	}
	return ids, nil
}

// loaded returns the ids of the models that exo runs an instance of.
func (e *Engine) loaded(ctx context.Context) ([]string, error) {
	var all map[string]json.RawMessage
	if err := e.api.Get(ctx, "/state/instances", &all); err != nil {
		return nil, fmt.Errorf("list exo's instances: %w", err)
	}
	ids := []string{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if parsed, err := parseInstance(all[id]); err == nil {
			ids = append(ids, parsed.model)
		}
	}
	return ids, nil
}

// Resolve finds the id that exo knows a model by; nothing is loaded or added.
// A full id ("org/name") is taken as it is where exo does not list it: Prepare
// adds it. A short name is that of a card, or of the catalogue, whose ids for
// exo are tried in their order; where exo lists none of those, the first is
// taken and Prepare adds it. Anything else is a UsageError.
func (e *Engine) Resolve(ctx context.Context, name string) (exobench.Model, error) {
	cards, err := e.cards(ctx)
	if err != nil {
		return exobench.Model{}, err
	}
	known, inCatalogue := e.config.env.FindModel(name)
	card, err := findCard(cards, name, known.IDs[catalogueKey])
	var unknown *unknownError
	switch {
	case errors.As(err, &unknown):
		return exobench.Model{}, e.config.env.UnknownModel(name, unknown.nearest...)
	case err != nil:
		return exobench.Model{}, driver.UsageError{Err: err}
	case !card.writesText():
		return exobench.Model{}, driver.UsageError{Err: fmt.Errorf("model %s writes no text: its tasks are %s", card.id, strings.Join(card.tasks, ", "))}
	}
	if inCatalogue {
		card.name = known.Name
	}
	return exobench.Model{Name: card.name, ID: card.id}, nil
}

// catalogueKey is under what the catalogue has exo's ids.
const catalogueKey = "exo"

// findCard returns the card meant by name, or one with no more than an id and
// a name for a model that is yet to be added.
func findCard(cards []modelCard, name string, known []string) (modelCard, error) {
	if strings.Contains(name, "/") {
		if card, listed := listed(cards, name); listed {
			return card, nil
		}
		return modelCard{id: name, name: shortName(name)}, nil
	}
	var named []modelCard
	for _, card := range cards {
		if strings.EqualFold(card.name, name) || strings.EqualFold(card.id, name) {
			named = append(named, card)
		}
	}
	if len(named) == 1 {
		return named[0], nil
	}
	for _, id := range known {
		if card, listed := listed(cards, id); listed {
			card.name = name
			return card, nil
		}
	}
	switch {
	case len(named) > 1:
		return modelCard{}, ambiguous(name, named)
	case len(known) > 0:
		return modelCard{id: known[0], name: name}, nil
	}
	return modelCard{}, &unknownError{name, nearest.Names(name, cardNames(cards))}
}

// listed finds a card by its full id, whose case Hugging Face ignores.
func listed(cards []modelCard, id string) (modelCard, bool) {
	for _, card := range cards {
		if strings.EqualFold(card.id, id) {
			return card, true
		}
	}
	return modelCard{}, false
}

func ambiguous(name string, cards []modelCard) error {
	var ids []string
	for _, card := range cards {
		ids = append(ids, card.id)
	}
	return fmt.Errorf("model %q is ambiguous: give one of the full ids %s", name, strings.Join(ids, ", "))
}

// addCard has exo make a card for a model that it does not list. exo reads two
// small files of the model, from Hugging Face unless they are there already;
// without a network it takes its five attempts, well over half a minute.
func (e *Engine) addCard(ctx context.Context, id string) error {
	err := e.api.Within(e.config.pace.slowCall).Call(ctx, http.MethodPost, "/models/add", map[string]string{"model_id": id}, nil)
	var status *api.StatusError
	if errors.As(err, &status) {
		return fmt.Errorf("exo cannot add it as a custom model: %s", status.Text)
	}
	if err != nil {
		return fmt.Errorf("add it as a custom model: %w", err)
	}
	return nil
}

// unknownError is about a name that is neither exo's nor the catalogue's.
type unknownError struct {
	name string
	// nearest are the names that exo lists and that look most like it, best
	// first; few, or none.
	nearest []string
}

func (e *unknownError) Error() string { return fmt.Sprintf("exo knows no model %q", e.name) }

func cardNames(cards []modelCard) []string {
	names := make([]string, len(cards))
	for i, card := range cards {
		names[i] = card.name
	}
	return names
}
