package exolegacy

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/drivertest"
)

func TestTheDriverKeepsToTheContract(t *testing.T) {
	drivertest.Driver(t, Driver{})
	spec := exobench.EngineSpec{Name: "exo-legacy", Variant: "b", URL: tinygradNode().start(t)}
	e, err := Driver{}.Open(t.Context(), spec, drivertest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	drivertest.Engine(t, Driver{}, spec, e)
}

func openAt(t *testing.T, url string) (driver.Engine, error) {
	return Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "exo-legacy", URL: url}, drivertest.Env(t))
}

func TestOpenTellsTheGenerationsApart(t *testing.T) {
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
		if _, err := openAt(t, d.start(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want %q in it", c.name, err, c.want)
		}
	}
	if _, err := openAt(t, "http://127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "is exo running there?") {
		t.Errorf("nothing listens: error %v", err)
	}
	if _, err := openAt(t, "52415"); err == nil || !strings.Contains(err.Error(), "it must be like http://") {
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
	info := reach(t, tinygradNode(), pace{}).Info()
	if info.Name != "exo-legacy" || info.Version != "0.0.x (tinygrad)" || info.Label != "" || info.CacheSwitch || info.IgnoresEOS {
		t.Errorf("info %+v", info)
	}
	d := tinygradNode()
	d.answers["/v1/models"] = []string{object(200, `{"data":[{"id":"dummy"},{"id":"llama-3.2-1b"}]}`)}
	d.answers["/initial_models"] = []string{object(200, `{"dummy":{}}`)}
	if info := reach(t, d, pace{}).Info(); info.Version != "0.0.x (dummy)" || info.Label == "" {
		t.Errorf("info of the dummy engine %+v", info)
	}
	d = tinygradNode()
	delete(d.answers, "/initial_models")
	engine := reach(t, d, pace{})
	if info := engine.Info(); info.Version != "0.0.x (inference engine unknown)" || len(engine.usable) != 3 {
		t.Errorf("without /initial_models: %+v, models %v", info, engine.usable)
	}
}

func TestOnlyListedModelsResolve(t *testing.T) {
	engine := reach(t, tinygradNode(), pace{})
	if !slices.Equal(engine.usable, []string{llama, "llama-3.2-1b-8bit"}) {
		t.Errorf("models %v", engine.usable)
	}
	for asked, want := range map[string]exobench.Model{
		llama:               {Name: llama, ID: llama},
		"LLAMA-3.2-1B-8BIT": {Name: "LLAMA-3.2-1B-8BIT", ID: "llama-3.2-1b-8bit"},
		"Llama-3.2-1B":      {Name: llama, ID: llama}, // the catalogue's name
	} {
		if m, err := engine.Resolve(t.Context(), asked); err != nil || m != want {
			t.Errorf("%s: %+v, error %v; want %+v", asked, m, err, want)
		}
	}
	for _, c := range []struct{ name, want string }{
		{"mistral-7b", "would answer with its default model"},
		{"qwen-2.5-7b", "cannot run it with its inference engine (tinygrad)"},
		{"gpt-4o", "would answer with its default model"},
	} {
		_, err := engine.Resolve(t.Context(), c.name)
		if _, usage := errors.AsType[driver.UsageError](err); !usage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want a UsageError with %q in it", c.name, err, c.want)
		}
	}
}

func TestOffersAreWhatItCanRun(t *testing.T) {
	spec := exobench.EngineSpec{Name: "exo-legacy", URL: tinygradNode().start(t)}
	offers, err := Driver{}.Offers(t.Context(), spec, drivertest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, o := range offers {
		ids = append(ids, o.ID)
		if o.Downloaded != nil || o.Loaded != nil || o.Fits != nil || o.Why != "unknown" || o.Estimated != (o.Size > 0) {
			t.Errorf("%+v: it does not tell what is downloaded or loaded", o)
		}
	}
	if !slices.Equal(ids, []string{llama, "llama-3.2-1b-8bit"}) {
		t.Errorf("offers %v", ids)
	}
}

func TestFindTellsTheInferenceEngine(t *testing.T) {
	found := Driver{}.Find(t.Context(), tinygradNode().start(t), drivertest.Env(t))
	if len(found) != 1 || found[0].Version != "0.0.x (tinygrad)" || found[0].Models != 2 {
		t.Errorf("found %+v", found)
	}
}

func model(id string) exobench.Model { return exobench.Model{Name: "m", ID: id} }

func do(t *testing.T, answer string) (exobench.Record, *double) {
	t.Helper()
	d := tinygradNode()
	d.answers[chatURL] = []string{answer}
	engine := reach(t, d, pace{})
	engine.env.Plan.Timeout = exobench.Duration(10 * time.Second)
	return engine.Do(t.Context(), exobench.Deployment{Model: model(llama)}, exobench.Request{
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
	r := reach(t, d, pace{}).Do(t.Context(), exobench.Deployment{Model: model(llama)}, exobench.Request{})
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
	engine, err := dial(t.Context(), exobench.EngineSpec{Name: "exo-legacy", URL: url}, drivertest.Env(t), usualPace)
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Resolve(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var seen events
	deployment, err := engine.Prepare(t.Context(), m, "", seen.add)
	if err != nil {
		t.Fatal(err)
	}
	r := engine.Do(t.Context(), deployment, exobench.Request{Prompt: exobench.Prompt{Text: "Why?"}})
	if r.Outcome != exobench.OK || r.ServerModel != m.ID {
		t.Errorf("record %+v", r)
	}
	if r := engine.chat(t.Context(), "no-such-model", "Why?", call()); r.Outcome != exobench.Malformed {
		t.Errorf("an unknown model: outcome %s, error %q", r.Outcome, r.Error)
	}
	if err := engine.Release(t.Context(), deployment, seen.add); err != nil {
		t.Error(err)
	}
	t.Logf("%+v", engine.Info())
	for _, e := range seen {
		t.Logf("%-9s %.4f s %s", e.Stage, e.At.Seconds(), e.Detail)
	}
	t.Logf("%d chunks, %s", len(r.Chunks), r.FinishReason)
}

func TestThatATemperatureIsNotSentIsTold(t *testing.T) {
	engine := reach(t, tinygradNode(), pace{})
	if notices := strings.Join(engine.Notices(), "|"); strings.Contains(notices, "temperature") {
		t.Errorf("of the usual one: %q", notices)
	}
	engine.env.Plan.Workload.Temperature = 0.5
	if notices := strings.Join(engine.Notices(), "|"); !strings.Contains(notices, "--temperature 0.5 is not sent") {
		t.Errorf("notices %q", notices)
	}
}
