package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// slowed multiplies the values.
func slowed(observations []Observation, by float64) []Observation {
	slow := slices.Clone(observations)
	for i := range slow {
		slow[i].Value *= by
	}
	return slow
}

// rates are how often comparisons of two experiments say that there is a
// difference, hold the true ratio in their interval, and show the two to be equal
// within 2 %.
type rates struct {
	differ, covers, equal float64
	// chance is by how much a share of 5 % of so many may differ.
	chance float64
}

func (w world) compared(t *testing.T, by float64) rates {
	r := rand.New(rand.NewPCG(11, 5))
	var got rates
	n := *trials / 2
	if len(w.prompts)*w.repeats > 50 {
		n /= 4 // they take long
	}
	each := 1 / float64(n)
	got.chance = 3 * math.Sqrt(0.05*0.95*each)
	for range n {
		s, ok := Compare(w.measure(r), slowed(w.measure(r), by), Confidence)
		if !ok {
			t.Fatal("no comparison")
		}
		if s.P < 0.05 {
			got.differ += each
		}
		if s.Interval.Lo <= by && by <= s.Interval.Hi {
			got.covers += each
		}
		if s.Equal <= 0.02 {
			got.equal += each
		}
	}
	t.Logf("differ %.1f %%, interval covers %.1f %%, equal within 2 %%: %.1f %%", 100*got.differ, 100*got.covers, 100*got.equal)
	return got
}

func TestComparisonsErrAsSeldomAsTheySay(t *testing.T) {
	simulated(t)
	alike, apart := []float64{1, 1, 1, 1, 1}, []float64{1, 1.3, 0.8, 2, 1.1}
	for _, c := range []struct {
		world
		// found is how often at least a difference of 5 % is to be found.
		found float64
	}{
		{world{name: "default run", noise: lognormal(0.03), loads: 1, repeats: 3, prompts: apart}, 0.97},
		{world{name: "default run, heavy tails", noise: heavy, loads: 1, repeats: 3, prompts: apart}, 0.3},
		{world{name: "one prompt", noise: lognormal(0.03), loads: 1, repeats: 10, prompts: []float64{1}}, 0.9},
		{world{name: "skewed, many", noise: skewed, loads: 1, repeats: 60, prompts: apart}, 0.6},
		{world{name: "autocorrelated", loads: 1, repeats: 100, prompts: []float64{1}, autocorrelation: 0.5}, 0.6},
		{world{name: "two loads", noise: lognormal(0.01), loads: 2, repeats: 3, prompts: apart, between: 0.01}, 0.2},
		{world{name: "five loads that differ by 4 %", noise: lognormal(0.03), loads: 5, repeats: 3, prompts: apart, between: 0.04}, 0.2},
		{world{name: "five loads, heavy tails", noise: heavy, loads: 5, repeats: 3, prompts: alike, between: 0.01}, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			same := c.compared(t, 1)
			if same.differ > 0.05+same.chance {
				t.Errorf("%.1f %% of equal pairs differ, want 5 %% or less", 100*same.differ)
			}
			if same.covers < 0.95-same.chance || same.covers > 0.99 {
				t.Errorf("the interval covers %.1f %%", 100*same.covers)
			}
			if other := c.compared(t, 1.05); other.differ < c.found || other.covers < 0.95-other.chance || other.equal > 0.05 {
				t.Errorf("of a difference of 5 %%: %+v, want %.0f %% found", other, 100*c.found)
			}
		})
	}
}

func TestALargeExperimentShowsThatTwoAreEqual(t *testing.T) {
	simulated(t)
	w := world{noise: lognormal(0.03), loads: 1, repeats: 40, prompts: []float64{1, 2}}
	if got := w.compared(t, 1); got.equal < 0.9 {
		t.Errorf("%+v", got)
	}
}

// A shift of a whole load cannot be told from one of the engine by one load each:
// such a comparison must say what it is based on.
func TestOneLoadEachSpeaksForThemselvesOnly(t *testing.T) {
	w := world{noise: lognormal(0.03), loads: 1, repeats: 3, prompts: []float64{1, 2, 3, 4, 5}, between: 0.04}
	r := rand.New(rand.NewPCG(1, 1))
	s, ok := Compare(w.measure(r), w.measure(r), Confidence)
	if !ok || s.Interval.Basis != WithinBlock || s.Blocks != [2]int{1, 1} {
		t.Errorf("got %+v, %v", s, ok)
	}
}

func TestTheLoadsOfOneStandForThoseOfTheOther(t *testing.T) {
	simulated(t)
	r := rand.New(rand.NewPCG(4, 2))
	several := world{noise: lognormal(0.03), loads: 5, repeats: 3, prompts: []float64{1, 2}, between: 0.04}
	single := several
	single.loads = 1
	differ := 0
	for range *trials {
		s, ok := Compare(several.measure(r), single.measure(r), Confidence)
		if !ok || s.Interval.Basis != BetweenBlocks {
			t.Fatal(s, ok)
		}
		if s.P < 0.05 {
			differ++
		}
	}
	if share := float64(differ) / float64(*trials); share > 0.065 {
		t.Errorf("%.1f %% of equal pairs differ", 100*share)
	}
}

func TestWhatCannotBeComparedIsAbsent(t *testing.T) {
	few := []Observation{{1, 0, 0}, {2, 0, 0}}
	for _, c := range []struct {
		says string
		a, b []Observation
	}{
		{"nothing", nil, few},
		{"too few", few, few},
		{"no stratum in common", []Observation{{1, 0, 0}, {1, 0, 0}, {1, 0, 0}}, []Observation{{1, 1, 0}, {1, 1, 0}, {1, 1, 0}}},
		{"a value of 0", []Observation{{0, 0, 0}, {1, 0, 0}, {1, 0, 0}}, []Observation{{1, 0, 0}, {1, 0, 0}, {1, 0, 0}}},
	} {
		if s, ok := Compare(c.a, c.b, Confidence); ok {
			t.Errorf("%s: got %+v", c.says, s)
		}
	}
}

func TestEqualValuesAreNoDifference(t *testing.T) {
	var a []Observation
	for range 10 {
		a = append(a, Observation{5, 0, 0})
	}
	s, ok := Compare(a, a, Confidence)
	if !ok || math.Abs(s.Ratio-1) > 1e-5 || s.P != 1 || s.Equal > 1e-5 {
		t.Errorf("got %+v, %v", s, ok)
	}
	// What differs without any spread differs.
	if s, _ = Compare(a, slowed(a, 1.1), Confidence); math.Abs(s.Ratio-1.1) > 1e-5 || s.P > 0.001 {
		t.Errorf("got %+v", s)
	}
}

func TestHolmCorrectsForHowManyTestsThereAre(t *testing.T) {
	got := Holm([]float64{0.04, 0.01, 0.03, 0.5})
	for i, want := range []float64{0.09, 0.04, 0.09, 0.5} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("got %v", got)
			break
		}
	}
	if len(Holm(nil)) != 0 {
		t.Error("of none there are some")
	}
}

func TestStudentsQuantilesAreThoseOfTables(t *testing.T) {
	for _, c := range []struct{ p, df, want float64 }{{0.975, 1, 12.7062}, {0.975, 4, 2.7764}, {0.95, 10, 1.8125}, {0.975, 1e6, 1.95996}} {
		if got := tQuantile(c.p, c.df); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("t(%v, %v) = %v, want %v", c.p, c.df, got, c.want)
		}
	}
}
