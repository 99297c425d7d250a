package exolegacy

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestDialTellsTheGenerationsApart(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers map[string][]string
		want    string
	}{
		{"exo 1.x", map[string][]string{"/node_id": {object(200, `"12D3KooW"`)}}, "is exo 1.x, not 0.0.x"},
		{"another server", map[string][]string{}, "not as exo 0.0.x does"},
		{"another health check", map[string][]string{"/healthcheck": {object(200, `{"status":"starting"}`)}}, "not as exo 0.0.x does"},
		{"a page", map[string][]string{"/healthcheck": {object(200, "<html>")}}, "not as exo 0.0.x does"},
		{"no models", map[string][]string{"/healthcheck": {object(200, `{"status":"ok"}`)}}, "list the models of exo 0.0.x"},
	} {
		d := &double{answers: c.answers}
		if _, err := Dial(t.Context(), config(t, d.start(t), Config{})); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want %q in it", c.name, err, c.want)
		}
	}
	if _, err := Dial(t.Context(), config(t, "http://127.0.0.1:1", Config{})); err == nil || !strings.Contains(err.Error(), "is exo running there?") {
		t.Errorf("nothing listens: error %v", err)
	}
	if _, err := Dial(t.Context(), config(t, "52415", Config{})); err == nil || !strings.Contains(err.Error(), "it must be like http://127.0.0.1:52415") {
		t.Errorf("no URL: error %v", err)
	}
}

func TestTheModelsThatExoCanRunTellItsInferenceEngine(t *testing.T) {
	for _, c := range []struct {
		usable []string
		want   inference
	}{
		{[]string{"dummy"}, dummy},
		{[]string{llama, "llama-3.1-8b"}, tinygrad},
		{[]string{llama, "qwen-2.5-7b", "deepseek-r1"}, mlx},
		{[]string{"something-else"}, unknown},
		{nil, unknown},
	} {
		if got := inferenceOf(c.usable); got != c.want {
			t.Errorf("%v: %v; want %v", c.usable, got, c.want)
		}
	}
	info := dial(t, tinygradNode(), Config{}).Info()
	if info.Name != "exo-legacy" || info.Version != "0.0.x (tinygrad)" || info.Label != "" || info.CacheSwitch || info.IgnoresEOS {
		t.Errorf("info %+v", info)
	}
	d := tinygradNode()
	d.answers["/v1/models"] = []string{object(200, `{"data":[{"id":"dummy"},{"id":"llama-3.2-1b"}]}`)}
	d.answers["/initial_models"] = []string{object(200, `{"dummy":{}}`)}
	if info := dial(t, d, Config{}).Info(); info.Version != "0.0.x (dummy)" || info.Label == "" {
		t.Errorf("info of the dummy engine %+v", info)
	}
	d = tinygradNode()
	delete(d.answers, "/initial_models")
	target := dial(t, d, Config{})
	if info := target.Info(); info.Version != "0.0.x (inference engine unknown)" || len(target.Models()) != 3 {
		t.Errorf("without /initial_models: %+v, models %v", info, target.Models())
	}
}

func TestOnlyListedModelsResolve(t *testing.T) {
	target := dial(t, tinygradNode(), Config{})
	if !slices.Equal(target.Models(), []string{llama, "llama-3.2-1b-8bit"}) {
		t.Errorf("models %v", target.Models())
	}
	for _, c := range []struct {
		name  string
		known []string
		want  string
	}{{llama, nil, llama}, {"LLAMA-3.2-1B", nil, llama}, {"small", []string{"nope", llama}, llama}} {
		if m, err := target.Resolve(c.name, c.known); err != nil || m.ID != c.want || m.Name != c.name {
			t.Errorf("%s: %+v, error %v; want %s", c.name, m, err, c.want)
		}
	}
	for _, c := range []struct{ name, want string }{
		{"mistral-7b", "would answer with its default model"},
		{"qwen-2.5-7b", "cannot run it with its inference engine (tinygrad)"},
		{"gpt-4o", "would answer with its default model"},
	} {
		if _, err := target.Resolve(c.name, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want %q in it", c.name, err, c.want)
		}
	}
}

func model(id string) exobench.Model { return exobench.Model{Name: "m", ID: id} }

func do(t *testing.T, answer string) (exobench.Record, *double) {
	t.Helper()
	d := tinygradNode()
	d.answers[chatURL] = []string{answer}
	target := dial(t, d, Config{Timeout: 10 * time.Second})
	return target.Do(t.Context(), exobench.Deployment{Model: model(llama)}, exobench.Request{
		Prompt: exobench.Prompt{Text: "Why?"}, MaxTokens: 50, Seed: 3, IgnoreEOS: true,
	}), d
}

func TestOutcomesOfAChat(t *testing.T) {
	timedOut := "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 31\r\n\r\n1f\r\n" + `{"detail": "Request timed out"}` + "\r\n0\r\n\r\n"
	for _, c := range []struct {
		name, answer string
		want         exobench.Outcome
		text         string
	}{
		{"no [DONE] and no usage, ended by the model", stream(said(llama, "a", ""), said(llama, "b", "stop")), exobench.OK, ""},
		{"ended by --max-generate-tokens", stream(said(llama, "a", ""), said(llama, "b", "length")), exobench.OK, ""},
		{"an end without a finish reason", stream(said(llama, "a", "")), exobench.Truncated, "without a finish reason"},
		{"the answer of the default model", stream(said("llama-3.1-8b", "a", ""), said("llama-3.1-8b", "b", "stop")), exobench.Malformed, "answered with llama-3.1-8b, its default model, in place of llama-3.2-1b"},
		{"a model without weights for the engine", object(400, `{"detail": "Unsupported model: llama-3.2-1b with inference engine DummyInferenceEngine. Supported models for this engine: ['dummy']"}`), exobench.HTTPError, "HTTP 400: Unsupported model"},
		{"a time-out before the first token", object(408, `{"detail": "Response generation timed out"}`), exobench.HTTPError, "HTTP 408: Response generation timed out"},
		{"an error in the prompt", object(500, `{"detail": "Error processing prompt (see logs with DEBUG>=2): boom"}`), exobench.HTTPError, "boom"},
		// Seen on v0.0.15-alpha: a second answer in the middle of the first.
		{"a time-out in mid-answer", open(said(llama, "a", "")) + timedOut, exobench.Truncated, "breaks an answer off"},
	} {
		r, _ := do(t, c.answer)
		if r.Outcome != c.want || !strings.Contains(r.Error, c.text) {
			t.Errorf("%s: outcome %s, error %q; want %s and %q", c.name, r.Outcome, r.Error, c.want, c.text)
		}
	}
}

func TestMessageAndDeltaCountOnce(t *testing.T) {
	r, _ := do(t, stream(said(llama, "four", ""), said(llama, "six six", "stop")))
	if len(r.Chunks) != 2 || r.Chunks[0].Bytes != 4 || r.Chunks[1].Bytes != 7 {
		t.Errorf("chunks %v", r.Chunks)
	}
}

func TestTokensAreCountedFromEvents(t *testing.T) {
	// An event may hold several tokens, and nothing tells: the count says where
	// it comes from, and nothing is known of the prompt.
	r, _ := do(t, stream(said(llama, "two tokens", ""), said(llama, " one", "stop")))
	if *r.OutputTokens != 2 || r.TokensFrom != exobench.FromEvents || r.PromptTokens != nil || r.Server != nil {
		t.Errorf("%d tokens from %s, prompt %v, server %v", *r.OutputTokens, r.TokensFrom, r.PromptTokens, r.Server)
	}
}

func TestAChatSaysOnlyWhatExoReads(t *testing.T) {
	_, d := do(t, stream(said(llama, "a", "stop")))
	want := `{"model":"llama-3.2-1b","messages":[{"role":"user","content":"Why?"}],"stream":true}`
	if sent := d.asked(); len(sent) != 1 || sent[0] != want {
		t.Errorf("sent %v; want %s", sent, want)
	}
}

func TestHeadersComeAfterThePrefill(t *testing.T) {
	d := tinygradNode()
	d.wait[chatURL] = 60 * time.Millisecond
	r := dial(t, d, Config{}).Do(t.Context(), exobench.Deployment{Model: model(llama)}, exobench.Request{})
	if r.Outcome != exobench.OK || r.Headers.Sub(r.Sent) < 60*time.Millisecond || r.FirstToken.Sub(r.Sent) < 60*time.Millisecond {
		t.Errorf("outcome %s, headers after %v, first token after %v", r.Outcome, r.Headers.Sub(r.Sent), r.FirstToken.Sub(r.Sent))
	}
}

// TestARealLegacyExo measures a model of a real server: set
// EXOBENCH_EXO_LEGACY_URL, and EXOBENCH_EXO_LEGACY_MODEL to other than dummy.
func TestARealLegacyExo(t *testing.T) {
	url, name := os.Getenv("EXOBENCH_EXO_LEGACY_URL"), os.Getenv("EXOBENCH_EXO_LEGACY_MODEL")
	if url == "" {
		t.Skip("no server is named by EXOBENCH_EXO_LEGACY_URL")
	}
	if name == "" {
		name = "dummy"
	}
	target, err := Dial(t.Context(), config(t, url, Config{PollInterval: time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	m, err := target.Resolve(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	var seen events
	deployment, err := target.Prepare(t.Context(), m, seen.add)
	if err != nil {
		t.Fatal(err)
	}
	r := target.Do(t.Context(), deployment, exobench.Request{Prompt: exobench.Prompt{Text: "Why?"}})
	if r.Outcome != exobench.OK || r.ServerModel != m.ID {
		t.Errorf("record %+v", r)
	}
	if r := target.chat(t.Context(), "no-such-model", "Why?", call()); r.Outcome != exobench.Malformed {
		t.Errorf("an unknown model: outcome %s, error %q", r.Outcome, r.Error)
	}
	if err := target.Release(t.Context(), deployment, seen.add); err != nil {
		t.Error(err)
	}
	t.Logf("%+v", target.Info())
	for _, e := range seen {
		t.Logf("%-9s %.4f s %s", e.Stage, e.At.Seconds(), e.Detail)
	}
	t.Logf("%d chunks, %s", len(r.Chunks), r.FinishReason)
}
