package llamacpp

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/gguf"
	"exobench/shape"
)

// realServer returns a real llama-server and a small model of random weights
// for it. Where there is none, the test is skipped.
func realServer(t *testing.T) (program, model string) {
	t.Helper()
	program, err := findProgram("")
	if err != nil {
		t.Skipf("no real llama.cpp to test with (%v); .ci/install-llama puts one in place", err)
	}
	model = filepath.Join(t.TempDir(), "real.gguf")
	f, err := os.Create(model)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tiny := shape.Shape{Layers: 4, Hidden: 256, Heads: 4, KVHeads: 2, FFN: 768, Vocab: 1000, Context: 4096, RopeBase: 10000}
	if err := gguf.Write(t.Context(), f, tiny, gguf.Options{Name: "Real", Quant: "q8_0"}); err != nil {
		t.Fatal(err)
	}
	return program, model
}

// startReal starts a real server for the plan with one thread, to be kind to the
// tests beside it.
func startReal(t *testing.T, p exobench.Plan) (*started, exobench.Deployment) {
	t.Helper()
	program, model := realServer(t)
	env := testEnv(t)
	env.Plan = p
	e := open(t, specOf(program, "-t 1"), env).(*started)
	m, err := e.Resolve(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	d, err := e.Prepare(t.Context(), m, "", new(events).report)
	if err != nil {
		t.Fatal(err)
	}
	if before, after := e.Info().Version, e.current.server.Version; before != after || after == "" {
		t.Errorf("got version %q from the program and %q from the server, want the same", before, after)
	}
	if e.Info().Label != syntheticLabel {
		t.Errorf("the label of random weights is %q", e.Info().Label)
	}
	return e, d
}

// release takes the server away, and returns what was unusual about that.
func release(t *testing.T, e *started, d exobench.Deployment) string {
	t.Helper()
	url := e.Info().URL
	var got events
	if err := e.Release(t.Context(), d, got.report); err != nil {
		t.Error(err)
	}
	waitGone(t, url)
	return got.last().Detail
}

// atOnce is a plan of so many requests at a time.
func atOnce(n int) exobench.Plan {
	p := oneAtATime
	p.Traffic = []exobench.Traffic{{Concurrency: n}}
	return p
}

func text(seed string) string {
	return strings.Repeat(seed+" explains at some length what artificial intelligence is, and why. ", 8)
}

func TestRealServerWritesExactlyWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	target, d := startReal(t, atOnce(2))
	server := target.current.server
	if server.Slots != 2 || server.Context != slotContext || server.Parameters == 0 || !strings.EqualFold(server.Quantisation, "q8_0") {
		t.Errorf("got %+v", server)
	}
	other := attach(t, target.Info().URL)
	if got := other.session.server; got.Version != server.Version || got.Slots != 2 {
		t.Errorf("attached: got %+v, want %+v", got, server)
	}
	if _, err := other.Resolve(t.Context(), "real"); err != nil {
		t.Error(err)
	}
	if other.seen.PID() != d.PID {
		t.Errorf("process %d listens, and %d was started", other.seen.PID(), d.PID)
	}
	records := make(chan exobench.Record)
	for i, via := range []driver.Engine{target, target, other} {
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

// The server times from its first token to its last. That lies within the
// request as the client saw it, however late either of them was.
func TestRealServerDecodesWithinTheRequest(t *testing.T) {
	t.Parallel()
	target, d := startReal(t, oneAtATime)
	for range 5 {
		r := target.Do(t.Context(), d, ask(text("rate"), 300))
		if r.Outcome != exobench.OK || r.Server == nil || r.Server.DecodeTPS == nil || *r.Server.DecodeTPS <= 0 {
			t.Fatalf("got %+v", r)
		}
		t.Logf("tokens per second: the client's %.0f, the server's %.0f", 299/r.LastToken.Sub(r.FirstToken).Seconds(), *r.Server.DecodeTPS)
		whole := r.Ended.Sub(r.Sent).Seconds()
		if decode := 299 / *r.Server.DecodeTPS; decode > whole {
			t.Errorf("the server decoded for %v s of a request that took %v s", decode, whole)
		}
	}
}

// Of many slots each has what the plan needs, however the server divides the
// context among them.
func TestRealServerHasWhatAnOpenLoopNeeds(t *testing.T) {
	t.Parallel()
	p := oneAtATime
	p.Workload.Prompts = []exobench.Prompt{{Text: text("need")}}
	p.Traffic, p.Stop = []exobench.Traffic{{Rate: 1}}, exobench.Stop{Duration: exobench.Duration(time.Minute)}
	target, d := startReal(t, p)
	server, need := target.current.server, contextNeeded(p)
	if server.Slots != mostSlots || server.Context < need {
		t.Errorf("got %+v, want %d slots of %d tokens", server, mostSlots, need)
	}
	var all sync.WaitGroup
	for range mostSlots {
		all.Go(func() {
			if r := target.Do(t.Context(), d, ask(text("need"), p.Workload.MaxTokens)); r.Outcome != exobench.OK {
				t.Errorf("got %s: %s", r.Outcome, r.Error)
			}
		})
	}
	all.Wait()
}

func TestRealServerForgetsColdPrompts(t *testing.T) {
	t.Parallel()
	target, d := startReal(t, oneAtATime)
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
	target, d := startReal(t, oneAtATime)
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
	for target.env.Wire.Events() == 0 {
		time.Sleep(time.Millisecond)
	}
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
	e := open(t, specOf(program, "-t 1"), testEnv(t))
	m, err := e.Resolve(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	var got events
	_, err = e.Prepare(t.Context(), m, "", got.report)
	if err == nil || !strings.Contains(err.Error(), "llama-server ended (exit status 1): ") || !strings.Contains(err.Error(), "error loading model") {
		t.Errorf("got %v, want why the model cannot be loaded", err)
	}
	waitGone(t, got.url())
}

func TestRealServerGoesWhenExobenchIsKilled(t *testing.T) {
	t.Parallel()
	program, model := realServer(t)
	killParent(t, "ready", program, model, "-t", "1")
}
