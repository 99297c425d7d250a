package summary

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"exobench"
	"exobench/metric"
)

func TestRowsStopAtTheFirstError(t *testing.T) {
	entries := slices.Concat(outline(), requests(3))
	boom, calls := errors.New("boom"), 0
	err := build(t, entries...).Rows(slices.Values(entries), func(Row) error { calls++; return boom })
	if !errors.Is(err, boom) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestCellsStandInThePlansOrder(t *testing.T) {
	entries := []exobench.Entry{header(), end(1000)}
	for i, row := range []struct {
		model       string
		placement   string
		concurrency int
	}{{"zero", "", 1}, {"three", "", 1}, {"one", "b", 1}, {"one", "a", 4}, {"one", "a", 2}} {
		c := aCell(i+1, row.model, exobench.Traffic{Concurrency: row.concurrency})
		c.Placement = row.placement
		entries = append(entries, c)
	}
	run := build(t, entries...)
	var got []string
	for _, c := range run.Cells {
		got = append(got, fmt.Sprint(c.Model, c.Placement, c.Traffic.Concurrency))
	}
	if want := []string{"onea2", "onea4", "oneb1", "three1", "zero1"}; !slices.Equal(got, want) {
		t.Errorf("cells = %q, want %q", got, want)
	}
	if want := []Subject{{"exo", "one"}, {"exo", "two"}, {"exo", "three"}, {"exo", "zero"}}; !slices.Equal(run.Subjects(), want) {
		t.Errorf("subjects = %q, want %q", run.Subjects(), want)
	}
}

// untold is what a run of one cell is warned of whose answers tell of no cache.
var untold = CacheUntold{Cells: 1, Of: 1, Apart: true}

func TestEndsOfARun(t *testing.T) {
	for _, row := range []struct {
		why  string
		end  *exobench.End
		want []Warning
	}{
		{"cut off", nil, []Warning{{Kind: "cut_off", Figures: CutOff{2}}}},
		{"interrupted", &exobench.End{Session: 1, Reason: exobench.EndInterrupted}, []Warning{{Kind: "interrupted", Figures: StoppedEarly{2}}}},
		{"failed", &exobench.End{Session: 1, Reason: exobench.EndFailed, Error: "disk full"}, []Warning{{Kind: "failed", Figures: BrokenOff{2, "disk full"}}}},
		{"finished", end(99), nil},
		{"resumed, and cut off again", &exobench.End{Session: 0, Reason: exobench.EndFinished}, []Warning{{Kind: "cut_off", Figures: CutOff{2}}}},
	} {
		entries := slices.Concat(outline(), requests(2))
		if row.end != nil {
			entries = append(entries, row.end)
		}
		run := build(t, entries...)
		want := append(row.want, Warning{Kind: "cache_untold", Figures: untold})
		if d := cmp.Diff(want, run.Warnings()); d != "" {
			t.Errorf("%s (-want +got):\n%s", row.why, d)
		}
	}
	run := of(t, requests(2)...)
	run.Damaged = 3
	if w := run.Warnings(); len(w) != 2 || !reflect.DeepEqual(w[0].Figures, DamagedLines{Lines: 3}) {
		t.Errorf("damaged: %+v", w)
	}
}

func TestAJournalMustBeOfOneRun(t *testing.T) {
	if _, err := Build(slices.Values(requests(1))); err == nil {
		t.Error("a journal without a header is summarised")
	}
	other := header()
	other.RunID = "run-2"
	if _, err := Build(slices.Values([]exobench.Entry{header(), other})); err == nil {
		t.Error("a journal of two runs is summarised")
	}
	if run := build(t, header()); len(run.Cells) != 0 || !run.Incomplete {
		t.Errorf("a header alone: %+v", run)
	}
}

// interleaved is two models that take turns, in two sessions: blocks 1 and 3 are
// of cell 1, 2 and 4 of cell 2. The second session's clock begins anew, so that
// the instants of the two overlap; its memory is another, and so is its power.
func interleaved() []exobench.Entry {
	entries := []exobench.Entry{
		header(), &exobench.Session{ID: 1}, &exobench.Session{ID: 2},
		aCell(1, "one", exobench.Traffic{Concurrency: 1}), aCell(2, "two", exobench.Traffic{Concurrency: 1}),
	}
	for i := range 4 {
		id, session := i+1, 1+i/2
		s := aStep(id, []string{"one", "two"}[i%2])
		s.Session = session
		entries = append(entries, s, aBlock(id, id, 1+i%2),
			&exobench.StageEvent{At: second, Step: id, Stage: exobench.StagePlace},
			&exobench.StageEvent{At: exobench.Instant(2+i) * second, Step: id, Stage: exobench.StageReady},
			bytesAt(id, 1, exobench.Before, 10), bytesAt(id, 5, exobench.Loaded, 100*float64(id)),
			bytesAt(id, 11, exobench.During, 100*float64(id)+20),
			powerAt(id, 9, 10*float64(id)), powerAt(id, 10, 10*float64(id)), powerAt(id, 12, 10*float64(id)), powerAt(id, 13, 10*float64(id)),
			in(id, ok(2*i+1, 10, second)), in(id, ok(2*i+2, 11, 2*second)),
			machineAt(id, 14, 4*time.Second, 0.01*float64(id)),
			&exobench.BlockEnd{At: 14 * second, Block: id, Reason: exobench.BlockDone},
			&exobench.StepEnd{At: 15 * second, Step: id, Reason: exobench.StepReleased})
	}
	return append(entries, &exobench.End{At: 20 * second, Session: 1, Reason: exobench.EndInterrupted},
		&exobench.End{At: 20 * second, Session: 2, Reason: exobench.EndFinished})
}

func bytesAt(step int, sec exobench.Instant, moment exobench.Moment, size float64) *exobench.Sample {
	return aSample(step, sec*second, moment, "processes", "", exobench.Value{Quantity: exobench.PSS, Value: size * float64(mib)})
}

func powerAt(step int, sec exobench.Instant, watts float64) *exobench.Sample {
	return aSample(step, sec*second, exobench.During, "nodes", "a", exobench.Value{Quantity: exobench.NodePower, Value: watts})
}

func machineAt(block int, sec exobench.Instant, span time.Duration, foreign float64) *exobench.Sample {
	s := aSample(block, sec*second, exobench.During, "machine", "", exobench.Value{Quantity: exobench.Foreign, Value: foreign},
		exobench.Value{Quantity: exobench.RunDelayMax, Value: 1e6 * float64(block)},
		exobench.Value{Quantity: exobench.RunDelayShare, Value: 0.1}, exobench.Value{Quantity: exobench.HiccupMax, Value: 2e6 * float64(block)})
	s.Block, s.Span = block, span
	return s
}

func TestBlocksOfACellAreJoinedAndInstantsOfSessionsAreNot(t *testing.T) {
	run := build(t, interleaved()...)
	c := run.Cell(1)
	if !slices.Equal(c.Blocks, []int{1, 3}) || !slices.Equal(c.Steps, []int{1, 3}) || c.State != Done || c.N != 4 {
		t.Fatalf("cell %+v", c)
	}
	// Two stretches of 3 s each, and each step's own power, 10 and 30 W. Both
	// steps' requests take 1 and 2 s. Loads take 1 and 3 s.
	want := map[string]float64{
		metric.WallTime: 6, metric.Throughput: 40.0 / 6, metric.RequestRate: 4.0 / 6, metric.Delivered: 1,
		metric.EnergyPerToken: (30.0 + 90) / 40, metric.CellEnergy: 120, metric.LoadTime: 2, metric.DownloadTime: 0,
		metric.MemoryBefore: 10 * float64(mib), metric.MemoryLoaded: 300 * float64(mib), metric.CellMemoryPeak: 320 * float64(mib),
		metric.MemoryModel: 290 * float64(mib), metric.CellMemoryInference: 20 * float64(mib), metric.CellMemoryAdditional: 310 * float64(mib),
	}
	if d := cmp.Diff(want, c.Values, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
	peaks, _ := c.Metric(metric.MemoryPeak)
	if peaks.Min != 120*float64(mib) || peaks.Max != 320*float64(mib) {
		t.Errorf("peaks %+v", peaks)
	}
	// 10 and 30 W, for 1 and 2 s.
	if energy, _ := c.Metric(metric.Energy); energy.Min != 10 || energy.Max != 60 || energy.Median != 25 {
		t.Errorf("energy %+v", energy)
	}
	// Shares of equal times, and the greatest wait and hiccup.
	if m := c.Machine; m.Wall != 8*time.Second || *m.Foreign != 0.02 || *m.HiccupMax != 6*time.Millisecond || m.Steal != nil ||
		*m.RunDelay != 0.1 || *m.LongestWait() != 3*time.Millisecond {
		t.Errorf("machine %+v", m)
	}
	if run.End.Session != 2 || run.Incomplete || run.Interrupted {
		t.Errorf("end %+v", run.End)
	}
}

func TestTheFirstErrorIsThatOfTheFirstRequestOfAllBlocks(t *testing.T) {
	entries := interleaved()
	for _, e := range entries {
		if r, ok := e.(*exobench.Record); ok {
			r.Outcome, r.Error = exobench.HTTPError, fmt.Sprint("error ", r.Seq)
		}
	}
	if got := build(t, entries...).Cell(2).Errors[exobench.HTTPError]; got != "error 3" {
		t.Errorf("%q", got)
	}
}

func TestRowsSayWhatTheyBelongTo(t *testing.T) {
	entries := interleaved()
	run := build(t, entries...)
	var got []string
	err := run.Rows(slices.Values(entries), func(row Row) error {
		got = append(got, fmt.Sprintf("%d: block %d of cell %d in step %d, %v", row.Record.Seq, row.Block.ID, row.Cell.ID, row.Step.ID, int64(row.Memory.Loaded.Total/mib)))
		return nil
	})
	want := []string{
		"1: block 1 of cell 1 in step 1, 100", "2: block 1 of cell 1 in step 1, 100", "3: block 2 of cell 2 in step 2, 200", "4: block 2 of cell 2 in step 2, 200",
		"5: block 3 of cell 1 in step 3, 300", "6: block 3 of cell 1 in step 3, 300", "7: block 4 of cell 2 in step 4, 400", "8: block 4 of cell 2 in step 4, 400",
	}
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("%v, %q, want %q", err, got, want)
	}
}

func TestSummaryDoesNotDependOnTheOrderOfEntries(t *testing.T) {
	const seed = 7
	late := aStep(2, "two")
	late.Placement = "ring"
	lateCell := aCell(2, "two", exobench.Traffic{Concurrency: 1})
	lateCell.Placement = "ring"
	entries := slices.Concat(outline(), requests(25), fullLife(), twoNodes(), []exobench.Entry{
		late, lateCell, aBlock(3, 2, 2), end(1000),
		&exobench.Note{At: 3, Text: "x"}, &exobench.Note{At: 2, Text: "y"}, &exobench.Note{Session: 2, At: 1, Text: "z"},
		machineAt(1, 100, time.Second, 0.1), machineAt(1, 102, 2*time.Second, 0.3),
		&exobench.Calibration{At: 5, Session: 1, Streams: 1}, &exobench.Calibration{At: 6, Session: 1, Streams: 1, Events: 3},
	})
	for i := range 9 {
		entries = append(entries, in(3, served(200+i, 64)), in(9, ok(300+i, 5, second)))
	}
	for i := range 4 {
		r := ok(100+i, exobench.Instant(300+i), second)
		r.Outcome, r.Error = exobench.Truncated, fmt.Sprint("error ", i)
		entries = append(entries, r)
	}
	want := build(t, entries...)
	if want.Step(2).Wanted != "ring" || want.Cell(2).Placement != "ring" || want.Cell(2).N != 9 {
		t.Fatalf("step %+v, cell %+v", want.Step(2), want.Cell(2))
	}
	rng := rand.New(rand.NewPCG(seed, seed))
	for range 20 {
		rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		if d := cmp.Diff(want, build(t, entries...), cmpopts.IgnoreUnexported(Run{})); d != "" {
			t.Fatalf("seed %d: shuffled (-want +got):\n%s", seed, d)
		}
	}
}

// A snapshot after each entry must leave no trace, and be what a fold of the
// entries until then comes to: what is worked out only where something changed
// must be worked out wherever something did.
func TestASnapshotAfterEachEntryIsThatOfTheEntriesUntilThen(t *testing.T) {
	others := interleaved()[3:]
	for _, e := range others {
		shift(e, 10) // their ids follow those of the first
	}
	entries := slices.Concat(openLoop(), others, []exobench.Entry{
		&exobench.Calibration{Session: 1, Streams: 1}, &exobench.Calibration{Session: 2, Streams: 4}, &exobench.Note{Session: 1, At: 1, Text: "x"},
		// A reading of the memory of what is loaded after all requests, and of
		// power between which the ends of blocks lie.
		bytesAt(1, 3, exobench.Loaded, 10), bytesAt(1, 14, exobench.During, 20), bytesAt(1, 100, exobench.Loaded, 12),
		powerAt(1, 9, 10), powerAt(1, 13, 20), powerAt(1, 17, 10), powerAt(1, 21, 30), powerAt(1, 29, 10), powerAt(1, 33, 20), powerAt(1, 37, 10), powerAt(1, 41, 30),
	})
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, seed))
		rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		f := NewFold()
		for i, e := range entries {
			fresh := NewFold()
			for _, e := range entries[:i+1] {
				if err := fresh.Add(e); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Add(e); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if d := cmp.Diff(fresh.Snapshot(), f.Snapshot(), cmpopts.IgnoreUnexported(Run{})); d != "" {
					t.Fatalf("seed %d: after %d entries, the last %+v (-fresh +folded):\n%s", seed, i+1, e, d)
				}
			}
		}
	}
}

func shift(entry exobench.Entry, by int) {
	switch e := entry.(type) {
	case *exobench.Step:
		e.ID += by
	case *exobench.Cell:
		e.ID += by
	case *exobench.Block:
		e.ID, e.Step, e.Cell = e.ID+by, e.Step+by, e.Cell+by
	case *exobench.StageEvent:
		e.Step += by
	case *exobench.Sample:
		e.Step += by
		if e.Block != 0 {
			e.Block += by
		}
	case *exobench.Record:
		e.Block += by
	case *exobench.BlockEnd:
		e.Block += by
	case *exobench.StepEnd:
		e.Step += by
	}
}

func TestEntriesMayBeUsedAgain(t *testing.T) {
	entries := interleaved()
	want := build(t, entries...)
	f := NewFold()
	for _, e := range interleaved() {
		if err := f.Add(e); err != nil {
			t.Fatal(err)
		}
		switch e := e.(type) { // as the journal's reader would
		case *exobench.Record:
			chunks := e.Chunks
			for i := range chunks {
				chunks[i] = exobench.Chunk{}
			}
			*e = exobench.Record{}
		case *exobench.Sample:
			for i := range e.Values {
				e.Values[i] = exobench.Value{}
			}
			*e = exobench.Sample{}
		case *exobench.StageEvent:
			*e = exobench.StageEvent{}
		case *exobench.StepEnd:
			*e = exobench.StepEnd{}
		}
	}
	if d := cmp.Diff(want, f.Snapshot(), cmpopts.IgnoreUnexported(Run{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestPeekIsTheMedianOfWhatCame(t *testing.T) {
	f := NewFold()
	for _, e := range interleaved() {
		if err := f.Add(e); err != nil {
			t.Fatal(err)
		}
		p, s := f.Peek(1), f.Snapshot().Cell(1)
		if s == nil {
			continue
		}
		latency, known := s.Metric(metric.Latency)
		rate, _ := s.Metric(metric.TokenRate)
		if p.Requests != s.Requests || p.N != s.N || p.Outcomes[exobench.OK] != s.N || known != (p.Latency != nil) {
			t.Fatalf("peek %+v of %+v", p, s)
		}
		if known && (*p.Latency != latency.Median || *p.TokenRate != rate.Median) {
			t.Errorf("latency %v, tokens/s %v; want %v, %v", *p.Latency, *p.TokenRate, latency.Median, rate.Median)
		}
	}
	if p := f.Peek(99); p.Requests != 0 || p.Latency != nil {
		t.Errorf("a cell that nothing tells of: %+v", p)
	}
}

func TestWhatWasPeekedAtStaysSorted(t *testing.T) {
	b := newBlock(1, metric.PerRequest())
	var r running
	for i, v := range []float64{5, 3, 9, 1, 9, 4, 2} {
		b.ok.values[0].put(i, v)
		if i%2 == 0 {
			r.take(b, 0)
			if len(r.sorted) != i+1 || !slices.IsSorted(r.sorted) {
				t.Errorf("after %d values: %v", i+1, r.sorted)
			}
		}
	}
}
