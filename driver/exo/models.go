package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"exobench"
)

// Card is what exo knows of a model before anything of it is downloaded.
type Card struct {
	// ID is the full id, such as "mlx-community/Llama-3.2-1B-Instruct-4bit".
	ID string
	// Name is the part of ID after the last slash; two organisations can have
	// the same.
	Name string
	// Size is that of the weights, rounded to a MiB.
	Size           exobench.Bytes
	ContextLength  exobench.Tokens // 0 where exo does not know
	SupportsTensor bool
	Tasks          []string // such as "TextGeneration"
	Family         string
	Quantization   string
	BaseModel      string
	// Custom reports whether the card was added by a user.
	Custom bool
}

// UnmarshalJSON reads an entry of /models.
func (c *Card) UnmarshalJSON(data []byte) error {
	var entry struct {
		ID             string   `json:"id"`
		HuggingFaceID  string   `json:"hugging_face_id"`
		Name           string   `json:"name"`
		MiB            float64  `json:"storage_size_megabytes"`
		ContextLength  int64    `json:"context_length"`
		SupportsTensor bool     `json:"supports_tensor"`
		Tasks          []string `json:"tasks"`
		Family         string   `json:"family"`
		Quantization   string   `json:"quantization"`
		BaseModel      string   `json:"base_model"`
		Custom         bool     `json:"is_custom"`
	}
	if err := json.Unmarshal(data, &entry); err != nil {
		return err
	}
	*c = Card{
		ID:             entry.ID,
		Name:           entry.Name,
		Size:           exobench.Bytes(entry.MiB * (1 << 20)),
		ContextLength:  exobench.Tokens(entry.ContextLength),
		SupportsTensor: entry.SupportsTensor,
		Tasks:          entry.Tasks,
		Family:         entry.Family,
		Quantization:   entry.Quantization,
		BaseModel:      entry.BaseModel,
		Custom:         entry.Custom,
	}
	// The Hugging Face id is what exo wants on the wire; id has been the same.
	if entry.HuggingFaceID != "" {
		c.ID = entry.HuggingFaceID
	}
	if c.Name == "" {
		c.Name = shortName(c.ID)
	}
	return nil
}

// writesText reports whether a chat request makes sense.
func (c Card) writesText() bool {
	return len(c.Tasks) == 0 || slices.Contains(c.Tasks, "TextGeneration")
}

func shortName(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// Models returns the cards that exo lists, whether or not they are downloaded.
func (t *Target) Models(ctx context.Context) ([]Card, error) {
	var list struct {
		Data []Card `json:"data"`
	}
	if err := t.get(ctx, "/models", &list); err != nil {
		return nil, fmt.Errorf("list exo's models: %w", err)
	}
	return list.Data, nil
}

// Downloaded returns the ids of the models whose files are on a node.
func (t *Target) Downloaded(ctx context.Context) ([]string, error) {
	var list struct {
		Data []Card `json:"data"`
	}
	if err := t.get(ctx, "/models?status=downloaded", &list); err != nil {
		return nil, fmt.Errorf("list exo's downloaded models: %w", err)
	}
	ids := make([]string, len(list.Data))
	for i, card := range list.Data {
		ids[i] = card.ID
	}
	return ids, nil
}

// Loaded returns the ids of the models that exo runs an instance of.
func (t *Target) Loaded(ctx context.Context) ([]string, error) {
	var all map[string]json.RawMessage
	if err := t.get(ctx, "/state/instances", &all); err != nil {
		return nil, fmt.Errorf("list exo's instances: %w", err)
	}
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if parsed, err := parseInstance(all[id]); err == nil {
			ids = append(ids, parsed.model)
		}
	}
	return ids, nil
}

// Resolve finds the id that exo knows a model by; nothing is loaded or added.
// A full id ("org/name") is taken as it is where exo does not list it: Prepare
// adds it. A short name is that of a card, or one of the ids in known, the
// catalogue's, best first; where exo lists none of those, the first is taken
// and Prepare adds it. Anything else is an *UnknownModelError.
func (t *Target) Resolve(ctx context.Context, name string, known []string) (exobench.Model, error) {
	cards, err := t.Models(ctx)
	if err != nil {
		return exobench.Model{}, err
	}
	card, err := findCard(cards, name, known)
	if err != nil {
		return exobench.Model{}, err
	}
	if !card.writesText() {
		return exobench.Model{}, fmt.Errorf("model %s writes no text: its tasks are %s", card.ID, strings.Join(card.Tasks, ", "))
	}
	return exobench.Model{Name: card.Name, ID: card.ID}, nil
}

// findCard returns the card meant by name, or one with no more than an id and
// a name for a model that is yet to be added.
func findCard(cards []Card, name string, known []string) (Card, error) {
	if strings.Contains(name, "/") {
		if card, listed := listed(cards, name); listed {
			return card, nil
		}
		return Card{ID: name, Name: shortName(name)}, nil
	}
	var named []Card
	for _, card := range cards {
		if strings.EqualFold(card.Name, name) || strings.EqualFold(card.ID, name) {
			named = append(named, card)
		}
	}
	if len(named) == 1 {
		return named[0], nil
	}
	for _, id := range known {
		if card, listed := listed(cards, id); listed {
			card.Name = name
			return card, nil
		}
	}
	switch {
	case len(named) > 1:
		return Card{}, ambiguous(name, named)
	case len(known) > 0:
		return Card{ID: known[0], Name: name}, nil
	}
	return Card{}, &UnknownModelError{Name: name, Nearest: nearest(name, cards)}
}

// listed finds a card by its full id, whose case Hugging Face ignores.
func listed(cards []Card, id string) (Card, bool) {
	for _, card := range cards {
		if strings.EqualFold(card.ID, id) {
			return card, true
		}
	}
	return Card{}, false
}

func ambiguous(name string, cards []Card) error {
	var ids []string
	for _, card := range cards {
		ids = append(ids, card.ID)
	}
	return fmt.Errorf("model %q is ambiguous: give one of the full ids %s", name, strings.Join(ids, ", "))
}

// addCard has exo make a card for a model that it does not list. exo reads two
// small files of the model, from Hugging Face unless they are there already;
// without a network it takes its five attempts, well over half a minute.
func (t *Target) addCard(ctx context.Context, id string) error {
	body, err := json.Marshal(map[string]string{"model_id": id})
	if err != nil {
		return err
	}
	err = t.call(ctx, t.config.pace.slowCall, http.MethodPost, "/models/add", body, nil)
	var status *StatusError
	if errors.As(err, &status) {
		return fmt.Errorf("exo cannot add it as a custom model: %s", status.Text)
	}
	if err != nil {
		return fmt.Errorf("add it as a custom model: %w", err)
	}
	return nil
}
