package exo

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"exobench"
)

func TestResolveFindsTheIdThatExoKnows(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.cards = []string{
		card("mlx-community/Llama-3.2-1B-Instruct-4bit"), card("mlx-community/Llama-3.2-3B-Instruct-4bit"),
		card("mlx-community/Kimi-K2"), card("moonshotai/Kimi-K2"),
		strings.Replace(card("exolabs/FLUX.1-dev"), "TextGeneration", "TextToImage", 1),
	}
	target := d.dial(d.quick())
	one := "mlx-community/Llama-3.2-1B-Instruct-4bit"
	for _, row := range []struct {
		claim  string
		name   string
		known  []string
		want   exobench.Model
		errors string
	}{
		{claim: "a listed id", name: one, want: exobench.Model{Name: "Llama-3.2-1B-Instruct-4bit", ID: one}},
		{claim: "a listed id in another case", name: strings.ToLower(one), want: exobench.Model{Name: "Llama-3.2-1B-Instruct-4bit", ID: one}},
		{claim: "an id to be added", name: "org/new-7b", want: exobench.Model{Name: "new-7b", ID: "org/new-7b"}},
		{claim: "a card's name in another case", name: "llama-3.2-1b-instruct-4bit", known: []string{"org/x"}, want: exobench.Model{Name: "Llama-3.2-1B-Instruct-4bit", ID: one}},
		{claim: "the best catalogue id that exo lists", name: "llama-3.2-1b", known: []string{"org/better", one}, want: exobench.Model{Name: "llama-3.2-1b", ID: one}},
		{claim: "the best catalogue id where exo lists none", name: "mistral-7b", known: []string{"org/best", "org/next"}, want: exobench.Model{Name: "mistral-7b", ID: "org/best"}},
		{claim: "a name of two organisations", name: "kimi-k2", errors: "mlx-community/Kimi-K2, moonshotai/Kimi-K2"},
		{claim: "a name of two organisations that the catalogue decides", name: "kimi-k2", known: []string{"moonshotai/Kimi-K2"}, want: exobench.Model{Name: "kimi-k2", ID: "moonshotai/Kimi-K2"}},
		{claim: "a model that makes pictures", name: "flux.1-dev", errors: "writes no text"},
		{claim: "a name that nobody knows", name: "lama-3.2-1b", errors: `knows no model "lama-3.2-1b" (near it: Llama-3.2-1B-Instruct-4bit`},
	} {
		t.Run(row.claim, func(t *testing.T) {
			got, err := target.Resolve(context.Background(), row.name, row.known)
			if row.errors != "" {
				wantError(t, err, row.errors)
			} else if err != nil || got != row.want {
				t.Errorf("Resolve(%q, %v) = %+v, %v; want %+v", row.name, row.known, got, err, row.want)
			}
		})
	}
	if changes := d.changes(); len(changes) > 0 {
		t.Errorf("Resolve changed something: %v", changes)
	}
}

func TestAnUnknownModelNamesItsNeighboursOnly(t *testing.T) {
	t.Parallel()
	cards := []Card{{Name: "Qwen3-0.6B-4bit"}, {Name: "Llama-3.2-3B-Instruct-4bit"}, {Name: "Llama-3.2-1B-Instruct-4bit"}, {Name: "Llama-3.2-1B-Instruct-4bit"}}
	_, err := findCard(cards, "lama-3.2-1b", nil)
	var unknown *UnknownModelError
	if !errors.As(err, &unknown) {
		t.Fatalf("error %v is no *UnknownModelError", err)
	}
	if want := []string{"Llama-3.2-1B-Instruct-4bit", "Llama-3.2-3B-Instruct-4bit"}; !slices.Equal(unknown.Nearest, want) {
		t.Errorf("nearest %v, want %v", unknown.Nearest, want)
	}
}

func TestModelsReadsTheCards(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	cards, err := d.dial(d.quick()).Models(context.Background())
	if err != nil || len(cards) != 1 {
		t.Fatalf("cards %v, %v", cards, err)
	}
	got := cards[0]
	if got.ID != tinyID || got.Name != "Tiny-1B-4bit" || got.Size != 696<<20 || !got.SupportsTensor || got.Custom {
		t.Errorf("card %+v", got)
	}
}

func TestChatBodySaysExactlyWhatExoReads(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	target := d.dial(d.quick())
	request := exobench.Request{Prompt: exobench.Prompt{Text: "a <b>\n\"c\""}, MaxTokens: 64, Seed: 7, IgnoreEOS: true}
	want := `{"model":"mlx-community/Tiny-1B-4bit","messages":[{"role":"user","content":"a <b>\n\"c\""}],"stream":true,"max_tokens":64,"temperature":0,"seed":7}`
	if got := string(target.ChatBody(tiny, request)); got != want {
		t.Errorf("body\n%s\nwant\n%s", got, want)
	}
	if got := target.ChatURL(request); got != d.server.URL+"/bench/chat/completions" {
		t.Errorf("URL %s", got)
	}
	request.WarmCache, request.IgnoreEOS = true, false
	var body map[string]any
	if err := json.Unmarshal(target.ChatBody(tiny, request), &body); err != nil || body["use_prefix_cache"] != true {
		t.Errorf("warm body %v, %v", body, err)
	}
	if got := target.ChatURL(request); got != d.server.URL+"/v1/chat/completions" {
		t.Errorf("URL %s", got)
	}
}
