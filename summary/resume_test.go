package summary

import (
	"slices"
	"testing"

	"exobench"
	"exobench/metric"
)

// resumed is a run whose block 1 was cut short after two requests, one of them
// absurd, and done again in step 3 of session 2 as block 10.
func resumed() []exobench.Entry {
	again := aStep(3, "one")
	again.Session, again.Resumes = 2, 1
	later := aStep(2, "two")
	later.Session = 2
	block := aBlock(10, 3, 1)
	block.Replaces = 1
	entries := slices.Concat(outline(), []exobench.Entry{
		ok(1, 10, 90*second), ok(2, 20, second),
		&exobench.StageEvent{At: 5, Step: 1, Stage: exobench.StageReady},
		&exobench.Session{ID: 2}, again, later, block,
	})
	for i := range 7 {
		at := exobench.Instant(i)
		entries = append(entries, in(10, ok(i+3, 10+10*at, second+100*ms*at)))
	}
	return append(entries, &exobench.BlockEnd{At: 99 * second, Block: 10, Reason: exobench.BlockDone},
		&exobench.StepEnd{At: 100 * second, Step: 3, Reason: exobench.StepReleased}, &exobench.End{At: 101 * second, Session: 2, Reason: exobench.EndFinished})
}

func TestWhatWasDoneAgainCountsOnce(t *testing.T) {
	entries := resumed()
	for range 2 {
		run := build(t, entries...)
		c := run.Cell(1)
		if c.N != 7 || c.State != Done || !slices.Equal(c.Steps, []int{3}) || !slices.Equal(c.Blocks, []int{10}) {
			t.Errorf("%d requests, %s, steps %v, blocks %v", c.N, c.State, c.Steps, c.Blocks)
		}
		if m, _ := c.Metric(metric.Latency); m.Max > 2 {
			t.Errorf("the greatest latency is %v s", m.Max)
		}
		if run.Requests != 7 || run.Replaced != 2 || run.Unplaced != 0 || run.Incomplete {
			t.Errorf("%d requests, %d replaced, %d unplaced, incomplete: %v", run.Requests, run.Replaced, run.Unplaced, run.Incomplete)
		}
		if w := run.Warnings(); len(w) != 2 || w[0].Figures != (DoneAgain{2}) {
			t.Errorf("warnings %+v", w)
		}
		// The step that was cut short is over; the one that was not begun is told
		// again.
		if one, two := run.Step(1), run.Step(2); one.State != Interrupted || len(one.Cells) > 0 || two.Session != 2 || two.State != Planned {
			t.Errorf("steps %+v\n%+v", one, two)
		}
		rows := 0
		err := run.Rows(slices.Values(entries), func(r Row) error { rows++; return nil })
		if err != nil || rows != 7 {
			t.Errorf("%d rows, %v", rows, err)
		}
		slices.Reverse(entries)
	}
}

// A cell that waits for its step is where it goes on, not where it was cut
// short.
func TestACellWaitsForTheStepThatGoesOn(t *testing.T) {
	again := aStep(3, "two")
	again.Session, again.Resumes = 2, 2
	run := build(t, slices.Concat(outline(), []exobench.Entry{
		&exobench.StageEvent{At: 5, Step: 2, Stage: exobench.StageLoad}, &exobench.Session{ID: 2}, again,
	})...)
	if c := run.Cell(2); c.State != Planned || !slices.Equal(c.Steps, []int{3}) {
		t.Errorf("it is %s, in steps %v", c.State, c.Steps)
	}
}

func TestAPeekForgetsWhatWasReplaced(t *testing.T) {
	f := NewFold()
	for _, e := range resumed() {
		if err := f.Add(e); err != nil {
			t.Fatal(err)
		}
		p, c := f.Peek(1), f.Snapshot().Cell(1)
		if c == nil {
			continue
		}
		if m, known := c.Metric(metric.Latency); known && *p.Latency != m.Median {
			t.Fatalf("after %T: %v s, want %v", e, *p.Latency, m.Median)
		}
	}
}
