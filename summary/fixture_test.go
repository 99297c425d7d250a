package summary

import (
	"iter"
	"slices"
	"testing"

	"exobench"
)

const (
	ms     = exobench.Instant(1e6)
	second = 1000 * ms
)

func header() *exobench.Header {
	return &exobench.Header{
		Schema: exobench.SchemaVersion, RunID: "run-1",
		Engines: []exobench.Engine{{Name: "exo", LifeCycle: true,
			Models: []exobench.Model{{Name: "one"}, {Name: "two"}, {Name: "three"}}}},
		Plan: exobench.Plan{
			Cache:   "cold",
			Prompts: []exobench.Prompt{{ID: "b"}, {ID: "a"}},
		},
	}
}

func tokens(n exobench.Tokens) *exobench.Tokens { return &n }

// ok is a measured request of model "one" sent at sec seconds that takes
// latency to answer with 10 tokens: the first after 100 ms, the last at the end.
func ok(seq int, sec exobench.Instant, latency exobench.Instant) *exobench.Record {
	sent := sec * second
	r := &exobench.Record{
		Seq: seq, Engine: "exo", Model: "one", ModelID: "org/one", PromptID: "a",
		Phase: exobench.Measured, Concurrency: 1, Outcome: exobench.OK,
		Scheduled: sent, Sent: sent, FirstToken: sent + 100*ms, FirstAnswer: sent + 100*ms,
		LastToken: sent + latency, Done: sent + latency, Ended: sent + latency + ms,
		OutputTokens: tokens(10), TokensFrom: exobench.FromUsage,
	}
	for i := range exobench.Instant(10) {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: r.FirstToken + i*(latency-100*ms)/9})
	}
	return r
}

func readingAt(sec exobench.Instant, moment exobench.Moment, memory exobench.Bytes) *exobench.Reading {
	return &exobench.Reading{At: sec * second, Engine: "exo", Model: "one", Moment: moment, Source: exobench.FromPSS, Memory: memory}
}

func end(sec exobench.Instant) *exobench.End {
	return &exobench.End{At: sec * second, Reason: exobench.EndFinished}
}

func build(t *testing.T, entries ...exobench.Entry) *Run {
	t.Helper()
	run, err := Build(slices.Values(entries))
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return run
}

// on moves an entry to another engine.
func on[E exobench.Entry](engine string, entry E) E {
	switch e := any(entry).(type) {
	case *exobench.LoadEvent:
		e.Engine = engine
	case *exobench.Record:
		e.Engine = engine
	case *exobench.Reading:
		e.Engine = engine
	case *exobench.NodeReading:
		e.Engine = engine
	}
	return entry
}

// only returns the one cell of the entries, after a header and before an end.
func only(t *testing.T, entries ...exobench.Entry) Cell {
	t.Helper()
	entries = append([]exobench.Entry{header()}, entries...)
	run := build(t, append(entries, end(1000))...)
	if len(run.Cells) != 1 {
		t.Fatalf("%d cells, want 1", len(run.Cells))
	}
	return run.Cells[0]
}

func sequence(entries []exobench.Entry) iter.Seq[exobench.Entry] { return slices.Values(entries) }
