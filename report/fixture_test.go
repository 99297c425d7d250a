package report

import (
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"exobench"
	"exobench/summary"
)

const (
	ms     = exobench.Instant(1e6)
	second = 1000 * ms
	mib    = exobench.Bytes(1 << 20)
)

func tokens(n exobench.Tokens) *exobench.Tokens { return &n }

// journal is a small run of the embedded engine on four models: one measured
// at two concurrencies, one with failed requests, one that could not be loaded,
// and one that the run never came to.
func journal() []exobench.Entry {
	entries := []exobench.Entry{&exobench.Header{
		Schema: exobench.SchemaVersion, RunID: "20260102T150405Z",
		Epoch: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
		Tool:  exobench.Tool{Version: "v0.1.0", Go: "go1.26.0", OS: "linux", Arch: "amd64"},
		Host:  exobench.Host{Name: "studio", System: "Linux 6.8", CPU: "Example CPU", Cores: 2, Memory: 8192 * mib},
		Plan: exobench.Plan{
			Engines: []string{"auto"}, Models: []string{"llama-3.2-1b", "mistral-7b", "qwen-1.5-7b", "deepseek-r1"},
			Prompts:   []exobench.Prompt{{ID: "ai", Text: "Explain."}, {ID: "poem", Text: "Write."}},
			MaxTokens: 11, Repeat: 4, Warmup: 1, Concurrency: []int{1, 2}, Cache: "cold", Seeds: exobench.Seeds{Order: 42},
		},
		Engines: []exobench.Engine{{Name: "embedded", Version: "v0.1.0", URL: "http://127.0.0.1:52415",
			Label: "embedded, random weights, scaled stand-in", Caveat: "They say nothing of the speed of a real engine.",
			LifeCycle: true, CacheSwitch: true, IgnoresEOS: true,
			Models: []exobench.Model{{Name: "llama-3.2-1b", ID: "org/Llama-3.2-1B"}, {Name: "mistral-7b", ID: "org/Mistral-7B"},
				{Name: "qwen-1.5-7b", ID: "org/Qwen1.5-7B"}, {Name: "deepseek-r1", ID: "org/R1-Distill-8B"}}}},
	}}
	entries = append(entries, life("llama-3.2-1b", "org/Llama-3.2-1B", 0, 40*mib)...)
	seq := 0
	add := func(r *exobench.Record, loaded exobench.Bytes) {
		seq++
		r.Seq = seq
		memory := loaded + exobench.Bytes(seq)*mib/8
		entries = append(entries,
			&exobench.Reading{Engine: "embedded", At: r.Sent + 20*ms, Model: r.Model, Moment: exobench.MomentDuring, Source: exobench.FromPSS,
				Memory: memory, Anonymous: size(30 * mib), File: size(memory - 30*mib)},
			r)
	}
	for c := range 2 {
		warm := request("llama-3.2-1b", "org/Llama-3.2-1B", c+1, 10*second, 9)
		warm.Phase = exobench.Warmup
		add(warm, 90*mib)
		for i := range 8 {
			add(request("llama-3.2-1b", "org/Llama-3.2-1B", c+1, exobench.Instant(11+20*c+i)*second, 2*c+i), 90*mib)
		}
	}
	entries = append(entries, life("mistral-7b", "org/Mistral-7B", 100*second, 400*mib)...)
	for i := range 5 {
		r := request("mistral-7b", "org/Mistral-7B", 1, exobench.Instant(111+2*i)*second, 10+i)
		if i > 2 {
			r.Outcome, r.Error = exobench.StreamError, fmt.Sprintf("runner died | code %d,\n\"OOM\"", i)
		}
		add(r, 450*mib)
	}
	return append(entries,
		&exobench.Note{At: 130 * second, Model: "mistral-7b", Text: "The engine restarted its runner."},
		&exobench.LoadEvent{Engine: "embedded", At: 140 * second, Model: "qwen-1.5-7b", ModelID: "org/Qwen1.5-7B", Stage: exobench.StagePlace},
		&exobench.LoadEvent{Engine: "embedded", At: 141 * second, Model: "qwen-1.5-7b", ModelID: "org/Qwen1.5-7B", Stage: exobench.StageFailed,
			Error: "no placement fits: 15.4 GiB needed, 6.1 GiB free"},
	)
}

func size(b exobench.Bytes) *exobench.Bytes { return &b }

// life is the load of a model and the readings around it.
func life(model, id string, at exobench.Instant, weights exobench.Bytes) []exobench.Entry {
	event := func(after exobench.Instant, stage exobench.Stage) *exobench.LoadEvent {
		return &exobench.LoadEvent{Engine: "embedded", At: at + after, Model: model, ModelID: id, Placement: "Pipeline/MlxRing/1 node", Stage: stage}
	}
	read := func(after exobench.Instant, moment exobench.Moment, memory exobench.Bytes) *exobench.Reading {
		return &exobench.Reading{Engine: "embedded", At: at + after, Model: model, Moment: moment, Source: exobench.FromPSS, Memory: memory,
			Anonymous: size(30 * mib), File: size(memory - 30*mib)}
	}
	return []exobench.Entry{
		event(1*ms, exobench.StageResolve),
		read(2*ms, exobench.MomentBefore, 50*mib),
		event(500*ms, exobench.StagePlace),
		event(1500*ms, exobench.StageLoad),
		event(2750*ms, exobench.StageReady),
		read(3000*ms, exobench.MomentLoaded, 50*mib+weights),
	}
}

// request is OK, sent at an instant, and slower by 10 ms for each step: 11
// tokens in 11 events, one every 50 ms and the step.
func request(model, id string, concurrency int, sent exobench.Instant, step int) *exobench.Record {
	slow := exobench.Instant(step)
	r := &exobench.Record{
		Engine: "embedded", Model: model, ModelID: id, Placement: "Pipeline/MlxRing/1 node", PromptID: []string{"ai", "poem"}[step%2],
		Phase: exobench.Measured, Repeat: step/2 + 1, Concurrency: concurrency, MaxTokens: 11, Outcome: exobench.OK,
		FinishReason: "length", Scheduled: sent, Sent: sent, FirstToken: sent + 80*ms + slow*ms,
		PromptTokens: tokens(20), CachedTokens: tokens(0), OutputTokens: tokens(11), TokensFrom: exobench.FromUsage,
	}
	for i := range exobench.Instant(11) {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: r.FirstToken + i*(50+slow)*ms, Bytes: 4})
	}
	r.FirstAnswer, r.LastToken = r.FirstToken, r.Chunks[10].At
	r.Done, r.Ended = r.LastToken+123, r.LastToken+ms
	return r
}

func finished() []exobench.Entry {
	return append(journal(), &exobench.End{At: 150 * second, Reason: exobench.EndFinished})
}

func build(t *testing.T, entries []exobench.Entry) (*summary.Run, iter.Seq[exobench.Entry]) {
	t.Helper()
	run, err := summary.Build(slices.Values(entries))
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return run, slices.Values(entries)
}
