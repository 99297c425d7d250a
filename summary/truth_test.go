package summary

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench"
	"exobench/metric"
)

func TestTheTokensOfAChatTemplateAreNoCacheHit(t *testing.T) {
	for _, row := range []struct {
		cached, prompt exobench.Tokens
		want           Cache
	}{
		{0, 40, CacheCold}, {3, 22, CacheCold}, {7, 30, CacheCold}, {7, 14, CacheCold},
		{100, 500, CacheCold}, // a fifth
		{101, 500, CacheWarm}, {7, 13, CacheWarm}, {13, 14, CacheWarm}, {9, 40, CacheWarm}, {1, 1, CacheWarm},
		{7, 0, CacheWarm}, // the prompt is unknown
	} {
		r := ok(1, 10, second)
		r.CachedTokens = tokens(row.cached)
		if row.prompt > 0 {
			r.PromptTokens = tokens(row.prompt)
		}
		r.Server = &exobench.ServerStats{PrefixCache: "partial"}
		if got := cacheOf(r); got != row.want {
			t.Errorf("%d of %d tokens: %q, want %q", row.cached, row.prompt, got, row.want)
		}
	}
}

func TestAWarmPlanIsToldOfAnswersWithoutTheCache(t *testing.T) {
	entries := requests(6)
	for i, e := range entries {
		r := e.(*exobench.Record)
		r.PromptTokens, r.CachedTokens = tokens(100), tokens(99)
		if i < 2 {
			r.CachedTokens = tokens(4)
		}
	}
	h := header()
	h.Plan.Workload.Cache = exobench.WarmCache
	run := build(t, slices.Concat([]exobench.Entry{h}, outline()[1:], entries)...)
	checkWarnings(t, run.Cell(1), UncachedAnswers{2, 6})
	if w := run.Warnings(); len(w) != 1 || w[0].Kind != "cut_off" {
		t.Errorf("warnings %+v", w)
	}
}

func TestAPlanThatNamesTheSeedOfItsPromptsIsToldOfIt(t *testing.T) {
	h := header()
	h.Plan.Seeds.Prompts = 7
	of := func(h *exobench.Header) []Warning {
		return build(t, slices.Concat([]exobench.Entry{h}, outline()[1:], []exobench.Entry{end(99)})...).Warnings()
	}
	if d := cmp.Diff([]Warning{{Kind: "prompts_repeat", Figures: PromptsRepeat{7}}}, of(h)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	h.Engines[0].CacheSwitch = true // its prompts have no letters
	if w := of(h); len(w) != 0 {
		t.Errorf("warnings %+v", w)
	}
}

func TestEveryDoubtOfARecordIsAWarning(t *testing.T) {
	entries := requests(6)
	record := func(i int) *exobench.Record { return entries[i].(*exobench.Record) }
	var want []Figures
	for i, kind := range exobench.DoubtKinds {
		late, early := exobench.Doubt{Kind: kind, Text: "late"}, exobench.Doubt{Kind: kind, Said: int64(i), Seen: 2}
		record(4).Doubts = append(record(4).Doubts, late)
		record(1).Doubts = append(record(1).Doubts, early)
		want = append(want, Doubted{2, 6, early})
	}
	record(4).Outcome = exobench.StreamError
	slices.Reverse(entries) // the first is that of the least number, whatever the order
	c := only(t, entries...)
	var got []Figures
	for _, w := range c.Warnings {
		if d, ok := w.Figures.(Doubted); ok {
			got = append(got, d)
			if w.Kind != WarningKind(d.Doubt.Kind) {
				t.Errorf("a doubt of kind %s is a warning of kind %s", d.Doubt.Kind, w.Kind)
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAFigureThatCannotBeIsLeftOut(t *testing.T) {
	entries := requests(6)
	for i, v := range []float64{20, 1.7e308, 1e-320, 20, math.Inf(1), math.NaN()} {
		entries[i].(*exobench.Record).Server = &exobench.ServerStats{DecodeTPS: &v}
	}
	c := only(t, entries...)
	if s := c.Metrics[metric.ServerDecode]; s.N != 2 || s.Mean != 20 || s.Max != 20 {
		t.Errorf("%+v", s)
	}
	found := false
	for _, w := range c.Warnings {
		found = found || w.Figures == (ImpossibleFigures{4, 6, metric.ServerDecode})
	}
	if !found {
		t.Errorf("warnings %+v", c.Warnings)
	}
}

func TestAReadingThatCannotBeIsLeftOut(t *testing.T) {
	sample := func(at exobench.Instant, m exobench.Moment, v float64) *exobench.Sample {
		return &exobench.Sample{At: at, Step: 1, Moment: m, Sensor: "processes", Values: exobench.Values{{Quantity: exobench.PSS, Value: v}}}
	}
	c := only(t, append(requests(1), sample(1, exobench.Before, 1e9), sample(2, exobench.Before, math.NaN()), sample(3, exobench.Loaded, 2e9), sample(4, exobench.Loaded, 1.7e308))...)
	if model, known := c.Memory.Model(); !known || model != 1e9 {
		t.Errorf("model memory %v, %v", model, known)
	}
}

func TestACellSaysWhyItEndedEarly(t *testing.T) {
	for _, reason := range []exobench.BlockEndReason{
		exobench.BlockDone, exobench.BlockTime, exobench.BlockNoAnswer, exobench.BlockInterrupted, exobench.BlockFailed,
	} {
		entries := append(requests(6), in(1, &exobench.Record{Seq: 7, Block: 1, Outcome: exobench.Unsent}), &exobench.BlockEnd{At: 99 * second, Block: 1, Reason: reason})
		c := only(t, entries...)
		if !slices.Equal(c.Ends, []exobench.BlockEndReason{reason}) {
			t.Errorf("ends %v, want %s", c.Ends, reason)
		}
		told := slices.ContainsFunc(c.Warnings, func(w Warning) bool { return w.Figures == EndedEarly{reason, 1} })
		if told != (reason != exobench.BlockDone && reason != exobench.BlockTime) {
			t.Errorf("%s: warnings %+v", reason, c.Warnings)
		}
	}
}

// An open loop has no concurrency: what is under way is what it delivered.
func TestRequestsOfAnOverloadedOpenLoopWaitForEachOther(t *testing.T) {
	of := func(gap exobench.Instant, driver string) Figures {
		h := header()
		h.Engines[0].Driver = driver
		entries := slices.Concat([]exobench.Entry{h}, outline()[1:])
		for _, e := range entries {
			if c, ok := e.(*exobench.Cell); ok {
				c.Traffic = exobench.Traffic{Rate: 6, Arrival: exobench.Poisson}
			}
		}
		for i := range 12 {
			r := served(i+1, 64)
			shift := exobench.Instant(i)*gap - r.Sent + second
			r.Scheduled, r.Sent, r.FirstToken, r.LastToken, r.Done, r.Ended = r.Scheduled+shift, r.Sent+shift, r.FirstToken+shift, r.LastToken+shift, r.Done+shift, r.Ended+shift
			for j := range r.Chunks {
				r.Chunks[j].At += shift
			}
			r.PromptTokens, r.Server.PrefillTPS = tokens(20), new(2000.0)
			entries = append(entries, r)
		}
		for _, w := range build(t, entries...).Cell(1).Warnings {
			if d, ok := w.Figures.(PrefillSlower); ok {
				return d
			}
		}
		return nil
	}
	busy, isSlow := of(second, "exo").(PrefillSlower)
	if !isSlow || busy.Cause != RequestsWait || busy.UnderWay < 3 || busy.AtOnce != 8 || busy.Tick != 100*time.Millisecond {
		t.Errorf("a busy exo: %+v", busy)
	}
	idle, isSlow := of(60*second, "llamacpp").(PrefillSlower)
	if !isSlow || idle.Cause != PromptsShort || idle.UnderWay > 1 || idle.AtOnce != 0 || idle.Tick != 0 {
		t.Errorf("an idle engine: %+v", idle)
	}
}
