package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(a, b float64) bool {
	return a == b || math.Abs(a-b) <= 1e-12*math.Max(math.Abs(a), math.Abs(b))
}

func TestQuantileIsTypeSeven(t *testing.T) {
	for _, row := range []struct {
		why    string
		values []float64
		p      float64
		want   float64
	}{
		{"one value is every quantile", []float64{7}, 0.99, 7},
		{"the median of two lies between them", []float64{4, 2}, 0.5, 3},
		{"h = 3*0.25 = 0.75, so 1 + 0.75*(2-1)", []float64{4, 3, 2, 1}, 0.25, 1.75},
		{"h = 4*0.9 = 3.6, so 40 + 0.6*(50-40)", []float64{10, 20, 30, 40, 50}, 0.9, 46},
		{"p = 0 is the least", []float64{3, 1, 2}, 0, 1},
		{"p = 1 is the greatest", []float64{3, 1, 2}, 1, 3},
	} {
		got, ok := NewSample(row.values).Quantile(row.p)
		if !ok || !near(got, row.want) {
			t.Errorf("%s: Quantile(%v, %v) = %v, %v, want %v", row.why, row.values, row.p, got, ok, row.want)
		}
	}
}

func TestWhatIsUndefinedIsAbsent(t *testing.T) {
	empty, one := NewSample(nil), NewSample([]float64{5})
	for name, ok := range map[string]bool{
		"quantile of none":   second(empty.Quantile(0.5)),
		"mean of none":       second(empty.Mean()),
		"sd of none":         second(empty.SD()),
		"sd of one":          second(one.SD()),
		"quantile beyond 1":  second(one.Quantile(1.1)),
		"quantile of NaN":    second(one.Quantile(math.NaN())),
		"interval of none":   third(empty.MedianInterval(0.95)),
		"interval of one":    third(one.MedianInterval(0.95)),
		"p90 interval of 1":  third(one.QuantileInterval(0.9, 0.95)),
		"quantile interval0": third(one.QuantileInterval(0, 0.95)),
	} {
		if ok {
			t.Errorf("%s is defined", name)
		}
	}
}

func second(_ float64, ok bool) bool             { return ok }
func third(_ Interval, ok bool, _ []string) bool { return ok }

func TestMeanAndSD(t *testing.T) {
	// Mean 5; squared deviations 9+1+1+1+0+0+4+16 = 32; 32/7.
	s := NewSample([]float64{2, 4, 4, 4, 5, 5, 7, 9})
	mean, _ := s.Mean()
	sd, _ := s.SD()
	if mean != 5 || !near(sd, math.Sqrt(32.0/7)) {
		t.Errorf("mean, sd = %v, %v, want 5, %v", mean, sd, math.Sqrt(32.0/7))
	}
	if sd, ok := NewSample([]float64{3, 3, 3}).SD(); !ok || sd != 0 {
		t.Errorf("sd of equal values = %v, %v, want a measured 0", sd, ok)
	}
}

func TestSupportsNeedsOneMeasurementBeyond(t *testing.T) {
	for p, n := range map[float64]int{0.9: 10, 0.95: 20, 0.99: 100, 0.1: 10} {
		if Supports(p, n-1) || !Supports(p, n) {
			t.Errorf("Supports(%v, n) does not turn true at n = %d", p, n)
		}
	}
	if Supports(0, 1000) || Supports(1, 1000) {
		t.Error("no sample supports the ends of the population")
	}
}

func TestMedianInterval(t *testing.T) {
	for _, row := range []struct {
		n          int
		lo, hi     float64
		confidence float64 // 0: no interval
	}{
		// [x(1), x(n)] misses the median with probability 2/2^n.
		{5, 0, 0, 0},
		{6, 1, 6, 1 - 2.0/64},
		{7, 1, 7, 1 - 2.0/128},
		// [x(2), x(n-1)] misses it with probability 2(1+n)/2^n.
		{9, 2, 8, 1 - 20.0/512},
	} {
		iv, ok, warnings := count(row.n).MedianInterval(0.95)
		if ok != (row.confidence != 0) || ok == (len(warnings) > 0) {
			t.Errorf("n = %d: ok %v, warnings %q", row.n, ok, warnings)
		}
		if ok && (iv.Lo != row.lo || iv.Hi != row.hi || !near(iv.Confidence, row.confidence)) {
			t.Errorf("n = %d: %+v, want [%v, %v] at %v", row.n, iv, row.lo, row.hi, row.confidence)
		}
	}
}

// count returns the sample 1, 2, ..., n, in which a value is its own rank.
func count(n int) Sample {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i + 1)
	}
	return NewSample(values)
}

func TestQuantileIntervalNeedsEnoughMeasurements(t *testing.T) {
	// ln(0.025)/ln(0.9) = 35.01, /ln(0.95) = 71.9, /ln(0.99) = 367.04.
	for p, n := range map[float64]int{0.9: 36, 0.95: 72, 0.99: 368} {
		_, below, warnings := count(n-1).QuantileInterval(p, 0.95)
		iv, at, _ := count(n).QuantileInterval(p, 0.95)
		if below || !at || iv.Confidence < 0.95 {
			t.Errorf("p = %v: interval at n = %d: %v, at %d: %v (%+v)", p, n-1, below, n, at, iv)
		}
		want := fmt.Sprintf("need >= %d samples for confidence interval of the %g-quantile at level 0.95", n, p)
		if len(warnings) != 1 || warnings[0] != want {
			t.Errorf("warnings = %q, want %q", warnings, want)
		}
	}
}

// The median is the one quantile for which benchmath gives exact intervals,
// up to n = 30. It may drop one side's outermost step, so it is never wider.
func TestQuantileIntervalAgreesWithBenchmathOnTheMedian(t *testing.T) {
	for n := 6; n <= 30; n++ {
		theirs, _, _ := count(n).MedianInterval(0.95)
		ours, ok, _ := count(n).QuantileInterval(0.5, 0.95)
		if !ok || ours.Lo > theirs.Lo || ours.Hi < theirs.Hi || ours.Hi-ours.Lo > theirs.Hi-theirs.Lo+1 {
			t.Errorf("n = %d: ours %+v, benchmath %+v", n, ours, theirs)
		}
	}
}

// The claim of a confidence interval is a frequency: simulate it.
func TestQuantileIntervalCoversAsOftenAsItClaims(t *testing.T) {
	const rounds, n, p = 4000, 120, 0.9
	rng := rand.New(rand.NewPCG(1, 2))
	covered, claimed := 0, 0.0
	for range rounds {
		values := make([]float64, n)
		for i := range values {
			values[i] = rng.Float64() // the p-quantile of the population is p
		}
		iv, _, _ := NewSample(values).QuantileInterval(p, 0.95)
		claimed = iv.Confidence
		if iv.Lo <= p && p <= iv.Hi {
			covered++
		}
	}
	// Four standard errors: 4*sqrt(0.05*0.95/4000) = 0.014.
	if got := float64(covered) / rounds; math.Abs(got-claimed) > 0.014 {
		t.Errorf("covered %v, claimed %v", got, claimed)
	}
}

func TestOrderStatisticsHoldTheirProperties(t *testing.T) {
	const seed = 20260101
	rng := rand.New(rand.NewPCG(seed, seed))
	for round := range 300 {
		values := make([]float64, 1+rng.IntN(200))
		for i := range values {
			values[i] = math.Exp(3 * rng.NormFloat64())
		}
		s := NewSample(values)
		rng.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		shuffled := NewSample(values)
		scale := math.Ldexp(1, rng.IntN(20)-10) // a power of two scales exactly
		scaled := make([]float64, len(values))
		for i, v := range values {
			scaled[i] = v * scale
		}
		if problem := violation(s, shuffled, NewSample(scaled), scale); problem != "" {
			t.Fatalf("seed %d, round %d, n = %d: %s", seed, round, s.N(), problem)
		}
	}
}

func violation(s, shuffled, scaled Sample, scale float64) string {
	least, _ := s.Min()
	most, _ := s.Max()
	before := least
	for p := 0.0; p <= 1; p += 0.01 {
		q, _ := s.Quantile(p)
		if q < before || q < least || q > most {
			return fmt.Sprintf("quantile %v at p = %v is below %v or outside [%v, %v]", q, p, before, least, most)
		}
		before = q
		if big, _ := scaled.Quantile(p); big != q*scale {
			return fmt.Sprintf("scaled quantile %v is not %v * %v", big, q, scale)
		}
	}
	for _, p := range []float64{0.5, 0.9, 0.99} {
		iv, ok, _ := s.QuantileInterval(p, Confidence)
		again, okAgain, _ := scaled.QuantileInterval(p, Confidence)
		if ok != okAgain || again.Lo != iv.Lo*scale || again.Hi != iv.Hi*scale {
			return fmt.Sprintf("scaled interval %+v of %+v", again, iv)
		}
		if q, _ := s.Quantile(p); ok && (iv.Lo > q || iv.Hi < q) {
			return fmt.Sprintf("interval %+v does not hold its own quantile %v", iv, q)
		}
	}
	mean, _ := s.Mean()
	other, _ := shuffled.Mean()
	if mean != other || !slices.Equal(s.sorted, shuffled.sorted) {
		return "a shuffled sample differs"
	}
	return ""
}

func TestNewSampleLeavesItsInputAlone(t *testing.T) {
	values := []float64{3, 1, 2}
	NewSample(values).MedianInterval(0.95)
	if !slices.Equal(values, []float64{3, 1, 2}) {
		t.Errorf("values are now %v", values)
	}
}
