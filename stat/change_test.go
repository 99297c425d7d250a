package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// inARow draws a series: n values around 1 that are shifted by the factor of the
// last step that began.
func inARow(r *rand.Rand, n int, noise noise, steps map[int]float64) []float64 {
	level, values := 1.0, make([]float64, n)
	for i := range values {
		if step, ok := steps[i]; ok {
			level *= step
		}
		values[i] = level * noise(r)
	}
	return values
}

func places(changes []Change) []int {
	at := []int{}
	for _, c := range changes {
		at = append(at, c.At)
	}
	return at
}

// normalNoise has a spread of 2 %, as levels of runs on a quiet machine have.
func normalNoise(r *rand.Rand) float64 { return 1 + 0.02*r.NormFloat64() }

func TestSeriesWithoutAChangeSeldomHaveOne(t *testing.T) {
	simulated(t)
	for name, noise := range map[string]noise{"normal": normalNoise, "lognormal": lognormal(0.2), "heavy tails": heavy, "skewed": skewed} {
		// Of one series, and of twenty together, where the level is shared.
		for _, together := range []int{1, 20} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(11, uint64(together)))
				tried, false := *trials/min(together, 4), 0
				for range tried {
					some := 0
					for range together {
						changes, ok := Changes(inARow(r, 30, noise, nil), (1-Confidence)/float64(together), 0)
						if !ok {
							t.Fatal("nothing told")
						}
						some += len(changes)
					}
					if some > 0 {
						false++
					}
				}
				// Two standard deviations of the count above the level.
				level := 1 - Confidence
				most := level + 2*math.Sqrt(level*(1-level)/float64(tried))
				share := float64(false) / float64(tried)
				t.Logf("%d series together: %.1f %% with a change", together, 100*share)
				if share > most {
					t.Errorf("%d series together: %.1f %% have a change, want at most %.1f %%", together, 100*share, 100*most)
				}
			})
		}
	}
}

func TestAStepIsFoundWhereItIs(t *testing.T) {
	simulated(t)
	for _, c := range []struct {
		name  string
		n     int
		steps map[int]float64
		// least is the share of series in which all steps are found to within one.
		least float64
	}{
		{"5 % in the middle", 30, map[int]float64{15: 0.95}, 0.9},
		{"5 % after ten", 30, map[int]float64{10: 1 / 0.95}, 0.9},
		{"5 % for the last five", 30, map[int]float64{25: 0.95}, 0.85},
		{"10 % for the last three", 30, map[int]float64{27: 0.9}, 0.9},
		{"5 % there and back", 60, map[int]float64{20: 0.95, 40: 1 / 0.95}, 0.8},
		{"two steps down", 60, map[int]float64{20: 0.95, 40: 0.95}, 0.8},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(12, 5))
			found := 0
			for range *trials / 3 {
				changes, _ := Changes(inARow(r, c.n, normalNoise, c.steps), 1-Confidence, 0.02)
				near := len(changes) == len(c.steps)
				for at := range c.steps {
					near = near && slices.ContainsFunc(changes, func(x Change) bool { return x.At >= at-1 && x.At <= at+1 })
				}
				if near {
					found++
				}
			}
			share := float64(found) / float64(*trials/3)
			t.Logf("found in %.1f %%", 100*share)
			if share < c.least {
				t.Errorf("found in %.1f %%, want %.0f %%", 100*share, 100*c.least)
			}
		})
	}
}

func TestChangesOfPlainSeries(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 5))
	quiet := func(n int, steps map[int]float64) []float64 { return inARow(r, n, lognormal(0.003), steps) }
	for _, c := range []struct {
		why    string
		values []float64
		least  float64
		want   []int
	}{
		{"a step of 9 % at the seventh of twelve", quiet(12, map[int]float64{6: 0.91}), 0.02, []int{6}},
		{"there and back", quiet(40, map[int]float64{12: 0.9, 26: 1 / 0.9}), 0.02, []int{12, 26}},
		{"none", quiet(40, nil), 0.02, []int{}},
		{"too small to matter", quiet(40, map[int]float64{20: 0.99}), 0.02, []int{}},
		{"small, and wanted", quiet(40, map[int]float64{20: 0.99}), 0.005, []int{20}},
		{"all alike", slices.Repeat([]float64{3}, 40), 0.02, []int{}},
		{"two values alone", append(slices.Repeat([]float64{3}, 10), slices.Repeat([]float64{4}, 10)...), 0.02, []int{10}},
		{"one odd value is no level", append(append(quiet(15, nil), 3), quiet(15, nil)...), 0.02, []int{}},
		{"wild values on one side", []float64{23, 22, 26, 20, 25, 21, 24, 22, 23, 21, 300, 30}, 0.02, []int{}},
		{"too few", []float64{1, 1, 1, 9, 9, 9}, 0.02, []int{}},
		{"nothing", nil, 0.02, []int{}},
	} {
		changes, ok := Changes(c.values, 1-Confidence, c.least)
		if !ok || !slices.Equal(places(changes), c.want) {
			t.Errorf("%s: %+v, %v; want changes at %v", c.why, changes, ok, c.want)
		}
		again, _ := Changes(c.values, 1-Confidence, c.least)
		if !slices.Equal(changes, again) {
			t.Errorf("%s: %v, and then %v", c.why, changes, again)
		}
		for _, change := range changes {
			if !(change.P > 0 && change.P <= 1-Confidence) {
				t.Errorf("%s: the change at %d has p = %v", c.why, change.At, change.P)
			}
		}
	}
	for _, values := range [][]float64{{1, 2, 0}, {1, math.NaN()}, {1, math.Inf(1)}, {-1}} {
		if changes, ok := Changes(values, 0.05, 0); ok {
			t.Errorf("of %v: %v", values, changes)
		}
	}
}

func TestScalingASeriesScalesNoChange(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 6))
	values := inARow(r, 50, normalNoise, map[int]float64{20: 0.9, 33: 1.2})
	scaled := slices.Clone(values)
	for i := range scaled {
		scaled[i] *= 1 << 20
	}
	a, _ := Changes(values, 0.05, 0.02)
	b, _ := Changes(scaled, 0.05, 0.02)
	if !slices.Equal(places(a), places(b)) || len(a) != 2 {
		t.Errorf("changes at %v, and of the scaled series at %v", places(a), places(b))
	}
}

func TestAChangeAsClearAsCanBeNeedsSoManyValues(t *testing.T) {
	for _, alpha := range []float64{0.05, 0.0125, 0.0025, 0.001} {
		n := LeastForChange(alpha)
		clear := func(n int) []float64 {
			values := make([]float64, n)
			for i := range values {
				values[i] = 1 + float64(i)/1e4
				if i >= n/2 {
					values[i] += 1
				}
			}
			return values
		}
		if changes, _ := Changes(clear(n+1), alpha, 0.02); len(changes) != 1 || changes[0].At != (n+1)/2 {
			t.Errorf("at level %v a series of %d has changes at %v", alpha, n+1, places(changes))
		}
		if changes, _ := Changes(clear(n-1), alpha, 0.02); len(changes) > 0 {
			t.Errorf("at level %v a series of %d, one fewer than needed, has changes at %v", alpha, n-1, places(changes))
		}
	}
	if n := LeastForChange(0.05); n != 8 {
		t.Errorf("a series needs %d values, want 8: of 8, 2 in 70 orders part them so, of 7, 2 in 35", n)
	}
}

func BenchmarkChangesOfAThousand(b *testing.B) {
	values := inARow(rand.New(rand.NewPCG(15, 5)), 1000, normalNoise, map[int]float64{300: 0.95, 600: 1.05})
	for b.Loop() {
		Changes(values, 0.0025, 0.02)
	}
}
