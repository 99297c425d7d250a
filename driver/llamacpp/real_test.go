//go:build unix

package llamacpp

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/gguf"
)

// realServer returns a real llama-server and a small model of random weights
// for it. Where there is none, the test is skipped.
func realServer(t *testing.T) (program, model string) {
	t.Helper()
	program, err := FindProgram("")
	if err != nil {
		t.Skipf("no real llama.cpp to test with (%v); .ci/install-llama puts one in place", err)
	}
	model = filepath.Join(t.TempDir(), "real.gguf")
	f, err := os.Create(model)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shape := gguf.Shape{Layers: 4, Hidden: 256, Heads: 4, KVHeads: 2, FFN: 768, Vocab: 1000, Context: 4096, RopeBase: 10000}
	if err := gguf.Write(t.Context(), f, shape, gguf.Options{Name: "Real", Quant: "q8_0"}); err != nil {
		t.Fatal(err)
	}
	return program, model
}

// startReal prepares a real server with one thread, to be kind to the tests
// beside it.
func startReal(t *testing.T, c Config) (*Target, exobench.Deployment) {
	t.Helper()
	c.ServerPath, c.ModelPath = realServer(t)
	c.Args = []string{"-t", "1"}
	target := dial(t, c)
	m, err := target.Resolve("real", nil)
	if err != nil {
		t.Fatal(err)
	}
	before := target.Info().Version
	d, err := target.Prepare(t.Context(), m, new(events).report)
	if err != nil {
		t.Fatal(err)
	}
	if after := target.Info().Version; before != after || after == "" {
		t.Errorf("got version %q from the program and %q from the server, want the same", before, after)
	}
	return target, d
}

// release takes the server away, and returns what was unusual about that.
func release(t *testing.T, target *Target, d exobench.Deployment) string {
	t.Helper()
	var got events
	if err := target.Release(t.Context(), d, got.report); err != nil {
		t.Error(err)
	}
	waitGone(t, target.Info().URL)
	return got.last().Detail
}

func text(seed string) string {
	return strings.Repeat(seed+" explains at some length what artificial intelligence is, and why. ", 8)
}

func TestRealServerWritesExactlyWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	target, d := startReal(t, Config{Slots: 2})
	server := target.Server()
	if server.Slots != 2 || server.Context != DefaultContext || server.Parameters == 0 || !strings.EqualFold(server.Quantisation, "q8_0") {
		t.Errorf("got %+v", server)
	}
	other := dial(t, Config{URL: target.Info().URL, Slots: 2})
	if got := other.Server(); got.Version != server.Version || got.Slots != 2 {
		t.Errorf("attached: got %+v, want %+v", got, server)
	}
	if _, err := other.Resolve("real", nil); err != nil {
		t.Error(err)
	}
	records := make(chan exobench.Record)
	for i, via := range []*Target{target, target, other} {
		go func() { records <- via.Do(t.Context(), d, ask(text(fmt.Sprint(i)), 40)) }()
	}
	for range 3 {
		r := <-records
		if r.Outcome != exobench.OK || r.OutputTokens == nil || *r.OutputTokens != 40 || r.TokensFrom != exobench.FromUsage ||
			r.FinishReason != "length" || r.CachedTokens == nil || *r.CachedTokens != 0 || r.Server == nil {
			t.Errorf("got %+v", r)
		}
	}
	long := target.Do(t.Context(), d, ask(strings.Repeat(text("long"), 40), 4))
	if long.Outcome != exobench.HTTPError || long.HTTPStatus != 400 || !strings.Contains(long.Error, "context size") {
		t.Errorf("a prompt too long: got %s %q", long.Outcome, long.Error)
	}
	if detail := release(t, target, d); detail != "" {
		t.Errorf("an idle server: %s", detail)
	}
}

// The server times from its first token to its last, as the client does.
func TestRealServersRateAgreesWithTheClients(t *testing.T) {
	t.Parallel()
	target, d := startReal(t, Config{})
	var ratios []float64
	for range 7 {
		r := target.Do(t.Context(), d, ask(text("rate"), 300))
		if r.Outcome != exobench.OK || r.Server == nil || r.Server.DecodeTPS == nil {
			t.Fatalf("got %+v", r)
		}
		client := 299 / r.LastToken.Sub(r.FirstToken).Seconds()
		ratios = append(ratios, client / *r.Server.DecodeTPS)
	}
	slices.Sort(ratios)
	t.Logf("client's tokens per second by the server's: %.4v", ratios)
	if middle := ratios[len(ratios)/2]; math.Abs(middle-1) > 0.1 {
		t.Errorf("got ratios %.3v, want 1 in the middle", ratios)
	}
}

func TestRealServerForgetsColdPrompts(t *testing.T) {
	t.Parallel()
	target, d := startReal(t, Config{})
	cached := func(prompt string, warm bool) float64 {
		t.Helper()
		r := ask(text(prompt), 2)
		r.WarmCache = warm
		got := target.Do(t.Context(), d, r)
		if got.Outcome != exobench.OK || got.CachedTokens == nil || got.PromptTokens == nil {
			t.Fatalf("got %+v", got)
		}
		return float64(*got.CachedTokens) / float64(*got.PromptTokens)
	}
	for range 2 {
		if share := cached("one", false); share != 0 {
			t.Errorf("cold: %.0f %% of the prompt was cached, want none", 100*share)
		}
	}
	if share := cached("one", true); share < 0.9 {
		t.Errorf("warm: %.0f %% of the prompt was cached, want nearly all", 100*share)
	}
	cached("two", false)
	if share := cached("one", true); share > 0.2 {
		t.Errorf("after another prompt %.0f %% of the first was cached: the server keeps prompts in main memory", 100*share)
	}
}

func TestRealServerIsGoneInSpiteOfARequest(t *testing.T) {
	t.Parallel()
	target, d := startReal(t, Config{Context: 4096})
	// Somebody else's request, which Release cannot cancel.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		body := `{"messages":[{"role":"user","content":"hello"}],"max_tokens":100000,"ignore_eos":true}`
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.Info().URL+"/v1/chat/completions", strings.NewReader(body))
		if err != nil {
			return
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
		}
	}()
	own := make(chan exobench.Record)
	go func() { own <- target.Do(t.Context(), d, ask("hello", 3000)) }()
	time.Sleep(150 * time.Millisecond)
	began := time.Now()
	closing := make(chan string)
	go func() { closing <- release(t, target, d) }()
	if r := <-own; r.Outcome != exobench.Canceled {
		t.Errorf("got %s: %s, want canceled", r.Outcome, r.Error)
	}
	detail := <-closing
	t.Logf("gone after %v: %q", time.Since(began), detail)
	cancel()
	<-answered
}

func TestRealServerTellsWhyItCannotLoad(t *testing.T) {
	t.Parallel()
	program, model := realServer(t)
	if err := os.Truncate(model, 2_000_000); err != nil {
		t.Fatal(err)
	}
	target := dial(t, Config{ModelPath: model, ServerPath: program, Args: []string{"-t", "1"}})
	_, err := target.Prepare(t.Context(), exobench.Model{ID: "real"}, new(events).report)
	if err == nil || !strings.Contains(err.Error(), "llama-server ended (exit status 1): ") || !strings.Contains(err.Error(), "error loading model") {
		t.Errorf("got %v, want why the model cannot be loaded", err)
	}
	waitGone(t, target.Info().URL)
}

func TestRealServerGoesWhenExobenchIsKilled(t *testing.T) {
	t.Parallel()
	program, model := realServer(t)
	killParent(t, "ready", program, model, "-t", "1")
}
