package summary

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"exobench"
)

const (
	ms     = exobench.Instant(1e6)
	second = 1000 * ms
	mib    = exobench.Bytes(1 << 20)
)

// header is of an engine with three models.
func header() *exobench.Header {
	return &exobench.Header{
		Schema: exobench.SchemaVersion, RunID: "run-1",
		Engines: []exobench.Engine{{Name: "exo", LifeCycle: true,
			Models: []exobench.Model{{Name: "one"}, {Name: "two"}, {Name: "three"}}}},
		Plan: exobench.Plan{Workload: exobench.Workload{
			Cache:   exobench.ColdCache,
			Prompts: []exobench.Prompt{{ID: "b"}, {ID: "a"}},
		}},
	}
}

// outline is the shape of most tests: step 1 is of model one, step 2 of model
// two. Cell 1 (one request at a time) and block 1 are of step 1, cell 2 is of
// step 2 and has no block. Block 9 is the warm-ups of step 1.
func outline() []exobench.Entry {
	return []exobench.Entry{
		header(), &exobench.Session{ID: 1},
		aStep(1, "one"), aCell(1, "one", exobench.Traffic{Concurrency: 1}),
		aStep(2, "two"), aCell(2, "two", exobench.Traffic{Concurrency: 1}),
		aBlock(1, 1, 1), aBlock(9, 1, 0),
	}
}

func aStep(id int, model string) *exobench.Step {
	return &exobench.Step{ID: id, Session: 1, Engine: "exo", Model: exobench.Model{Name: model, ID: "org/" + model}}
}

func aCell(id int, model string, t exobench.Traffic) *exobench.Cell {
	return &exobench.Cell{ID: id, Engine: "exo", Model: exobench.Model{Name: model, ID: "org/" + model}, Traffic: t}
}

func aBlock(id, step, cell int) *exobench.Block {
	return &exobench.Block{ID: id, Step: step, Cell: cell, At: 1}
}

func tokens(n exobench.Tokens) *exobench.Tokens { return &n }

// ok is a request of block 1 sent at sec seconds that takes latency to answer
// with 10 tokens: the first after 100 ms, the last at the end.
func ok(seq int, sec exobench.Instant, latency exobench.Instant) *exobench.Record {
	sent := sec * second
	r := &exobench.Record{
		Seq: seq, Block: 1, PromptID: "a", Outcome: exobench.OK,
		Scheduled: sent, Sent: sent, FirstToken: sent + 100*ms, FirstAnswer: sent + 100*ms,
		LastToken: sent + latency, Done: sent + latency, Ended: sent + latency + ms,
		OutputTokens: tokens(10), TokensFrom: exobench.FromUsage,
	}
	for i := range exobench.Instant(10) {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: r.FirstToken + i*(latency-100*ms)/9})
	}
	return r
}

// in moves a request to another block.
func in(block int, r *exobench.Record) *exobench.Record {
	r.Block = block
	return r
}

// requests returns n OK requests of 1.0, 1.1, 1.2, ... s, one every 10 s.
func requests(n int) []exobench.Entry {
	var entries []exobench.Entry
	for i := range n {
		at := exobench.Instant(i)
		entries = append(entries, ok(i+1, 10+10*at, second+100*ms*at))
	}
	return entries
}

// reading is a proportional size of step 1.
func reading(sec exobench.Instant, moment exobench.Moment, memory exobench.Bytes) *exobench.Sample {
	return aSample(1, sec*second, moment, "processes", "", exobench.Value{Quantity: exobench.PSS, Value: float64(memory)})
}

func aSample(step int, at exobench.Instant, moment exobench.Moment, sensor, of string, values ...exobench.Value) *exobench.Sample {
	return &exobench.Sample{At: at, Step: step, Moment: moment, Sensor: sensor, Of: of, Values: values}
}

func end(sec exobench.Instant) *exobench.End {
	return &exobench.End{At: sec * second, Session: 1, Reason: exobench.EndFinished}
}

func build(t *testing.T, entries ...exobench.Entry) *Run {
	t.Helper()
	run, err := Build(slices.Values(entries))
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return run
}

// of builds a run of entries in the outline, with an end.
func of(t *testing.T, entries ...exobench.Entry) *Run {
	t.Helper()
	return build(t, slices.Concat(outline(), entries, []exobench.Entry{end(1000)})...)
}

// only returns cell 1 of entries in the outline.
func only(t *testing.T, entries ...exobench.Entry) *Cell {
	t.Helper()
	return of(t, entries...).Cell(1)
}

// checkWarnings wants the figures of the cell's warnings to be those given. The few
// requests of these tests, which are far apart, have useless intervals: that is passed
// over.
func checkWarnings(t *testing.T, c *Cell, want ...Figures) {
	t.Helper()
	var got []Figures
	for _, w := range c.Warnings {
		if w.Cell != c.ID || w.Kind != w.Figures.kind() {
			t.Errorf("warning %+v of cell %d", w, c.ID)
		}
		if _, useless := w.Figures.(UselessInterval); !useless {
			got = append(got, w.Figures)
		}
	}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("warnings (-want +got):\n%s", d)
	}
}
