package ollama

import (
	"os"
	"testing"

	"exobench"
)

// TestARealOllama runs a model of a real server through its life: set
// EXOBENCH_OLLAMA_URL and EXOBENCH_OLLAMA_MODEL.
func TestARealOllama(t *testing.T) {
	url, name := os.Getenv("EXOBENCH_OLLAMA_URL"), os.Getenv("EXOBENCH_OLLAMA_MODEL")
	if url == "" || name == "" {
		t.Skip("no server is named by EXOBENCH_OLLAMA_URL and EXOBENCH_OLLAMA_MODEL")
	}
	opened, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "ollama", URL: url}, testEnv(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	target := opened.(*engine)
	defer target.Close()
	m, err := target.Resolve(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var seen events
	deployment, err := target.Prepare(t.Context(), m, "", seen.add)
	if err != nil {
		t.Fatal(err)
	}
	r := target.Do(t.Context(), deployment, exobench.Request{Prompt: exobench.Prompt{Text: "Why is the sky blue?"}, MaxTokens: 16, Seed: 1})
	if r.Outcome != exobench.OK || r.Server == nil || r.PromptTokens == nil || r.TokensFrom != exobench.FromStats {
		t.Errorf("record %+v", r)
	}
	// The load is over: no request may pay for it again.
	if r.Server != nil && r.Server.LoadTime > r.Ended.Sub(r.Sent) {
		t.Errorf("load time %v in a request of %v", r.Server.LoadTime, r.Ended.Sub(r.Sent))
	}
	if err := target.Release(t.Context(), deployment, seen.add); err != nil {
		t.Error(err)
	}
	if found, err := target.inMemory(t.Context(), m.ID); found != nil || err != nil {
		t.Errorf("after the release: %v, error %v", found, err)
	}
	for _, e := range seen {
		t.Logf("%-9s %s", e.Stage, e.Detail)
	}
	t.Logf("prompt %v tokens, output %v tokens in %d chunks, %s, server %+v", *r.PromptTokens, *r.OutputTokens, len(r.Chunks), r.FinishReason, *r.Server)
}
