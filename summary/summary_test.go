package summary

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"exobench"
	"exobench/metric"
)

// requests returns n OK requests of 1.0, 1.1, 1.2, ... s, one every 10 s.
func requests(n int) []exobench.Entry {
	var entries []exobench.Entry
	for i := range n {
		at := exobench.Instant(i)
		entries = append(entries, ok(i+1, 10+10*at, second+100*ms*at))
	}
	return entries
}

func TestCellByHand(t *testing.T) {
	c := only(t, requests(7)...)
	s, _ := c.Metric(metric.Latency)
	// 1.0 ... 1.6 s: median 1.3, mean 1.3, sd 0.1·√(28/6); with n = 7 the
	// interval is [least, greatest] at 1 − 2/2⁷.
	want := map[string]float64{"median": 1.3, "mean": 1.3, "sd": 0.1 * math.Sqrt(28.0/6), "lo": 1.0, "hi": 1.6, "confidence": 0.984375}
	got := map[string]float64{"median": s.Median, "mean": s.Mean, "sd": *s.SD, "lo": s.Interval.Lo, "hi": s.Interval.Hi, "confidence": s.Interval.Confidence}
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); d != "" {
		t.Errorf("latency (-want +got):\n%s", d)
	}
	if c.N != 7 || c.Requests != 7 || c.Outcomes[exobench.OK] != 7 || len(s.Percentiles) != 0 {
		t.Errorf("n %d of %d, outcomes %v, percentiles %v", c.N, c.Requests, c.Outcomes, s.Percentiles)
	}
	// From the first sent at 10 s to the last done at 71.6 s.
	if c.Wall != 61600*time.Millisecond || math.Abs(*c.Throughput-70/61.6) > 1e-12 || math.Abs(*c.RequestRate-7/61.6) > 1e-12 {
		t.Errorf("wall %v, throughput %v, requests/s %v", c.Wall, *c.Throughput, *c.RequestRate)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings: %q", c.Warnings)
	}
}

func TestFewRequestsGiveNoInterval(t *testing.T) {
	c := only(t, requests(1)...)
	s, _ := c.Metric(metric.Latency)
	if s.N != 1 || s.Median != 1 || s.Interval != nil || s.SD != nil {
		t.Errorf("one request: %+v", s)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "raise --repeat") {
		t.Errorf("warnings: %q", c.Warnings)
	}
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
	entries := append(requests(6), late, early)
	c := only(t, entries...)
	s, _ := c.Metric(metric.Latency)
	if s.N != 6 || s.Max > 2 || c.N != 6 || c.Requests != 8 || c.Outcomes[exobench.Timeout] != 2 {
		t.Errorf("n %d, max %v, cell %d of %d, outcomes %v", s.N, s.Max, c.N, c.Requests, c.Outcomes)
	}
	if c.Errors[exobench.Timeout] != "first error" {
		t.Errorf("error = %q, want that of the lower seq", c.Errors[exobench.Timeout])
	}
	// The time lost to them is part of the wall time: 10 s to 150.001 s.
	if c.Wall != 140001*time.Millisecond {
		t.Errorf("wall = %v", c.Wall)
	}
}

func TestACellOfFailuresHasNoFigures(t *testing.T) {
	r := ok(1, 10, second)
	r.Outcome = exobench.HTTPError
	c := only(t, r)
	if len(c.Metrics) != 0 || c.Throughput != nil || c.RequestRate != nil || c.N != 0 || c.Memory.Peak != nil {
		t.Errorf("cell: %+v", c)
	}
}

func TestWarmupsAreLeftOut(t *testing.T) {
	warm := ok(1, 5, 100*second)
	warm.Phase = exobench.Warmup
	entries := append([]exobench.Entry{header(), warm}, requests(6)...)
	run := build(t, entries...)
	s, _ := run.Cells[0].Metric(metric.Latency)
	if run.Warmups != 1 || run.Requests != 6 || s.N != 6 || s.Max > 2 {
		t.Errorf("%d warm-ups, %d requests, latency %+v", run.Warmups, run.Requests, s)
	}
	rows := 0
	err := run.Rows(sequence(entries), func(row Row) error {
		rows++
		if row.Record.Phase != exobench.Measured {
			t.Errorf("a row of phase %q", row.Record.Phase)
		}
		return nil
	})
	if err != nil || rows != 6 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestRowsStopAtTheFirstError(t *testing.T) {
	entries := append([]exobench.Entry{header()}, requests(3)...)
	boom, calls := errors.New("boom"), 0
	err := build(t, entries...).Rows(sequence(entries), func(Row) error { calls++; return boom })
	if !errors.Is(err, boom) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestWaysOfCountingTokensAreNotPooled(t *testing.T) {
	entries := requests(9)
	for _, i := range []int{0, 4} {
		r := entries[i].(*exobench.Record)
		r.TokensFrom, r.OutputTokens = exobench.FromEvents, tokens(1000)
	}
	c := only(t, entries...)
	rate, _ := c.Metric("e2e_tokens_per_second")
	latency, _ := c.Metric(metric.Latency)
	if c.TokensFrom != exobench.FromUsage || rate.N != 7 || rate.Max > 10 || latency.N != 9 || c.Throughput != nil {
		t.Errorf("from %q, rate %+v, latency n %d, throughput %v", c.TokensFrom, rate, latency.N, c.Throughput)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "usage: 7, events: 2") {
		t.Errorf("warnings: %q", c.Warnings)
	}
	if tps := c.Prompts[0].Metrics[metric.TokenRate]; tps.N != 7 {
		t.Errorf("the prompt pools %d token rates", tps.N)
	}
}

func TestUnknownTokensLeaveNoThroughput(t *testing.T) {
	entries := requests(6)
	entries[2].(*exobench.Record).OutputTokens = nil
	c := only(t, entries...)
	if c.Throughput != nil || c.RequestRate == nil || len(c.Warnings) != 1 {
		t.Errorf("throughput %v, requests/s %v, warnings %q", c.Throughput, c.RequestRate, c.Warnings)
	}
}

func TestCachedAnswersOfAColdPlanAreWarnedOf(t *testing.T) {
	entries := requests(6)
	for _, e := range entries {
		e.(*exobench.Record).CachedTokens = tokens(0)
	}
	if c := only(t, entries...); c.Cache != CacheCold || len(c.Warnings) != 0 {
		t.Errorf("cache %q, warnings %q", c.Cache, c.Warnings)
	}
	entries[3].(*exobench.Record).CachedTokens = tokens(7)
	if c := only(t, entries...); c.Cache != CacheWarm || len(c.Warnings) != 1 {
		t.Errorf("cache %q, warnings %q", c.Cache, c.Warnings)
	}
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

func TestCellsStandInThePlansOrder(t *testing.T) {
	entries := []exobench.Entry{header(), end(1000)}
	for i, key := range []Key{{Subject: Subject{"exo", "zero"}}, {Subject: Subject{"exo", "three"}}, {Subject: Subject{"exo", "one"}, Load: exobench.Load{Concurrency: 4}}, {Subject: Subject{"exo", "one"}, Load: exobench.Load{Concurrency: 2}}} {
		r := ok(i+1, exobench.Instant(10*i+10), second)
		r.Model, r.Concurrency = key.Model, key.Concurrency
		entries = append(entries, r)
	}
	run := build(t, entries...)
	var got []string
	for _, c := range run.Cells {
		got = append(got, fmt.Sprint(c.Model, c.Concurrency))
	}
	if want := []string{"one2", "one4", "three0", "zero0"}; !slices.Equal(got, want) {
		t.Errorf("cells = %q, want %q", got, want)
	}
	if want := []Subject{{"exo", "one"}, {"exo", "two"}, {"exo", "three"}, {"exo", "zero"}}; !slices.Equal(run.Subjects(), want) {
		t.Errorf("subjects = %q, want %q", run.Subjects(), want)
	}
}

func TestEndsOfARun(t *testing.T) {
	entries := append([]exobench.Entry{header()}, requests(2)...)
	cut := build(t, entries...)
	cut.Damaged = 1
	if w := cut.Warnings(); !cut.Incomplete || len(w) != 2 || !strings.Contains(w[0], "cut off after 2 measured requests") {
		t.Errorf("cut off: %v, %q", cut.Incomplete, w)
	}
	stopped := build(t, append(entries, &exobench.End{Reason: exobench.EndInterrupted})...)
	if w := stopped.Warnings(); stopped.Incomplete || !stopped.Interrupted || len(w) != 1 {
		t.Errorf("interrupted: %+v, %q", stopped.End, w)
	}
	if w := build(t, append(entries, end(99))...).Warnings(); len(w) != 0 {
		t.Errorf("finished: %q", w)
	}
}

func TestAJournalMustBeOfOneRun(t *testing.T) {
	if _, err := Build(sequence(requests(1))); err == nil {
		t.Error("a journal without a header is summarised")
	}
	other := header()
	other.RunID = "run-2"
	if _, err := Build(sequence([]exobench.Entry{header(), other})); err == nil {
		t.Error("a journal of two runs is summarised")
	}
	if run := build(t, header()); len(run.Cells) != 0 || !run.Incomplete {
		t.Errorf("a header alone: %+v", run)
	}
}

func TestSummaryDoesNotDependOnTheOrderOfEntries(t *testing.T) {
	const seed = 7
	entries := slices.Concat(requests(25), fullLife(), twoNodes())
	for i := range 9 {
		r := served(200+i, 64)
		r.Engine = []string{"exo", "ollama"}[i%2]
		entries = append(entries, r)
	}
	entries = append(entries, header(), end(1000), &exobench.Note{At: 3, Text: "x"}, &exobench.Note{At: 2, Text: "y"})
	for i := range 4 {
		r := ok(100+i, exobench.Instant(300+i), second)
		r.Outcome, r.Error = exobench.Truncated, fmt.Sprint("error ", i)
		entries = append(entries, r)
	}
	want := build(t, entries...)
	rng := rand.New(rand.NewPCG(seed, seed))
	for range 20 {
		rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		if d := cmp.Diff(want, build(t, entries...), cmpopts.IgnoreUnexported(Run{})); d != "" {
			t.Fatalf("seed %d: shuffled (-want +got):\n%s", seed, d)
		}
	}
}
