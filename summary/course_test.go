package summary

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// noise draws what a quiet request is off by, as a factor.
type noise struct {
	name string
	draw func(*rand.Rand) func() float64
}

func independent(one func(*rand.Rand) float64) func(*rand.Rand) func() float64 {
	return func(r *rand.Rand) func() float64 { return func() float64 { return one(r) } }
}

func normal(sigma float64) noise {
	return noise{fmt.Sprintf("normal, %g %%", 100*sigma), independent(func(r *rand.Rand) float64 { return 1 + sigma*r.NormFloat64() })}
}

// autocorrelated noise of 3 % has a part of the one before in each.
func autocorrelated(part float64) noise {
	return noise{fmt.Sprintf("autocorrelated, %g", part), func(r *rand.Rand) func() float64 {
		state := r.NormFloat64()
		return func() float64 {
			state = part*state + math.Sqrt(1-part*part)*r.NormFloat64()
			return math.Exp(0.03 * state)
		}
	}}
}

var quiet = []noise{
	normal(0.03), normal(0.1),
	{"skewed (lognormal, 20 %)", independent(func(r *rand.Rand) float64 { return math.Exp(0.2 * r.NormFloat64()) })},
	{"skewed (exponential tail)", independent(func(r *rand.Rand) float64 { return 1 + 0.1*r.ExpFloat64() })},
	{"heavy tails (t3, 3 %)", independent(func(r *rand.Rand) float64 {
		chi := 0.0
		for range 3 {
			z := r.NormFloat64()
			chi += z * z
		}
		return math.Exp(0.03 * r.NormFloat64() / math.Sqrt(chi/3))
	})},
	autocorrelated(0.3), autocorrelated(0.5),
}

// cellOf draws the latencies of a cell of one load and five prompts.
func cellOf(r *rand.Rand, n noise, repeats int) []stat.Observation {
	var all []stat.Observation
	next := n.draw(r)
	for range repeats {
		for prompt, size := range []float64{1, 1.3, 0.8, 2, 1.1} {
			all = append(all, stat.Observation{Value: size * next(), Stratum: prompt, Block: 1})
		}
	}
	return all
}

// loadsOf draws a cell of several loads, which differ by 4 %.
func loadsOf(r *rand.Rand, n noise, loads, repeats int) []stat.Observation {
	var all []stat.Observation
	for load := range loads {
		shift := math.Exp(0.04 * r.NormFloat64())
		for _, o := range cellOf(r, n, repeats) {
			o.Value, o.Block = o.Value*shift, load+1
			all = append(all, o)
		}
	}
	return all
}

// alarms says what a cell is warned of.
func alarms(c course) []string {
	var all []string
	for name, is := range map[string]bool{"slow first": c.lead != nil, "drift": c.trend != nil, "two modes": c.modes != nil, "outliers": len(c.outliers) > 0} {
		if is {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// The figures stand in docs/benchmarking_methodology.md.
func TestQuietCellsAreSeldomWarnedOf(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which the whole tests run")
	}
	latency, _ := metric.ByName(metric.Latency)
	const tries = 2000
	for _, n := range quiet {
		for _, design := range []struct{ loads, repeats int }{{1, 3}, {1, 10}, {1, 40}, {5, 3}} {
			t.Run(fmt.Sprintf("%s, %d × %d", n.name, design.loads, design.repeats), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(11, uint64(design.loads*design.repeats)))
				counts, any := map[string]int{}, 0
				for range tries {
					told := alarms(courseOf(loadsOf(r, n, design.loads, design.repeats), latency, 1, 0))
					for _, name := range told {
						counts[name]++
					}
					any += min(1, len(told))
				}
				t.Logf("any %.2f %%, each of %d: %v", 100*float64(any)/tries, tries, counts)
				for name, count := range counts {
					if share := float64(count) / tries; share > 0.02 {
						t.Errorf("%s in %.1f %% of quiet cells", name, 100*share)
					}
				}
			})
		}
	}
}

// faults are what may be wrong with a cell of n requests, as factors by place.
var faults = []struct {
	name, want string
	of         func(r *rand.Rand, n int) func(i int) float64
	// least are the shares of cells in which it must be found, by the noise and then
	// by 3, 10 and 40 repeats.
	least map[float64][3]float64
}{
	{"first request +30 %", "slow first", func(*rand.Rand, int) func(int) float64 {
		return func(i int) float64 { return 1 + 0.3*at(i == 0) }
	}, map[float64][3]float64{0.03: {0.8, 0.95, 0.98}}},
	{"drift of 10 %", "drift", func(_ *rand.Rand, n int) func(int) float64 {
		return func(i int) float64 { return 1 + 0.1*float64(i)/float64(n-1) }
	}, map[float64][3]float64{0.01: {0.95, 1, 1}, 0.03: {0.1, 0.98, 1}}},
	{"drift of 20 %", "drift", func(_ *rand.Rand, n int) func(int) float64 {
		return func(i int) float64 { return 1 + 0.2*float64(i)/float64(n-1) }
	}, map[float64][3]float64{0.03: {0.75, 0.98, 1}}},
	{"half of the requests +10 %, mixed", "two modes", func(r *rand.Rand, _ int) func(int) float64 {
		return func(int) float64 { return 1 + 0.1*at(r.IntN(2) == 0) }
	}, map[float64][3]float64{0.01: {0, 0.95, 1}, 0.02: {0, 0.3, 0.95}}},
	{"the second half +10 %", "two modes", func(_ *rand.Rand, n int) func(int) float64 {
		return func(i int) float64 { return 1 + 0.1*at(i >= n/2) }
	}, map[float64][3]float64{0.02: {0, 0.3, 0.95}}},
	{"the second half +10 %", "drift", func(_ *rand.Rand, n int) func(int) float64 {
		return func(i int) float64 { return 1 + 0.1*at(i >= n/2) }
	}, map[float64][3]float64{0.03: {0.08, 0.9, 0.7}}},
	{"one request 2 ×", "outliers", func(r *rand.Rand, n int) func(int) float64 {
		which := 1 + r.IntN(n-1)
		return func(i int) float64 { return 1 + at(i == which) }
	}, map[float64][3]float64{0.03: {0.9, 0.95, 0.95}}},
}

func at(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func TestWhatIsWrongWithACellIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which the whole tests run")
	}
	latency, _ := metric.ByName(metric.Latency)
	const tries = 500
	for _, fault := range faults {
		for sigma, least := range fault.least {
			for i, repeats := range []int{3, 10, 40} {
				t.Run(fmt.Sprintf("%s, noise %g %%, × %d", fault.name, 100*sigma, repeats), func(t *testing.T) {
					t.Parallel()
					r := rand.New(rand.NewPCG(12, uint64(repeats)))
					found, beside := 0, map[string]int{}
					for range tries {
						all := cellOf(r, normal(sigma), repeats)
						by := fault.of(r, len(all))
						for i := range all {
							all[i].Value *= by(i)
						}
						for _, name := range alarms(courseOf(all, latency, 1, 0)) {
							if name == fault.want {
								found++
							} else {
								beside[name]++
							}
						}
					}
					t.Logf("%s in %.1f %%, beside it in %d: %v", fault.want, 100*float64(found)/tries, tries, beside)
					if share := float64(found) / tries; share < least[i] {
						t.Errorf("%s in %.1f %%, want %.0f %%", fault.want, 100*share, 100*least[i])
					}
				})
			}
		}
	}
}

// A drift from load to load is found; loads that only differ from each other are
// seldom taken for one.
func TestLoadsThatDriftAreToldFromLoadsThatDiffer(t *testing.T) {
	const tries = 1000
	for _, row := range []struct {
		loads              int
		drift, most, least float64
	}{
		{11, 0.5, 0, 0}, // too few
		{12, 0, 0.005, 0},
		{40, 0, 0.01, 0},
		{40, 0.1, 1, 0.6},
		{40, 0.2, 1, 0.98},
		{12, 0.3, 1, 0.75},
	} {
		r := rand.New(rand.NewPCG(12, uint64(row.loads)))
		found := 0
		for range tries {
			var all []stat.Observation
			for b := range row.loads {
				load := (1 + 0.04*r.NormFloat64()) * (1 + row.drift*float64(b)/float64(row.loads-1))
				for p := range 10 {
					all = append(all, stat.Observation{Value: load * (1 + float64(p%5)/10) * (1 + 0.03*r.NormFloat64()), Stratum: p % 5, Block: b})
				}
			}
			if _, is := trendOfLoads(all); is {
				found++
			}
		}
		if share := float64(found) / tries; share > row.most || share < row.least {
			t.Errorf("%d loads that differ by 4 %% and drift by %g: told in %.1f %%", row.loads, row.drift, 100*share)
		}
	}
}

func TestACellOfLoadsThatDriftSaysSo(t *testing.T) {
	for _, row := range []struct{ drift, want float64 }{{0, 0}, {0.5, 0.5}} {
		var entries []exobench.Entry
		for load := range 14 {
			step, began := load+11, exobench.Instant(100*load)
			entries = append(entries, aStep(step, "one"), aBlock(step, step, 1))
			for i := range 5 {
				latency := (1 + row.drift*float64(load)/13) * (1 + 0.004*float64((7*load+3*i)%5))
				entries = append(entries, in(step, ok(10*load+i+1, began+10*exobench.Instant(i+1), exobench.Instant(latency*float64(second)))))
			}
		}
		change := 0.0
		for _, w := range only(t, entries...).Warnings {
			if d, is := w.Figures.(Drift); is && d.Between {
				if change = 1/(1+d.Change) - 1; d.N != 14 || d.Metric != metric.TokenRate || d.Time.Round(time.Minute) != 10*time.Minute {
					t.Errorf("%+v", d)
				}
			}
		}
		if math.Abs(change-row.want) > 0.1 {
			t.Errorf("loads that drift by %g: told %g", row.drift, change)
		}
	}
}

// coursed returns the warnings about the course of a cell of 50 requests in two
// prompts, each after the other: of the latencies given, of which the first tenth of a second is
// prefill. They vary by 1 %.
func coursed(t *testing.T, change func(entries []exobench.Entry) []exobench.Entry, latency func(i int) float64) []Figures {
	t.Helper()
	r := rand.New(rand.NewPCG(21, 1))
	entries := []exobench.Entry{&exobench.Header{}}
	h := header()
	h.Engines[0].IgnoresEOS, h.Plan.Warmup, h.Plan.Stop.Repeat = true, 1, 25
	entries[0] = h
	for _, e := range outline()[1:] {
		if c, is := e.(*exobench.Cell); is {
			c.Stop.Repeat = 25
		}
		entries = append(entries, e)
	}
	for i := range 50 {
		seconds := latency(i) * (1 + float64(i%2)/10) * (1 + 0.01*r.NormFloat64())
		record := ok(i+1, exobench.Instant(10+10*i), exobench.Instant(seconds*float64(second)))
		record.PromptID = []string{"a", "b"}[i%2]
		entries = append(entries, record)
	}
	if change != nil {
		entries = change(entries)
	}
	var all []Figures
	for _, w := range build(t, append(entries, end(1000))...).Cell(1).Warnings {
		switch w.Figures.(type) {
		case SlowFirst, Drift, TwoModes, Outliers, UselessInterval:
			all = append(all, w.Figures)
		}
	}
	return all
}

func TestWhatIsOddInTheCourseOfACellIsAWarningOnce(t *testing.T) {
	if got := coursed(t, nil, func(int) float64 { return 1 }); len(got) != 0 {
		t.Errorf("a quiet cell: %+v", got)
	}
	got := coursed(t, nil, func(i int) float64 { return 1 + 0.5*at(i < 2) })
	if first, is := only1(got).(SlowFirst); !is || first.Metric != metric.TokenRate || first.N != 2 || first.Warmups != 3 || math.Abs(first.Ratio-0.64) > 0.04 {
		t.Errorf("slow first requests: %+v", got)
	}
	got = coursed(t, nil, func(i int) float64 { return 1 + 0.2*float64(i)/49 })
	if drift, is := only1(got).(Drift); !is || drift.Metric != metric.TokenRate || math.Abs(drift.Change+0.18) > 0.03 || drift.N != 50 || drift.Time.Round(time.Second) != 491*time.Second {
		t.Errorf("drift: %+v", got)
	}
	got = coursed(t, nil, func(i int) float64 { return 1 + 0.2*at(i >= 30) })
	if modes, is := only1(got).(TwoModes); !is || !modes.Stretches || modes.Changes != 1 || modes.First < 30 || modes.First > 32 || modes.After.Round(10*time.Second) != 300*time.Second || math.Abs(modes.ShareHigh-0.6) > 0.03 {
		t.Errorf("a step: %+v", got)
	}
	got = coursed(t, nil, func(i int) float64 { return 1 + 0.2*at(i*7%10 < 4) })
	if modes, is := only1(got).(TwoModes); !is || modes.Stretches || math.Abs(modes.High/modes.Low-1.22) > 0.04 {
		t.Errorf("two modes: %+v", got)
	}
	got = coursed(t, nil, func(i int) float64 { return 1 + at(i == 22) })
	if odd, is := only1(got).(Outliers); !is || odd.N != 1 || odd.Of != 50 || odd.Place != 23 || odd.Prompt != "a" || odd.After != 220*time.Second || odd.Longer.Round(100*time.Millisecond) != time.Second || odd.Pause != nil || odd.Waited != nil || odd.Disturbed {
		t.Errorf("an outlier: %+v", got)
	}
	// A step that is two modes of tokens/s; the prefills after it spread so far that
	// it is no more than a drift of latencies.
	r := rand.New(rand.NewPCG(3, 3))
	got = coursed(t, func(entries []exobench.Entry) []exobench.Entry {
		for _, e := range entries {
			if record, is := e.(*exobench.Record); is {
				later := exobench.Instant(0.08 * math.Abs(r.NormFloat64()) * float64(second))
				record.FirstToken, record.LastToken, record.Done, record.Ended = record.FirstToken+later, record.LastToken+later, record.Done+later, record.Ended+later
			}
		}
		return entries
	}, func(i int) float64 { return 1 + 0.2*at(i >= 30) })
	if modes, is := only1(got).(TwoModes); !is || modes.Metric != metric.TokenRate {
		t.Errorf("a step with uneven prefills: %+v", got)
	}
	got = coursed(t, nil, func(int) float64 { return math.Exp(r.NormFloat64()) })
	if useless, is := only1(got).(UselessInterval); !is || useless.HalfWidth < 0.25 || useless.Requests < 500 || useless.Repeat != (useless.Requests+1)/2 || useless.Loads != 0 {
		t.Errorf("wild requests: %+v", got)
	}
}

// Two prompts that are apart have no median of both, however precisely each is known.
func TestAnIntervalBetweenTwoPromptsIsUselessForTheirSake(t *testing.T) {
	got := coursed(t, nil, func(i int) float64 { return 1 + at(i%2 == 0) })
	if useless, is := only1(got).(UselessInterval); !is || !useless.PromptsApart || useless.Requests != 0 || useless.Repeat != 0 {
		t.Errorf("%+v", got)
	}
	// A machine that wanders makes an interval wide by itself.
	r := rand.New(rand.NewPCG(5, 3))
	state := 0.0
	got = coursed(t, nil, func(int) float64 {
		state = 0.9*state + 0.15*r.NormFloat64()
		return math.Exp(state)
	})
	if useless, is := only1(got).(UselessInterval); !is || useless.PromptsApart || useless.Requests == 0 {
		t.Errorf("a machine that wanders: %+v", got)
	}
}

// only1 returns the one of the figures; nil where there are several or none.
func only1(all []Figures) Figures {
	if len(all) != 1 {
		return nil
	}
	return all[0]
}

func TestAnOutlierSaysWhatFellTogetherWithIt(t *testing.T) {
	got := coursed(t, func(entries []exobench.Entry) []exobench.Entry {
		for _, e := range entries {
			if r, is := e.(*exobench.Record); is && r.Seq == 23 {
				// One pause of a second before the last half of its tokens.
				for i := range r.Chunks {
					r.Chunks[i].At = r.FirstToken + exobench.Instant(i)*100*ms + exobench.Instant(at(i >= 5))*second
				}
			}
		}
		stalled := machineAt(1, 500, time.Minute, 0.5)
		stalled.Values[1].Value = 0.9e9
		return append(entries, stalled)
	}, func(i int) float64 { return 1 + at(i == 22) })
	if odd, is := only1(got).(Outliers); !is || odd.Pause == nil || odd.Pause.Round(100*time.Millisecond) != 1100*time.Millisecond || odd.Waited == nil || *odd.Waited != 900*time.Millisecond || !odd.Disturbed {
		t.Errorf("%+v", got)
	}
}

// Where latencies cannot be compared, only tokens/s is looked at.
func TestLatenciesOfUnlikeAnswersAreNotHeldAgainstEachOther(t *testing.T) {
	lengths := func(of func(i int) exobench.Tokens) func([]exobench.Entry) []exobench.Entry {
		return func(entries []exobench.Entry) []exobench.Entry {
			for _, e := range entries {
				if r, is := e.(*exobench.Record); is {
					// Tokens/s stays: (n - 1) over the time from first to last.
					n := of(r.Seq - 1)
					r.OutputTokens = &n
					r.LastToken = r.FirstToken + exobench.Instant(n-1)*100*ms
					r.Done, r.Ended = r.LastToken, r.LastToken
				}
			}
			return entries
		}
	}
	if got := coursed(t, lengths(func(i int) exobench.Tokens { return 10 + exobench.Tokens(i) }), func(int) float64 { return 1 }); len(got) != 0 {
		t.Errorf("ever longer answers: %+v", got)
	}
	// The same requests with all answers of one length, but for a slow prefill.
	got := coursed(t, func(entries []exobench.Entry) []exobench.Entry {
		for _, e := range entries {
			if r, is := e.(*exobench.Record); is && r.Seq > 25 {
				r.FirstToken, r.LastToken, r.Done, r.Ended = r.FirstToken+200*ms, r.LastToken+200*ms, r.Done+200*ms, r.Ended+200*ms
			}
		}
		return entries
	}, func(int) float64 { return 1 })
	if modes, is := only1(got).(TwoModes); !is || modes.Metric != metric.Latency {
		t.Errorf("a slow prefill in the second half: %+v", got)
	}
}

// How many are at work makes requests differ, and so does what a queue holds.
func TestOnlyRequestsOneAtATimeHaveAFirstOneAndModes(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 1))
	latency, _ := metric.ByName(metric.Latency)
	all := cellOf(r, normal(0.01), 20)
	for i := range all {
		all[i].Value *= 1 + 0.3*at(i < 4 || r.IntN(2) == 0)
	}
	if got := courseOf(all, latency, 4, 0); got.lead != nil || got.modes != nil {
		t.Errorf("four under way: %+v", got)
	}
	all = cellOf(r, normal(0.01), 20)
	for i := range all {
		// The first come together, and the last have the engine to themselves.
		all[i].Value *= 1 + at(i < 4) - 0.5*at(i >= len(all)-4) + at(i == 50)
	}
	if got := courseOf(all, latency, 4, 0); len(got.outliers) != 1 || got.outliers[0].At != 50 || got.trend != nil {
		t.Errorf("four under way, with an outlier: %+v", got)
	}
	got := coursed(t, func(entries []exobench.Entry) []exobench.Entry {
		for _, e := range entries {
			if c, is := e.(*exobench.Cell); is {
				c.Traffic = exobench.Traffic{Rate: 1}
			}
		}
		return entries
	}, func(i int) float64 { return 1 + float64(i)/250 })
	if len(got) != 0 {
		t.Errorf("an open loop: %+v", got)
	}
}
