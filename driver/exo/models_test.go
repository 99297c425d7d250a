package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
)

func TestResolveFindsTheIdThatExoKnows(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.cards = []string{
		card("mlx-community/Llama-3.2-1B-Instruct-4bit"), card("mlx-community/Llama-3.2-3B-Instruct-4bit"),
		card("mlx-community/Kimi-K2"), card("moonshotai/Kimi-K2"),
		strings.Replace(card("exolabs/FLUX.1-dev"), "TextGeneration", "TextToImage", 1),
	}
	one := "mlx-community/Llama-3.2-1B-Instruct-4bit"
	for _, row := range []struct {
		claim  string
		name   string
		known  []string // the ids that the catalogue has for the name
		want   exobench.Model
		errors string
	}{
		{claim: "a listed id", name: "moonshotai/Kimi-K2", want: exobench.Model{Name: "Kimi-K2", ID: "moonshotai/Kimi-K2"}},
		{claim: "a listed id in another case", name: "MoonshotAI/kimi-k2", want: exobench.Model{Name: "Kimi-K2", ID: "moonshotai/Kimi-K2"}},
		{claim: "a listed id that the catalogue has", name: one, want: exobench.Model{Name: "llama-3.2-1b", ID: one}},
		{claim: "an id to be added", name: "org/new-7b", want: exobench.Model{Name: "new-7b", ID: "org/new-7b"}},
		{claim: "a card's name in another case", name: "llama-3.2-1b-instruct-4bit", want: exobench.Model{Name: "Llama-3.2-1B-Instruct-4bit", ID: one}},
		{claim: "a card's name before the catalogue's ids", name: "llama-3.2-1b-instruct-4bit", known: []string{"org/x"}, want: exobench.Model{Name: "llama-3.2-1b-instruct-4bit", ID: one}},
		{claim: "the best catalogue id that exo lists", name: "Tiny", known: []string{"org/better", one}, want: exobench.Model{Name: "Tiny", ID: one}},
		{claim: "the best catalogue id where exo lists none", name: "mistral-x", known: []string{"org/best", "org/next"}, want: exobench.Model{Name: "mistral-x", ID: "org/best"}},
		{claim: "a name of the catalogue in another case", name: "LLAMA-3.2-1B", want: exobench.Model{Name: "llama-3.2-1b", ID: one}},
		{claim: "a name of two organisations", name: "kimi-k2", errors: "mlx-community/Kimi-K2, moonshotai/Kimi-K2"},
		{claim: "a name of two organisations that the catalogue decides", name: "kimi-k2", known: []string{"moonshotai/Kimi-K2"}, want: exobench.Model{Name: "kimi-k2", ID: "moonshotai/Kimi-K2"}},
		{claim: "a model that makes pictures", name: "flux.1-dev", errors: "writes no text"},
		{claim: "a name of the catalogue, mistyped", name: "lama-3.2-1b", errors: `model "lama-3.2-1b" is not known: did you mean llama-3.2-1b`},
		{claim: "a name of exo's, mistyped", name: "kimmi-k3", errors: "did you mean Kimi-K2?"},
		{claim: "a name like nothing", name: "completely-different-thing", errors: "the catalogue has llama-3.1-8b"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			config := d.quick()
			if row.known != nil {
				config.env.Catalogue = catalogueWith(t, row.name, row.known)
			}
			got, err := d.dial(config).Resolve(t.Context(), row.name)
			if row.errors != "" {
				wantError(t, err, row.errors)
				if _, usage := errors.AsType[driver.UsageError](err); !usage {
					t.Errorf("%v is no UsageError", err)
				}
			} else if err != nil || got != row.want {
				t.Errorf("Resolve(%q) = %+v, %v; want %+v", row.name, got, err, row.want)
			}
		})
	}
	if changes := d.changes(); len(changes) > 0 {
		t.Errorf("Resolve changed something: %v", changes)
	}
}

// catalogueWith is the built-in catalogue and one model more.
func catalogueWith(t *testing.T, name string, ids []string) *catalogue.Catalogue {
	t.Helper()
	path := filepath.Join(t.TempDir(), "models.yaml")
	text := fmt.Sprintf("- name: %s\n  ids: {exo: [%s]}\n", name, strings.Join(ids, ", "))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	models, err := catalogue.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return models
}

func TestAnUnknownModelNamesItsNeighboursOnly(t *testing.T) {
	t.Parallel()
	cards := []modelCard{{name: "Qwen3-0.6B-4bit"}, {name: "Llama-3.2-3B-Instruct-4bit"}, {name: "Llama-3.2-1B-Instruct-4bit"}, {name: "Llama-3.2-1B-Instruct-4bit"}}
	_, err := findCard(cards, "lama-3.2-1b", nil)
	var unknown *unknownError
	if !errors.As(err, &unknown) {
		t.Fatalf("error %v is no *unknownError", err)
	}
	if want := []string{"Llama-3.2-1B-Instruct-4bit", "Llama-3.2-3B-Instruct-4bit"}; !slices.Equal(unknown.nearest, want) {
		t.Errorf("nearest %v, want %v", unknown.nearest, want)
	}
}

func TestModelsReadsTheCards(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	cards, err := d.dial(d.quick()).cards(context.Background())
	if err != nil || len(cards) != 1 {
		t.Fatalf("cards %v, %v", cards, err)
	}
	got := cards[0]
	if got.id != tinyID || got.name != "Tiny-1B-4bit" || got.size != 696<<20 || !got.writesText() {
		t.Errorf("card %+v", got)
	}
}

func TestChatBodySaysExactlyWhatExoReads(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	engine := d.dial(d.quick())
	request := exobench.Request{Prompt: exobench.Prompt{Text: "a <b>\n\"c\""}, MaxTokens: 64, Seed: 7, Temperature: 0.5, IgnoreEOS: true}
	want := `{"model":"mlx-community/Tiny-1B-4bit","messages":[{"role":"user","content":"a <b>\n\"c\""}],"stream":true,"max_tokens":64,"temperature":0.5,"seed":7}`
	if got := string(chatBody(tiny, request)); got != want {
		t.Errorf("body\n%s\nwant\n%s", got, want)
	}
	if got := engine.chatURL(request); got != d.server.URL+"/bench/chat/completions" {
		t.Errorf("URL %s", got)
	}
	request.WarmCache, request.IgnoreEOS = true, false
	var body map[string]any
	if err := json.Unmarshal(chatBody(tiny, request), &body); err != nil || body["use_prefix_cache"] != true {
		t.Errorf("warm body %v, %v", body, err)
	}
	if got := engine.chatURL(request); got != d.server.URL+"/v1/chat/completions" {
		t.Errorf("URL %s", got)
	}
}
