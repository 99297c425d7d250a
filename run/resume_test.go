package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench"
	"exobench/driver"
	"exobench/summary"
)

// history is a run over several sessions: the header, and all entries that were
// kept.
func history(p exobench.Plan, sessions ...[]exobench.Entry) []exobench.Entry {
	all := []exobench.Entry{&exobench.Header{Schema: exobench.SchemaVersion, RunID: "r", Plan: p, Engines: []exobench.Engine{engineOf(&double{}, "e", p).Entry}}}
	return append(all, slices.Concat(sessions...)...)
}

// begin carries out a session of a plan after others, and returns its entries.
func begin(t *testing.T, d *double, p exobench.Plan, interrupt time.Duration, before []exobench.Entry) []exobench.Entry {
	t.Helper()
	id := 1
	r := execute(t, d, p, interrupt, func(c *Config) {
		if before != nil {
			c.Past = new(Past)
			for _, e := range before {
				c.Past.Add(e)
			}
			id = c.Past.Last + 1
		}
		c.Session = id
	})
	if r.err != nil {
		t.Fatal(r.err)
	}
	return append([]exobench.Entry{&exobench.Session{ID: id}}, r.entries...)
}

// measured returns the rows of a run by what they are of, in order: cell, prompt
// and repeat.
func measured(t *testing.T, entries []exobench.Entry) (rows []string, run *summary.Run) {
	t.Helper()
	run, err := summary.Build(slices.Values(entries))
	if err != nil {
		t.Fatal(err)
	}
	err = run.Rows(slices.Values(entries), func(r summary.Row) error {
		rows = append(rows, fmt.Sprint(r.Cell.ID, r.Record.PromptID, r.Record.Repeat, r.Record.Outcome))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, run
}

// resumable is a plan of two models under three loads, one of them open.
func resumable() exobench.Plan {
	p := plan("a", "b")
	p.Seeds = exobench.Seeds{Order: 5, Arrivals: 6}
	p.Traffic = append(p.Traffic, exobench.Traffic{Concurrency: 2}, exobench.Traffic{Rate: 2, Arrival: exobench.Poisson})
	return p
}

func TestARunThatIsKilledAndResumedHasTheRowsOfAStraightOne(t *testing.T) {
	for _, spread := range []bool{false, true} {
		p := resumable()
		p.AllPlacements = spread
		engine := func() *double {
			return &double{offered: []string{"here", "there"}, sensors: []driver.Sensor{steady("processes", 50*ms)}, prepare: map[string]error{}}
		}
		straight := begin(t, engine(), p, 0, nil)
		want, wanted := measured(t, history(p, straight))
		const seed = 20260101
		random := rand.New(rand.NewPCG(seed, seed))
		for range 30 {
			// What was written before it was killed; then some kills more, and at last a
			// session to the end.
			cut := random.IntN(len(straight))
			entries := straight[:cut+1]
			for range random.IntN(3) {
				next := begin(t, engine(), p, 0, entries)
				entries = slices.Concat(entries, next[:1+random.IntN(len(next))])
			}
			entries = slices.Concat(entries, begin(t, engine(), p, 0, entries))
			got, run := measured(t, history(p, entries))
			slices.Sort(got)
			sorted := slices.Sorted(slices.Values(want))
			if d := cmp.Diff(sorted, got); d != "" {
				t.Fatalf("spread: %v, killed after %d entries; rows (-straight +resumed):\n%s", spread, cut, d)
			}
			if run.Incomplete || run.Interrupted || run.Unplaced > 0 {
				t.Fatalf("spread: %v, killed after %d entries: incomplete %v, interrupted %v, %d requests unplaced", spread, cut, run.Incomplete, run.Interrupted, run.Unplaced)
			}
			// A double takes as long for the same requests, so its figures are the same.
			for i, c := range run.Cells {
				if d := cmp.Diff(figures(wanted.Cells[i]), figures(c)); d != "" {
					t.Fatalf("spread: %v, killed after %d entries: cell %d (-straight +resumed):\n%s", spread, cut, c.ID, d)
				}
			}
			unique(t, entries)
		}
	}
}

// figures are what a report says of a cell, but for where and when it ran.
func figures(c summary.Cell) summary.Cell {
	c.Steps, c.Blocks, c.Memory = nil, nil, summary.RequestMemory{}
	return c
}

// unique reports an error where an id was given twice.
func unique(t *testing.T, entries []exobench.Entry) {
	t.Helper()
	blocks, seqs, sent := map[int]bool{}, map[int]bool{}, 0
	begun := map[int]int{} // the session of each step
	sessions := 0
	for _, e := range entries {
		switch e := e.(type) {
		case *exobench.Session:
			sessions = e.ID
		case *exobench.Block:
			if blocks[e.ID] {
				t.Fatalf("block %d began twice", e.ID)
			}
			blocks[e.ID] = true
		case *exobench.StageEvent:
			if s, ok := begun[e.Step]; ok && s != sessions {
				t.Fatalf("step %d is of sessions %d and %d", e.Step, s, sessions)
			}
			begun[e.Step] = sessions
		case *exobench.Record:
			if sent++; seqs[e.Seq] {
				t.Fatalf("two requests are number %d", e.Seq)
			}
			seqs[e.Seq] = true
		}
	}
}

// What is asked, in which order and when, is the same however often a block is
// begun.
func TestABlockThatIsDoneAgainAsksTheSame(t *testing.T) {
	p := resumable()
	asked := func(entries []exobench.Entry) map[int][]string {
		all := map[int][]string{}
		run, err := summary.Build(slices.Values(history(p, entries)))
		if err != nil {
			t.Fatal(err)
		}
		began := map[int]exobench.Instant{}
		for _, e := range entries {
			if b, ok := e.(*exobench.Block); ok {
				began[b.ID] = b.At
			}
		}
		err = run.Rows(slices.Values(entries), func(r summary.Row) error {
			line := fmt.Sprintf("%06d ", r.Record.Seq) + r.Record.PromptID
			if r.Record.Scheduled.Reached() && r.Cell.Traffic.Open() {
				line += fmt.Sprint(" ", r.Record.Scheduled.Sub(began[r.Block.ID]).Round(time.Microsecond))
			}
			all[r.Cell.ID] = append(all[r.Cell.ID], line)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// In the order in which they were sent; the numbers are of the whole run.
		for _, lines := range all {
			slices.Sort(lines)
			for i := range lines {
				_, lines[i], _ = strings.Cut(lines[i], " ")
			}
		}
		return all
	}
	straight := begin(t, &double{}, p, 0, nil)
	first := begin(t, &double{}, p, 15*sec, nil)
	second := begin(t, &double{}, p, 7*sec, first)
	third := begin(t, &double{}, p, 0, slices.Concat(first, second))
	if d := cmp.Diff(asked(straight), asked(slices.Concat(first, second, third))); d != "" {
		t.Errorf("what was asked (-straight +resumed):\n%s", d)
	}
}

func TestABlockThatWasCutShortIsDoneAgainAsAWhole(t *testing.T) {
	p := plan("a")
	p.Traffic = append(p.Traffic, exobench.Traffic{Concurrency: 1})
	first := begin(t, &double{notices: []string{"look out"}}, p, 10500*ms, nil)
	d := &double{notices: []string{"look out"}}
	second := begin(t, d, p, 0, first)
	(&result{recorder: &recorder{entries: second[1:]}}).logged(t, `
		step 2 e a
		cell 2 e a 1
		stage 2 load
		stage 2 ready
		block 4 step 2 cell 0
		request 11 block 4 ok
		block_end 4 done
		block 5 step 2 cell 2
		request 12 block 5 ok
		request 13 block 5 ok
		request 14 block 5 ok
		request 15 block 5 ok
		request 16 block 5 ok
		request 17 block 5 ok
		block_end 5 done
		stage 2 released
		step_end 2 released
		end 2 finished`)
	entries := history(p, first, second)
	_, run := measured(t, entries)
	if run.Requests != 12 || run.Replaced != 3 || run.Warmups != 2 {
		t.Errorf("%d requests, %d replaced, %d warm-ups", run.Requests, run.Replaced, run.Warmups)
	}
	c := run.Cells[1]
	if !slices.Equal(c.Steps, []int{2}) || !slices.Equal(c.Blocks, []int{5}) || c.Outcomes[exobench.Canceled] > 0 {
		t.Errorf("cell 2 ran in steps %v and blocks %v: %v", c.Steps, c.Blocks, c.Outcomes)
	}
	if w := run.Warnings(); len(w) != 2 || w[0].Kind != "done_again" {
		t.Errorf("warnings %+v", w)
	}
	// The order of entries tells nothing.
	slices.Reverse(entries)
	_, backwards := measured(t, entries)
	if d := cmp.Diff(run.Cells, backwards.Cells); d != "" || backwards.Replaced != 3 {
		t.Errorf("backwards %d are replaced, and cells differ:\n%s", backwards.Replaced, d)
	}
}

func TestWhatIsFinishedIsNotDoneAgain(t *testing.T) {
	p := resumable()
	for why, d := range map[string]*double{
		"all was measured":          {},
		"a model did not load":      {prepare: map[string]error{"b": errors.New("no")}},
		"the engine stopped":        {away: []span{{20 * sec, time.Hour}}},
		"placements cannot be told": {unplaced: errors.New("no")},
	} {
		p.AllPlacements = d.unplaced != nil
		first := begin(t, d, p, 0, nil)
		again := double{}
		again.offered = []string{"here"}
		second := begin(t, &again, p, 0, first)
		if len(second) != 2 || len(again.calls) > 0 {
			var lines []string
			for _, e := range second {
				lines = append(lines, describe(e))
			}
			t.Errorf("%s: calls %q, entries\n%s", why, again.calls, strings.Join(lines, "\n"))
		}
	}
}

func TestABlockThatLostRequestsToDamageIsDoneAgain(t *testing.T) {
	p := resumable()
	first := begin(t, &double{}, p, 0, nil)
	for i, e := range first {
		switch e := e.(type) {
		case *exobench.Record:
			if e.Block == 1 || e.Block == 5 || i%6 > 0 {
				continue // warm-ups, and what would take long
			}
		case *exobench.Block:
			if e.Warmup() {
				continue
			}
		case *exobench.Step, *exobench.Cell:
		default:
			continue
		}
		damaged := slices.Delete(slices.Clone(first), i, i+1)
		second := begin(t, &double{}, p, 0, damaged)
		rows, run := measured(t, history(p, damaged, second))
		if len(rows) != 36 || run.Unplaced != 0 || run.Replaced < 5 {
			t.Fatalf("without entry %d (%s): %d rows, %d unplaced, %d replaced", i, describe(e), len(rows), run.Unplaced, run.Replaced)
		}
	}
}

func TestAResumedRunMeasuresItsOwnError(t *testing.T) {
	p := plan("a")
	p.Calibrate = true
	first := begin(t, &double{}, p, 3*sec, nil)
	var c Past
	for _, e := range first {
		c.Add(e)
	}
	calibrated := 0
	for range 2 {
		r := execute(t, &double{}, p, 0, func(config *Config) {
			config.Past, config.Session = &c, c.Last+1
			config.Calibrate = func(context.Context) ([]exobench.Calibration, error) {
				calibrated++
				return []exobench.Calibration{{Streams: 1}}, nil
			}
		})
		for _, e := range r.entries {
			c.Add(e)
		}
	}
	if calibrated != 1 || c.End == nil || c.End.Reason != exobench.EndFinished {
		t.Errorf("calibrated %d times, end %+v", calibrated, c.End)
	}
}
