package summary

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"exobench"
	"exobench/metric"
)

func TestCellByHand(t *testing.T) {
	c := only(t, requests(7)...)
	s, _ := c.Metric(metric.Latency)
	// 1.0 ... 1.6 s: median 1.3, mean 1.3, sd 0.1·√(28/6); of one prompt with n = 7
	// the interval is from rank 4 − half to rank 4 + half.
	half := 1.959963984540054 * math.Sqrt(7.0/4)
	want := map[string]float64{
		"median": 1.3, "mean": 1.3, "sd": 0.1 * math.Sqrt(28.0/6), "lo": 1.3 - 0.1*half, "hi": 1.3 + 0.1*half, "confidence": 0.95,
	}
	got := map[string]float64{"median": s.Median, "mean": s.Mean, "sd": *s.SD, "lo": s.Interval.Lo, "hi": s.Interval.Hi, "confidence": s.Interval.Confidence}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); d != "" {
		t.Errorf("latency (-want +got):\n%s", d)
	}
	if c.N != 7 || c.Requests != 7 || c.Outcomes[exobench.OK] != 7 || len(s.Percentiles) != 0 {
		t.Errorf("n %d of %d, outcomes %v, percentiles %v", c.N, c.Requests, c.Outcomes, s.Percentiles)
	}
	// From the first sent at 10 s to the last done at 71.6 s; 9.1 s of requests.
	values := map[string]float64{metric.WallTime: 61.6, metric.Throughput: 70 / 61.6, metric.RequestRate: 7 / 61.6, metric.Delivered: 9.1 / 61.6}
	if d := cmp.Diff(values, c.Values, cmpopts.EquateApprox(0, 1e-12)); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
	checkWarnings(t, c)
}

func TestFewRequestsGiveNoInterval(t *testing.T) {
	c := only(t, requests(1)...)
	s, _ := c.Metric(metric.Latency)
	if s.N != 1 || s.Median != 1 || s.Interval != nil || s.SD != nil {
		t.Errorf("one request: %+v", s)
	}
	checkWarnings(t, c, TooFewRequests{N: 1, Least: IntervalN})
}

func TestEqualValuesGiveAnIntervalOfNoWidth(t *testing.T) {
	var entries []exobench.Entry
	for i := range 8 {
		entries = append(entries, ok(i+1, exobench.Instant(10+10*i), second))
	}
	s, _ := only(t, entries...).Metric(metric.Latency)
	if s.Interval == nil || s.Interval.Lo != 1 || s.Interval.Hi != 1 || *s.SD != 0 {
		t.Errorf("eight equal values: %+v", s)
	}
}

func TestPercentilesNeedSupport(t *testing.T) {
	for n, want := range map[int]int{9: 0, 10: 1, 20: 2, 100: 3} {
		s, _ := only(t, requests(n)...).Metric(metric.Latency)
		if len(s.Percentiles) != want {
			t.Errorf("n = %d gives %d percentiles, want %d", n, len(s.Percentiles), want)
		}
	}
}

func TestFailedRequestsCountButEnterNoMedian(t *testing.T) {
	late, early := ok(9, 90, 60*second), ok(8, 100, 50*second)
	late.Outcome, late.Error = exobench.Timeout, "second error"
	early.Outcome, early.Error = exobench.Timeout, "first error"
	c := only(t, append(requests(6), late, early)...)
	s, _ := c.Metric(metric.Latency)
	if s.N != 6 || s.Max > 2 || c.N != 6 || c.Requests != 8 || c.Outcomes[exobench.Timeout] != 2 {
		t.Errorf("n %d, max %v, cell %d of %d, outcomes %v", s.N, s.Max, c.N, c.Requests, c.Outcomes)
	}
	if c.Errors[exobench.Timeout] != "first error" {
		t.Errorf("error = %q, want that of the lower seq", c.Errors[exobench.Timeout])
	}
	// The time lost to them is part of the wall time: 10 s to 150.001 s.
	if wall := c.Values[metric.WallTime]; wall != 140.001 {
		t.Errorf("wall = %v", wall)
	}
	checkWarnings(t, c, FailedRequests{Failed: 2, Of: 8, Outcomes: []OutcomeCount{{exobench.Timeout, 2}}})
}

func TestACellOfFailuresHasNoFigures(t *testing.T) {
	r := ok(1, 10, second)
	r.Outcome = exobench.HTTPError
	c := only(t, reading(1, exobench.Before, mib), r)
	if len(c.Metrics) != 0 || len(c.Values) != 0 || c.N != 0 || c.Memory != (RequestMemory{}) || c.State != Measuring && c.State != Interrupted {
		t.Errorf("cell: %+v", c)
	}
}

func TestWarmupsAreLeftOut(t *testing.T) {
	warm := in(9, ok(1, 5, 100*second))
	entries := slices.Concat(outline(), []exobench.Entry{warm}, requests(6))
	run := build(t, entries...)
	s, _ := run.Cell(1).Metric(metric.Latency)
	if run.Warmups != 1 || run.Requests != 6 || run.Unplaced != 0 || s.N != 6 || s.Max > 2 {
		t.Errorf("%d warm-ups, %d requests, latency %+v", run.Warmups, run.Requests, s)
	}
	rows := 0
	err := run.Rows(slices.Values(entries), func(row Row) error {
		rows++
		if row.Block.ID != 1 || row.Cell.ID != 1 || row.Step.Model != "one" {
			t.Errorf("a row of block %d, cell %d, step %+v", row.Block.ID, row.Cell.ID, row.Step)
		}
		return nil
	})
	if err != nil || rows != 6 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestWaysOfCountingTokensAreNotPooled(t *testing.T) {
	entries := requests(9)
	for _, i := range []int{0, 4} {
		r := entries[i].(*exobench.Record)
		r.TokensFrom, r.OutputTokens = exobench.FromEvents, tokens(1000)
	}
	c := only(t, entries...)
	rate, _ := c.Metric(metric.EndToEndTokenRate)
	latency, _ := c.Metric(metric.Latency)
	_, known := c.Value(metric.Throughput)
	if c.TokensFrom != exobench.FromUsage || rate.N != 7 || rate.Max > 10 || latency.N != 9 || known {
		t.Errorf("from %q, rate %+v, latency n %d, values %v", c.TokensFrom, rate, latency.N, c.Values)
	}
	checkWarnings(t, c, CountsMixed{Ways: []CountedWay{{exobench.FromUsage, 7}, {exobench.FromEvents, 2}}, Used: exobench.FromUsage, N: 7})
	if tps := c.Prompts[0].Metrics[metric.TokenRate]; tps.N != 7 {
		t.Errorf("the prompt pools %d token rates", tps.N)
	}
}

func TestUnknownTokensLeaveNoThroughput(t *testing.T) {
	entries := requests(6)
	entries[2].(*exobench.Record).OutputTokens = nil
	c := only(t, entries...)
	_, throughput := c.Value(metric.Throughput)
	if _, rate := c.Value(metric.RequestRate); throughput || !rate {
		t.Errorf("values %v", c.Values)
	}
	checkWarnings(t, c, CountsUnknown{N: 1, Of: 6})
}

func TestCachedAnswersOfAColdPlanAreWarnedOf(t *testing.T) {
	entries := requests(6)
	for _, e := range entries {
		e.(*exobench.Record).CachedTokens = tokens(0)
	}
	if c := only(t, entries...); c.Cache != CacheCold || len(c.Warnings) != 0 {
		t.Errorf("cache %q, warnings %v", c.Cache, c.Warnings)
	}
	entries[3].(*exobench.Record).CachedTokens = tokens(7)
	c := only(t, entries...)
	if c.Cache != CacheWarm {
		t.Errorf("cache %q", c.Cache)
	}
	checkWarnings(t, c, CachedAnswers{N: 1, Of: 6, Tokens: 7})
	if c := only(t, requests(6)...); c.Cache != CacheUnknown {
		t.Errorf("cache %q where no answer tells", c.Cache)
	}
}

func TestPromptsStandInThePlansOrder(t *testing.T) {
	entries := requests(4)
	for i, id := range []string{"a", "c", "b", "a"} {
		entries[i].(*exobench.Record).PromptID = id
	}
	var got []string
	for _, p := range only(t, entries...).Prompts {
		got = append(got, fmt.Sprintf("%s n=%d %.2f", p.ID, p.N, p.Metrics[metric.Latency].Median))
	}
	want := []string{"b n=1 1.20", "a n=2 1.15", "c n=1 1.10"}
	if !slices.Equal(got, want) {
		t.Errorf("prompts = %q, want %q", got, want)
	}
}

func TestDeliveredIsTheMeanNumberOfRequestsUnderWay(t *testing.T) {
	// Two of 4 s and one of 2 s in 6 s: 10 / 6.
	c := only(t, ok(1, 10, 4*second), ok(2, 10, 2*second), ok(3, 12, 4*second))
	if d := c.Values[metric.Delivered]; math.Abs(d-10.0/6) > 1e-9 {
		t.Errorf("delivered %v, want 10/6", d)
	}
}

// openLoop is two rates on model one: 2/s in block 1, of which each request is
// sent 20 ms late, and 4/s in block 2, late by 50 ms.
func openLoop() []exobench.Entry {
	entries := []exobench.Entry{
		header(), &exobench.Session{ID: 1}, aStep(1, "one"),
		aCell(1, "one", exobench.Traffic{Rate: 2, Arrival: exobench.Constant}), aBlock(1, 1, 1),
		aCell(2, "one", exobench.Traffic{Rate: 4, Arrival: exobench.Constant}), aBlock(2, 1, 2),
		&exobench.StageEvent{At: second, Step: 1, Stage: exobench.StagePlace, Placement: "ring"},
		&exobench.StageEvent{At: 3 * second, Step: 1, Stage: exobench.StageReady},
	}
	for i := range 8 {
		one, two := ok(i+1, exobench.Instant(10+i), 1500*ms), in(2, ok(i+9, exobench.Instant(30+i), 2500*ms))
		one.Scheduled, two.Scheduled = one.Sent-20*ms, two.Sent-50*ms
		entries = append(entries, one, two)
	}
	return append(entries,
		&exobench.BlockEnd{At: 20 * second, Block: 1, Reason: exobench.BlockDone},
		&exobench.BlockEnd{At: 50 * second, Block: 2, Reason: exobench.BlockDone},
		&exobench.StepEnd{At: 60 * second, Step: 1, Reason: exobench.StepReleased}, end(61))
}

func TestEachRateIsACellOfOneStep(t *testing.T) {
	run := build(t, openLoop()...)
	if len(run.Steps) != 1 || len(run.Cells) != 2 || !slices.Equal(run.Steps[0].Cells, []int{1, 2}) {
		t.Fatalf("steps %+v, %d cells", run.Steps, len(run.Cells))
	}
	if load := run.Steps[0].Load; load == nil || load.Loading != 2*time.Second {
		t.Errorf("load %+v", load)
	}
	for i, late := range []float64{0.020, 0.050} {
		c := run.Cells[i]
		slip, _ := c.Metric(metric.Slip)
		if math.Abs(slip.Median-late) > 1e-9 || c.State != Done || c.Placement != "ring" || c.Values[metric.LoadTime] != 2 {
			t.Errorf("cell %d: slip %+v, %s in %q, values %v", c.ID, slip, c.State, c.Placement, c.Values)
		}
	}
}

func TestAClosedLoopHasNoSlip(t *testing.T) {
	// The requests come before what tells of their loop, too.
	for _, entries := range [][]exobench.Entry{slices.Concat(outline(), requests(6)), slices.Concat(requests(6), outline())} {
		if s, known := build(t, entries...).Cell(1).Metric(metric.Slip); known {
			t.Errorf("slip %+v", s)
		}
	}
}

func TestTheCalibrationOfAnOpenLoopIsThatOfWhatWasUnderWay(t *testing.T) {
	entries := openLoop()
	for _, streams := range []int{1, 2, 3, 8} {
		entries = append(entries, &exobench.Calibration{At: exobench.Instant(streams), Session: 1, Streams: streams})
	}
	run := build(t, entries...)
	// 12 s of requests in 8.5 s, 20 s in 9.5 s: 1.4 and 2.1 under way.
	for i, want := range []int{2, 3} {
		if c := run.Cells[i].Calibration; c == nil || c.Streams != want {
			t.Errorf("cell %d, %.2f under way: %+v, want %d streams", i+1, run.Cells[i].Values[metric.Delivered], c, want)
		}
	}
}

func TestABlockThatNothingTellsOfIsUnplaced(t *testing.T) {
	run := of(t, append(requests(6), in(77, ok(7, 100, second)))...)
	if run.Unplaced != 1 || run.Requests != 6 || run.Cell(1).N != 6 {
		t.Errorf("%d unplaced, %d requests, n %d", run.Unplaced, run.Requests, run.Cell(1).N)
	}
	if w := run.Warnings(); len(w) != 2 || w[1].Figures != untold || w[0].Figures != (UnplacedRequests{1}) {
		t.Errorf("warnings %+v", w)
	}
}
