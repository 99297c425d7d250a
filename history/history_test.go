package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/compare"
	"exobench/summary"
)

const ms = exobench.Instant(1e6)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// setting is a run's, as it comes out on day of a history.
type setting struct {
	day     int
	slower  float64 // by what factor everything takes longer
	busy    float64 // the share of the machine that others take
	version string  // the engine's
	change  func(*exobench.Header, *exobench.Session)
}

// measured is what a run on an engine comes to.
func measured(t testing.TB, r *rand.Rand, s setting) Run {
	t.Helper()
	model := exobench.Model{Name: "one", ID: "org/one"}
	header := &exobench.Header{
		Schema: exobench.SchemaVersion, RunID: fmt.Sprintf("run-%02d", s.day), Tool: exobench.Tool{Version: "1.0"},
		Plan: exobench.Plan{
			Engines:  []exobench.EngineSpec{{Name: "exo", Options: map[string]string{"sharding": "pipeline"}}},
			Models:   []string{"one"},
			Workload: exobench.Workload{MaxTokens: 10, Cache: exobench.ColdCache, Prompts: []exobench.Prompt{{ID: "a"}, {ID: "b"}}},
			Loads:    1,
		},
		Engines: []exobench.Engine{{Name: "exo", Driver: "exo", Version: s.version, Models: []exobench.Model{model}}},
	}
	session := &exobench.Session{ID: 1, Epoch: noon.AddDate(0, 0, s.day), PID: 100 + s.day, Host: exobench.Host{Name: "studio", CPU: "chip", Cores: 8, System: "linux 6.1", Memory: 16 << 30}}
	if s.change != nil {
		s.change(header, session)
	}
	entries := []exobench.Entry{
		header, session, &exobench.Cell{ID: 1, Engine: "exo", Model: model, Traffic: exobench.Traffic{Concurrency: 1}},
		&exobench.Step{ID: 1, Session: 1, Engine: "exo", Model: model}, &exobench.Block{ID: 1, Step: 1, Cell: 1, At: ms},
	}
	level := max(s.slower, 1) * math.Exp(0.01*r.NormFloat64())
	at := 2 * ms
	for seq := range 6 {
		took := exobench.Instant(1000 * float64(ms) * level * math.Exp(0.01*r.NormFloat64()))
		first := at + took/10
		record := &exobench.Record{
			Seq: seq + 1, Block: 1, PromptID: string(rune('a' + seq%2)), Outcome: exobench.OK, Scheduled: at, Sent: at,
			FirstToken: first, FirstAnswer: first, LastToken: at + took, Done: at + took, Ended: at + took + ms,
			OutputTokens: new(exobench.Tokens(10)), TokensFrom: exobench.FromUsage,
		}
		for i := range exobench.Instant(10) {
			record.Chunks = append(record.Chunks, exobench.Chunk{At: first + i*(at+took-first)/9})
		}
		entries = append(entries, record)
		at += took + 10*ms
	}
	values := exobench.Values{{Quantity: exobench.Foreign, Value: s.busy}, {Quantity: exobench.EngineCPU, Value: 0.5}}
	entries = append(entries, &exobench.Sample{At: at, Step: 1, Block: 1, Moment: exobench.After, Sensor: "machine", Span: 1e9, Values: values},
		&exobench.BlockEnd{At: at, Block: 1, Reason: exobench.BlockDone}, &exobench.End{At: at, Session: 1, Reason: exobench.EndFinished})
	run, err := summary.Build(slices.Values(entries))
	if err != nil {
		t.Fatal(err)
	}
	return Keep(fmt.Sprintf("r%02d", s.day), run)
}

// over is a history of n days, which a function may change.
func over(t testing.TB, n int, of func(day int, s *setting)) []Run {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 9))
	var runs []Run
	for day := range n {
		s := setting{day: day, version: "b1"}
		of(day, &s)
		runs = append(runs, measured(t, r, s))
	}
	return runs
}

func looked(t testing.TB, runs []Run, o Options) *Result {
	t.Helper()
	r, err := Look(runs, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func seriesOf(t testing.TB, r *Result, metric string) Series {
	t.Helper()
	for _, s := range r.Groups[0].Series {
		if s.Metric == metric {
			return s
		}
	}
	t.Fatalf("there is no series of %s", metric)
	return Series{}
}

func TestAChangeIsFoundWhereItIsWithWhatElseChanged(t *testing.T) {
	runs := over(t, 14, func(day int, s *setting) {
		if day >= 7 {
			s.slower, s.version = 1.1, "b2"
			s.change = func(h *exobench.Header, session *exobench.Session) {
				h.Plan.Engines[0].Options = map[string]string{"sharding": "pipeline", "min-nodes": "2"}
				h.Plan.Loads = 3
				h.Tool.Version = "1.1"
				session.Host.System = "linux 6.2"
			}
		}
	})
	r := looked(t, runs, Options{})
	if len(r.Groups) != 1 || len(r.Groups[0].Runs) != 14 {
		t.Fatalf("%d groups", len(r.Groups))
	}
	for metric, better := range map[string]bool{"tokens_per_second": false, "latency_s": false, "ttft_s": false} {
		s := seriesOf(t, r, metric)
		if len(s.Changes) != 1 || s.Changes[0].At != 7 || s.Changes[0].Before != "r06" || s.Changes[0].After != "r07" {
			t.Fatalf("%s: %+v", metric, s.Changes)
		}
		c := s.Changes[0]
		if (c.Verdict == compare.Better) != better || c.Interval == nil || !(c.Interval.Lo < c.Ratio && c.Ratio < c.Interval.Hi) || c.Runs != [2]int{7, 7} || !(c.P > 0 && c.P < 0.05) {
			t.Errorf("%s: %+v", metric, c)
		}
		if size := math.Abs(math.Log(c.Ratio)); size < 0.07 || size > 0.13 {
			t.Errorf("%s: the ratio is %v", metric, c.Ratio)
		}
		var what []string
		for _, u := range c.Unlike {
			what = append(what, u.String())
		}
		want := []string{"operating system: linux 6.1, then linux 6.2", "exobench: 1.0, then 1.1", "plan: loads: 1, then 3", "engine's version: b1, then b2", "--min-nodes: none, then 2"}
		if !slices.Equal(what, want) {
			t.Errorf("%s: what changed is %q, want %q", metric, what, want)
		}
	}
}

func TestTheOrderInWhichRunsAreGivenDoesNotMatter(t *testing.T) {
	runs := over(t, 12, func(day int, s *setting) { s.slower = 1 + 0.1*float64(day/6) })
	want := looked(t, runs, Options{})
	shuffled := slices.Clone(runs)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	got := looked(t, shuffled, Options{})
	for i, s := range want.Groups[0].Series {
		if o := got.Groups[0].Series[i]; len(s.Changes) != len(o.Changes) || len(s.Changes) != 1 || s.Changes[0].After != o.Changes[0].After || s.Changes[0].P != o.Changes[0].P {
			t.Errorf("%s: %+v, then %+v", s.Metric, s.Changes, o.Changes)
		}
	}
}

func TestRunsOfOtherThingsAreOtherSeries(t *testing.T) {
	for why, c := range map[string]struct {
		change         func(*exobench.Header, *exobench.Session)
		groups, series int
	}{
		"longer answers":    {func(h *exobench.Header, _ *exobench.Session) { h.Plan.Workload.MaxTokens = 20 }, 2, 3},
		"other prompts":     {func(h *exobench.Header, _ *exobench.Session) { h.Plan.Workload.Prompts[0].Text = "x" }, 2, 3},
		"another processor": {func(_ *exobench.Header, s *exobench.Session) { s.Host.CPU = "chop" }, 2, 3},
		"another GPU":       {func(_ *exobench.Header, s *exobench.Session) { s.Host.GPUs = []exobench.GPU{{Name: "H100"}} }, 2, 3},
		"a stand-in":        {func(h *exobench.Header, _ *exobench.Session) { h.Engines[0].Label = "random weights" }, 1, 6},
		"another kernel":    {func(_ *exobench.Header, s *exobench.Session) { s.Host.System = "linux 7" }, 1, 3},
		"more loads":        {func(h *exobench.Header, _ *exobench.Session) { h.Plan.Loads = 2 }, 1, 3},
	} {
		runs := over(t, 8, func(day int, s *setting) {
			if day%2 == 1 {
				s.change = c.change
			}
		})
		r := looked(t, runs, Options{})
		if len(r.Groups) != c.groups || len(r.Groups[0].Series) != c.series {
			t.Errorf("%s: %d groups, the first with %d series; want %d and %d", why, len(r.Groups), len(r.Groups[0].Series), c.groups, c.series)
		}
	}
}

func TestTooFewRunsSayHowManyAreNeeded(t *testing.T) {
	for _, n := range []int{1, 5, 8} {
		r := looked(t, over(t, n, func(day int, s *setting) { s.slower = 1 + float64(2*day/n) }), Options{})
		for _, s := range r.Groups[0].Series {
			if len(s.Changes) > 0 || s.Needed != 10 {
				t.Errorf("of %d runs of three series, %s: %d needed, want 10; %+v", n, s.Metric, s.Needed, s.Changes)
			}
		}
	}
	// As many as needed, as clearly as can be, are enough.
	needed := looked(t, over(t, 8, func(int, *setting) {}), Options{}).Groups[0].Series[0].Needed
	s := seriesOf(t, looked(t, over(t, needed, func(day int, s *setting) { s.slower = 1 + float64(2*day/needed) }), Options{}), "latency_s")
	if s.Needed != 0 || len(s.Changes) != 1 {
		t.Errorf("of %d runs: %d needed, %+v", needed, s.Needed, s.Changes)
	}
}

func TestAChangeThatOthersOnTheMachineExplainIsNoVerdict(t *testing.T) {
	for why, c := range map[string]struct {
		before, after float64
		want          compare.Verdict
	}{
		"a quiet machine":      {0, 0, compare.Worse},
		"busy since":           {0, 0.4, compare.Disturbed},
		"busy until then":      {0.4, 0, compare.Worse},
		"as busy as before":    {0.4, 0.4, compare.Worse},
		"a little busier only": {0.38, 0.4, compare.Worse},
	} {
		s := seriesOf(t, looked(t, over(t, 14, func(day int, s *setting) {
			s.busy = c.before
			if day >= 7 {
				s.slower, s.busy = 1.1, c.after
			}
		}), Options{}), "latency_s")
		if len(s.Changes) != 1 || s.Changes[0].Verdict != c.want {
			t.Errorf("%s: %+v, want %s", why, s.Changes, c.want)
		}
	}
}

func TestTheNewestChangeBeyondALimitIsABreach(t *testing.T) {
	limits, err := compare.ParseLimits("latency>+3%")
	if err != nil {
		t.Fatal(err)
	}
	slow := over(t, 14, func(day int, s *setting) { s.slower = 1 + 0.1*float64(day/7) })
	fixed := over(t, 24, func(day int, s *setting) { s.slower = 1 + 0.1*float64(day/8%2) })
	for _, c := range []struct {
		why  string
		runs []Run
		last int
		want int
	}{
		{"slower at last", slow, 0, 1},
		{"slower, and fixed since", fixed, 0, 0},
		{"slower, longer ago than is looked at", over(t, 30, func(day int, s *setting) {
			if day >= 7 {
				s.slower = 1.1
			}
		}), 20, 0},
	} {
		r := looked(t, c.runs, Options{Last: c.last})
		if got := r.Breaches(limits); len(got) != c.want {
			t.Errorf("%s: %v, changes %+v", c.why, got, seriesOf(t, r, "latency_s").Changes)
		}
	}
}

func TestCopiesOfARunAreToldFromOthers(t *testing.T) {
	runs := over(t, 2, func(int, *setting) {})
	if copied := runs[0]; !copied.Same(runs[0]) || runs[0].Same(runs[1]) {
		t.Error("a run is not the same as its copy, or is as another")
	}
}

func TestWhatCannotBeLookedForIsRefused(t *testing.T) {
	runs := over(t, 2, func(int, *setting) {})
	for text, o := range map[string]Options{"there is no metric": {Metrics: []string{"speed"}}, "least effect": {MinEffect: 2}} {
		if _, err := Look(runs, o); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	// A figure of whole runs is one too, without an interval.
	s := seriesOf(t, looked(t, runs, Options{Metrics: []string{"throughput_tokens_per_second"}}), "throughput_tokens_per_second")
	if len(s.Points) != 2 || s.Points[0].Interval != nil {
		t.Errorf("%+v", s.Points)
	}
}
