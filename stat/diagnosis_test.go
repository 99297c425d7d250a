package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// course is a quiet experiment of one load: five prompts in turn.
func course(r *rand.Rand, noise noise, repeats int) []Observation {
	return world{noise: noise, loads: 1, repeats: repeats, prompts: []float64{1, 1.3, 0.8, 2, 1.1}}.measure(r)
}

// scaled multiplies the measurements by what they are to be at each place.
func scaled(all []Observation, by func(i int) float64) []Observation {
	for i := range all {
		all[i].Value *= by(i)
	}
	return all
}

// flat is noise of nothing.
func flat(*rand.Rand) float64 { return 1 }

func within(got, want, by float64) bool { return math.Abs(got-want) <= by }

func TestALeadIsTheFirstOfTheirBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	slowFirst := func(n int) func(int) float64 {
		return func(i int) float64 {
			if i%25 < n {
				return 1.4
			}
			return 1
		}
	}
	l, ok := LeadOf(scaled(course(r, lognormal(0.02), 5), slowFirst(3)))
	if !ok || l.N != 3 || !within(l.Ratio, 1.4, 0.08) || l.Blocks != 1 {
		t.Errorf("of one block: %+v, %v", l, ok)
	}
	loads := world{noise: lognormal(0.02), loads: 4, repeats: 5, prompts: []float64{1, 2, 3, 4, 5}, between: 0.2}
	l, ok = LeadOf(scaled(loads.measure(r), slowFirst(1)))
	if !ok || l.N != 1 || !within(l.Ratio, 1.4, 0.08) || l.Blocks != 4 {
		t.Errorf("of four blocks: %+v, %v", l, ok)
	}
	// One of four blocks began slowly: that is no habit.
	if l, ok := LeadOf(scaled(loads.measure(r), func(i int) float64 {
		if i == 0 {
			return 1.4
		}
		return 1
	})); ok {
		t.Errorf("of one of four blocks: %+v", l)
	}
	if l, ok := LeadOf(scaled(course(r, lognormal(0.02), 2), slowFirst(1))); ok {
		t.Errorf("one other of the stratum is too few: %+v", l)
	}
	if l, ok := LeadOf(course(r, flat, 5)); ok {
		t.Errorf("all alike: %+v", l)
	}
}

func TestATrendIsByWhatTheLastDiffersFromTheFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	falls := func(i int) float64 { return math.Pow(0.9, float64(i)/49) }
	trend, ok := TrendOf(scaled(course(r, flat, 10), falls))
	if !ok || !within(trend.Change, -0.1, 0.005) || trend.P > 1e-9 || trend.N != 50 {
		t.Errorf("without noise: %+v, %v", trend, ok)
	}
	trend, ok = TrendOf(scaled(course(r, lognormal(0.03), 10), falls))
	if !ok || !within(trend.Change, -0.1, 0.05) || trend.P > 0.001 {
		t.Errorf("with noise: %+v, %v", trend, ok)
	}
	if trend, ok = TrendOf(course(r, flat, 10)); !ok || trend.Change != 0 || trend.P < 0.9 {
		t.Errorf("all alike: %+v, %v", trend, ok)
	}
	// Blocks that differ, and do not change.
	loads := world{noise: lognormal(0.01), loads: 4, repeats: 5, prompts: []float64{1, 2, 3}}.measure(r)
	if trend, ok = TrendOf(scaled(loads, func(i int) float64 { return 1 + float64(i/15) })); !ok || trend.P < 0.001 {
		t.Errorf("blocks apart: %+v, %v", trend, ok)
	}
	if trend, ok = TrendOf(course(r, flat, 2)); ok {
		t.Errorf("of ten: %+v", trend)
	}
	// Each stratum at a time of its own tells nothing of time.
	var apart []Observation
	for stratum := range 5 {
		for range 6 {
			apart = append(apart, Observation{float64(stratum + 1), stratum, 0})
		}
	}
	if trend, ok = TrendOf(apart); !ok || trend.P < 0.9 {
		t.Errorf("strata one after the other: %+v, %v", trend, ok)
	}
}

func TestModesHaveAValley(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	m, ok := ModesOf(scaled(course(r, lognormal(0.02), 20), func(int) float64 {
		if r.Float64() < 0.3 {
			return 1.2
		}
		return 1
	}))
	// The geometric mean of the prompts' sizes.
	size := math.Pow(1*1.3*0.8*2*1.1, 0.2)
	if !ok || m.P > 0.001 || !within(m.Share, 0.3, 0.1) || !within(m.Lo/size, 1, 0.03) || !within(m.Hi/size, 1.2, 0.03) || !within(m.Left, 0.02, 0.005) {
		t.Errorf("mixed: %+v, %v", m, ok)
	}
	if float64(m.Changes) < m.Mixed/2 {
		t.Errorf("mixed: %d changes, %.1f expected", m.Changes, m.Mixed)
	}
	m, ok = ModesOf(scaled(course(r, lognormal(0.02), 20), func(i int) float64 {
		if i >= 60 {
			return 0.8
		}
		return 1
	}))
	if !ok || m.P > 0.001 || m.Changes != 1 || !within(float64(m.First), 60, 2) || !within(m.Share, 0.6, 0.02) {
		t.Errorf("a step: %+v, %v", m, ok)
	}
	for name, all := range map[string][]Observation{
		"one centre":       course(r, lognormal(0.02), 20),
		"a slope":          scaled(course(r, flat, 20), func(i int) float64 { return 1 + float64(i)/100 }),
		"many that follow": scaled(course(r, heavy, 2000), func(i int) float64 { return 1 + float64(i)/1e5 }),
	} {
		if m, ok := ModesOf(all); ok && m.P < 0.01 {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if m, ok := ModesOf(course(r, flat, 20)); ok {
		t.Errorf("all alike: %+v", m)
	}
	if m, ok := ModesOf(course(r, heavy, 5)); ok {
		t.Errorf("of five each: %+v", m)
	}
}

func TestOutliersStandApart(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	far := func(i int) float64 {
		return map[int]float64{7: 2, 31: 0.4}[i] + map[bool]float64{true: 0, false: 1}[i == 7 || i == 31]
	}
	outliers := OutliersOf(scaled(course(r, lognormal(0.03), 10), far))
	if len(outliers) != 2 || outliers[0].At != 31 || outliers[1].At != 7 || !within(outliers[0].Ratio, 0.4, 0.05) || !within(outliers[1].Ratio, 2, 0.2) {
		t.Errorf("two: %+v", outliers)
	}
	if outliers = OutliersOf(course(r, lognormal(0.3), 40)); len(outliers) != 0 {
		t.Errorf("wide noise: %+v", outliers)
	}
	if outliers = OutliersOf(scaled(course(r, lognormal(0.03), 2), far)); len(outliers) != 0 {
		t.Errorf("two of each prompt do not tell which is off: %+v", outliers)
	}
	// Half of them twice as long is something else.
	if outliers = OutliersOf(scaled(course(r, lognormal(0.01), 10), func(i int) float64 { return 1 + float64(i%2) })); len(outliers) != 0 {
		t.Errorf("two modes: %+v", outliers)
	}
	if outliers = OutliersOf(scaled(course(r, lognormal(0.03), 4000), far)); len(outliers) != 2 || outliers[1].At != 7 {
		t.Errorf("among 20,000: %+v", outliers)
	}
}

// What has no logarithm tells nothing, nor do few.
func TestDiagnosesOfAnyDesignAreNumbersOrNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 500 {
		var all []Observation
		shift := float64(r.IntN(2)) / 10
		for range r.IntN(60) {
			all = append(all, Observation{math.Round(10*r.ExpFloat64())/10 + shift, r.IntN(1 + r.IntN(8)), r.IntN(1 + r.IntN(4))})
		}
		if l, ok := LeadOf(all); ok && !(l.N > 0 && l.N <= len(all) && l.Ratio > 0 && finite(l.Ratio)) {
			t.Fatalf("lead %+v of %v", l, all)
		}
		if trend, ok := TrendOf(all); ok && !(trend.P >= 0 && trend.P <= 1 && trend.Change > -1 && finite(trend.Change) && finite(trend.Left)) {
			t.Fatalf("trend %+v of %v", trend, all)
		}
		if m, ok := ModesOf(all); ok && !(m.Lo < m.Hi && m.P >= 0 && m.P <= 1 && m.Share > 0 && m.Share < 1 && finite(m.Left)) {
			t.Fatalf("modes %+v of %v", m, all)
		}
		for _, o := range OutliersOf(all) {
			if !(o.Ratio > 0 && finite(o.Ratio) && o.At < len(all)) {
				t.Fatalf("outlier %+v of %v", o, all)
			}
		}
	}
}

// The probability that a trend is told with is that of a false one.
func TestTrendsOfQuietDataAreAsRareAsTheySay(t *testing.T) {
	simulated(t)
	for _, w := range []world{
		{name: "normal", noise: lognormal(0.03)}, {name: "skewed", noise: skewed}, {name: "heavy tails", noise: heavy},
		{name: "autocorrelated", autocorrelation: 0.5},
	} {
		for _, repeats := range []int{3, 10, 40} {
			if w.autocorrelation > 0 && repeats == 3 {
				continue // too few to tell
			}
			w.loads, w.repeats, w.prompts = 1, repeats, []float64{1, 1.3, 0.8, 2, 1.1}
			r := rand.New(rand.NewPCG(7, 3))
			const tries = 2000
			false5 := 0
			for range tries {
				if trend, ok := TrendOf(w.measure(r)); ok && trend.P < 0.05 {
					false5++
				}
			}
			share := float64(false5) / tries
			t.Logf("%s × %d: %.1f %% below 5 %%", w.name, repeats, 100*share)
			// What a step takes away of a series that is alike by itself is missing
			// from the estimate of how alike it is.
			if most := map[bool]float64{false: 0.07, true: 0.11}[w.autocorrelation > 0]; share < 0.03 || share > most {
				t.Errorf("%s × %d: %.1f %% of trends in quiet data have P < 5 %%", w.name, repeats, 100*share)
			}
		}
	}
}
