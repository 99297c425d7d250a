package run

import (
	"slices"
	"testing"
	"time"

	"exobench"
)

// count counts the records of a block by how they ended.
func (r result) count(block int) map[exobench.Outcome]int {
	n := map[exobench.Outcome]int{}
	for _, record := range of[*exobench.Record](r.recorder) {
		if record.Block == block {
			n[record.Outcome]++
		}
	}
	return n
}

func (r result) notes() (all []string) {
	for _, n := range of[*exobench.Note](r.recorder) {
		all = append(all, n.Text)
	}
	return all
}

// ends returns how each block ended.
func (r result) ends() (all []exobench.BlockEndReason) {
	for _, e := range of[*exobench.BlockEnd](r.recorder) {
		all = append(all, e.Reason)
	}
	return all
}

// loaded is when the double has loaded its model and the first block begins.
const loaded = sec

func TestAnEngineThatIsAwayCostsOnlyTheRequestsThatMetIt(t *testing.T) {
	for _, row := range []struct {
		why         string
		concurrency int
		met         int
	}{
		{"one at a time", 1, 1},
		{"three at a time", 3, 3},
	} {
		d := &double{away: []span{{loaded + 2*sec, loaded + 2300*ms}}}
		p := plan("a")
		p.Warmup, p.Stop.Repeat = 0, 5
		p.Traffic[0].Concurrency = row.concurrency
		r := execute(t, d, p, 0, nil)
		if n := r.count(1); n[exobench.ConnectError] != row.met || n[exobench.OK] != 15-row.met {
			t.Errorf("%s: %v, want %d that met it", row.why, n, row.met)
		}
		if notes := r.notes(); !slices.Equal(notes, []string{"the engine was away for 0.3 s"}) || r.ends()[0] != exobench.BlockDone {
			t.Errorf("%s: notes %q, block ended %s", row.why, notes, r.ends())
		}
	}
}

func TestAnEngineThatStaysAwayCostsTheBlock(t *testing.T) {
	for _, row := range []struct {
		why  string
		back time.Duration
		// second is the outcome of the second block's requests.
		second exobench.Outcome
		ends   []exobench.BlockEndReason
		notes  []string
	}{
		{"for good", time.Hour, exobench.Unsent, []exobench.BlockEndReason{exobench.BlockNoAnswer, exobench.BlockNoAnswer}, []string{
			"the engine stopped answering (it was away for 10.0 s: connection refused), so the block ended early and 3 of its requests were not sent",
			"the engine stopped answering (it was away for 10.0 s: connection refused), so the block ended early and 6 of its requests were not sent",
		}},
		{"until the next block waits for it", loaded + 15*sec, exobench.OK, []exobench.BlockEndReason{exobench.BlockNoAnswer, exobench.BlockDone}, []string{
			"the engine stopped answering (it was away for 10.0 s: connection refused), so the block ended early and 3 of its requests were not sent",
			"the engine was away for 3.0 s",
		}},
	} {
		d := &double{away: []span{{loaded + 2*sec, row.back}}}
		p := plan("a")
		p.Warmup = 0
		p.Traffic = append(p.Traffic, exobench.Traffic{Concurrency: 1})
		r := execute(t, d, p, 0, nil)
		// Two are answered, one meets it, one waits in vain, and two are left.
		if n := r.count(1); n[exobench.OK] != 2 || n[exobench.ConnectError] != 1 || n[exobench.Unsent] != 3 {
			t.Errorf("%s: the first block's %v", row.why, n)
		}
		if n := r.count(2); n[row.second] != 6 {
			t.Errorf("%s: the second block's %v, want all %s", row.why, n, row.second)
		}
		if !slices.Equal(r.ends(), row.ends) || !slices.Equal(r.notes(), row.notes) {
			t.Errorf("%s: ends %v, notes %q", row.why, r.ends(), r.notes())
		}
		for _, record := range of[*exobench.Record](r.recorder) {
			if record.Outcome == exobench.Unsent && (record.PromptID == "" || record.Seq == 0 || record.Sent.Reached() || record.Error == "") {
				t.Errorf("%s: unsent %+v", row.why, record)
			}
		}
		if end := of[*exobench.StepEnd](r.recorder)[0]; end.Reason != exobench.StepReleased {
			t.Errorf("%s: the step ended %+v", row.why, end)
		}
	}
}

func TestThreeTimeoutsInARowEndABlockAndNotTheNext(t *testing.T) {
	d := &double{outcome: func(r exobench.Request) exobench.Outcome {
		if r.Block == 2 {
			return exobench.IdleTimeout
		}
		return exobench.OK
	}}
	p := plan("a")
	p.Traffic = append(p.Traffic, exobench.Traffic{Concurrency: 1})
	r := execute(t, d, p, 0, nil)
	if n := r.count(2); n[exobench.IdleTimeout] != 3 || n[exobench.Unsent] != 3 {
		t.Errorf("the block's %v", n)
	}
	if n := r.count(3); n[exobench.OK] != 6 {
		t.Errorf("the next block's %v", n)
	}
	want := []exobench.BlockEndReason{exobench.BlockDone, exobench.BlockNoAnswer, exobench.BlockDone}
	if notes := r.notes(); !slices.Equal(r.ends(), want) || len(notes) != 1 ||
		notes[0] != "the engine stopped answering (3 requests in a row timed out), so the block ended early and 3 of its requests were not sent" {
		t.Errorf("ends %v, notes %q", r.ends(), notes)
	}
}

func TestTimeoutsThatAreNotInARowDoNotEndABlock(t *testing.T) {
	d := &double{outcome: func(r exobench.Request) exobench.Outcome {
		if r.Seq%3 != 0 {
			return exobench.Timeout
		}
		return exobench.OK
	}}
	r := execute(t, d, plan("a"), 0, nil)
	if r.ends()[1] != exobench.BlockDone || len(r.notes()) != 0 {
		t.Errorf("ends %v, notes %q", r.ends(), r.notes())
	}
}

// TestAnEngineThatTakesConnectionsAndBreaksThemIsTriedLessAndLess is of an engine
// that looks as if it were there.
func TestAnEngineThatTakesConnectionsAndBreaksThemIsTriedLessAndLess(t *testing.T) {
	d := &double{
		outcome: func(exobench.Request) exobench.Outcome { return exobench.ConnectError },
		service: func(exobench.Request) time.Duration { return ms },
	}
	p := plan("a")
	p.Warmup, p.Stop = 0, exobench.Stop{Requests: 1000}
	r := execute(t, d, p, 0, nil)
	// Pauses of 0, 0.1, 0.2, ... 1.6, 2, 2, 2 and 2 s come to 11.1 s.
	if n := r.count(1); n[exobench.ConnectError] != 11 || n[exobench.Unsent] != 989 || r.ends()[0] != exobench.BlockNoAnswer {
		t.Errorf("%v in %v, end %s", n, r.took, r.ends())
	}
}

func TestAnOpenLoopGoesOnAtItsTimesWhileTheEngineIsAway(t *testing.T) {
	for _, row := range []struct {
		why          string
		away         span
		failed, sent int
		end          exobench.BlockEndReason
	}{
		// Ten a second, for twenty seconds.
		{"for 0.3 s", span{2 * sec, 2300 * ms}, 3, 200, exobench.BlockDone},
		{"for 9 s", span{2 * sec, 11 * sec}, 90, 200, exobench.BlockDone},
		// It has refused for 10 s at the 101st; the one after it is on its way.
		{"for good", span{2 * sec, time.Hour}, 101, 0, exobench.BlockNoAnswer},
	} {
		d := &double{service: func(exobench.Request) time.Duration { return 10 * ms }}
		d.away = []span{{loaded + row.away.from, loaded + row.away.until}}
		p := plan("a")
		p.Warmup, p.Stop = 0, exobench.Stop{Requests: 200}
		p.Traffic = []exobench.Traffic{{Rate: 10, Arrival: exobench.Constant}}
		r := execute(t, d, p, 0, nil)
		n := r.count(1)
		if len(of[*exobench.Record](r.recorder)) != 200 || r.ends()[0] != row.end {
			t.Errorf("%s: %v, end %s", row.why, n, r.ends())
		}
		if got := n[exobench.ConnectError]; got < row.failed || got > row.failed+1 {
			t.Errorf("%s: %d failed, want %d or one more", row.why, got, row.failed)
		}
		for _, record := range of[*exobench.Record](r.recorder) {
			if record.Outcome != exobench.Unsent && record.Sent != record.Scheduled {
				t.Errorf("%s: request %d was sent %v late", row.why, record.Seq, record.Sent.Sub(record.Scheduled))
			}
		}
	}
}

func TestAnOpenLoopWithoutAnswersEndsByTimeAndCount(t *testing.T) {
	for _, row := range []struct {
		why     string
		timeout time.Duration
		rate    float64
		sent    int
	}{
		// The third and every later one of a row times out within 10 s of the first
		// being sent, until the first that does not: due 8 s after it.
		{"many at a time", 2 * sec, 1, 11},
		{"few: time alone does not do", 11 * sec, 0.05, 3},
	} {
		d := &double{
			outcome: func(exobench.Request) exobench.Outcome { return exobench.Timeout },
			service: func(exobench.Request) time.Duration { return row.timeout },
		}
		p := plan("a")
		p.Warmup, p.Stop = 0, exobench.Stop{Requests: 20}
		p.Traffic = []exobench.Traffic{{Rate: row.rate, Arrival: exobench.Constant}}
		r := execute(t, d, p, 0, nil)
		n := r.count(1)
		if got := n[exobench.Timeout]; got < row.sent || got > row.sent+1 || n[exobench.Unsent] != 20-got || r.ends()[0] != exobench.BlockNoAnswer {
			t.Errorf("%s: %v, want %d sent or one more; end %s", row.why, n, row.sent, r.ends())
		}
	}
}

func TestAnInterruptWhileTheEngineIsAwayEndsTheWaiting(t *testing.T) {
	d := &double{away: []span{{loaded + 2*sec, time.Hour}}}
	p := plan("a")
	p.Warmup = 0
	r := execute(t, d, p, loaded+5*sec, nil)
	if r.took != loaded+5*sec || r.ends()[0] != exobench.BlockInterrupted || r.reason != exobench.EndInterrupted {
		t.Errorf("took %v, ends %v, reason %s", r.took, r.ends(), r.reason)
	}
	if n := r.count(1); n[exobench.OK] != 2 || n[exobench.ConnectError] != 1 || n[exobench.Unsent] != 1 {
		t.Errorf("%v, want the one that waited unsent", n)
	}
}
