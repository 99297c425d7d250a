package stat

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
)

var trials = flag.Int("trials", 1500, "simulated experiments for each coverage")

// simulated leaves a simulation out of short tests, such as those of the race
// detector: it takes long and has nothing concurrent in it.
func simulated(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which the whole tests run")
	}
}

// noise draws values around 1.
type noise func(*rand.Rand) float64

func lognormal(sigma float64) noise {
	return func(r *rand.Rand) float64 { return math.Exp(sigma * r.NormFloat64()) }
}

// heavy has Student's t with 3 degrees of freedom on a scale of ratios.
func heavy(r *rand.Rand) float64 {
	chi := 0.0
	for range 3 {
		z := r.NormFloat64()
		chi += z * z
	}
	return math.Exp(0.05 * r.NormFloat64() / math.Sqrt(chi/3))
}

// skewed has a long tail to the right, as latencies have.
func skewed(r *rand.Rand) float64 { return 1 + 0.2*r.ExpFloat64() }

// world is how measurements come about.
type world struct {
	name            string
	noise           noise
	loads, repeats  int
	prompts         []float64 // what each is longer by
	between         float64   // spread of loads
	autocorrelation float64
}

// measure draws an experiment.
func (w world) measure(r *rand.Rand) []Observation {
	var all []Observation
	for load := range w.loads {
		shift := math.Exp(w.between * r.NormFloat64())
		state := r.NormFloat64()
		for range w.repeats {
			for prompt, size := range w.prompts {
				value := size * shift
				if a := w.autocorrelation; a > 0 {
					state = a*state + math.Sqrt(1-a*a)*r.NormFloat64()
					value *= math.Exp(0.05 * state)
				} else {
					value *= w.noise(r)
				}
				all = append(all, Observation{value, prompt, load})
			}
		}
	}
	return all
}

// median is the population's, by a large sample.
func (w world) median() float64 {
	r := rand.New(rand.NewPCG(99, 1))
	w.loads, w.repeats = 1, 400_000/len(w.prompts)
	w.between = 0
	if w.autocorrelation > 0 {
		w.autocorrelation, w.noise = 0, lognormal(0.05)
	}
	return medianOf(valuesOf(w.measure(r)))
}

func TestIntervalsCoverTheMedianAsOftenAsTheySay(t *testing.T) {
	simulated(t)
	alike, apart := []float64{1, 1, 1, 1, 1}, []float64{1, 1.3, 0.8, 2, 1.1}
	for _, w := range []world{
		{name: "one prompt, skewed", noise: skewed, loads: 1, repeats: 15, prompts: []float64{1}},
		{name: "one prompt of ten, heavy tails", noise: heavy, loads: 1, repeats: 10, prompts: []float64{1}},
		{name: "default run, prompts alike", noise: lognormal(0.03), loads: 1, repeats: 3, prompts: alike},
		{name: "default run, prompts apart", noise: lognormal(0.03), loads: 1, repeats: 3, prompts: apart},
		{name: "default run, prompts apart and noise skewed", noise: skewed, loads: 1, repeats: 3, prompts: apart},
		{name: "prompts apart, heavy tails", noise: heavy, loads: 1, repeats: 5, prompts: apart},
		{name: "many of each, skewed", noise: skewed, loads: 1, repeats: 40, prompts: apart},
		{name: "many of each, heavy tails", noise: heavy, loads: 1, repeats: 40, prompts: alike},
		{name: "autocorrelated, of one prompt", loads: 1, repeats: 200, prompts: []float64{1}, autocorrelation: 0.5},
		{name: "autocorrelated, of five prompts", loads: 1, repeats: 40, prompts: alike, autocorrelation: 0.5},
		{name: "strongly autocorrelated", loads: 1, repeats: 400, prompts: []float64{1}, autocorrelation: 0.8},
		{name: "two loads", noise: lognormal(0.03), loads: 2, repeats: 3, prompts: apart, between: 0.04},
		{name: "five loads", noise: lognormal(0.03), loads: 5, repeats: 3, prompts: apart, between: 0.04},
		{name: "five loads, skewed", noise: skewed, loads: 5, repeats: 3, prompts: apart, between: 0.04},
		{name: "five loads that do not differ", noise: heavy, loads: 5, repeats: 10, prompts: alike},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			truth := w.median()
			r := rand.New(rand.NewPCG(7, 3))
			covered, width := 0, 0.0
			for range *trials {
				interval, ok := MedianInterval(w.measure(r), Confidence)
				if !ok {
					t.Fatal("no interval")
				}
				if interval.Lo <= truth && truth <= interval.Hi {
					covered++
				}
				width += (interval.Hi - interval.Lo) / truth / float64(*trials)
			}
			share := float64(covered) / float64(*trials)
			t.Logf("covers %.1f %%, mean width %.2f %%", 100*share, 100*width)
			if share < 0.93 || share > 0.97 {
				t.Errorf("covers %.1f %%, want 93 to 97 %%", 100*share)
			}
		})
	}
}

// Experiments that were cut short have strata of any size, and no figure may be
// anything but a number.
func TestAnyDesignGivesNumbersOrNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	designs := 400
	if testing.Short() {
		designs = 40
	}
	for range designs {
		var all []Observation
		for range r.IntN(40) {
			value := math.Round(10*r.ExpFloat64()) / 10 // 0 and ties among them
			all = append(all, Observation{value, r.IntN(1 + r.IntN(8)), r.IntN(1 + r.IntN(4))})
		}
		interval, ok := MedianInterval(all, Confidence)
		if ok && !(interval.Lo <= interval.Hi) {
			t.Fatalf("interval %+v of %v", interval, all)
		}
		if median := medianOf(valuesOf(all)); ok && !(interval.Lo-1e-9 <= median && median <= interval.Hi+1e-9) {
			t.Fatalf("interval %+v does not hold the median %v of %v", interval, median, all)
		}
		for i := range all {
			all[i].Value += 0.1
		}
		half := r.IntN(len(all) + 1)
		if s, ok := Compare(all[:half], all[half:], Confidence); ok && (!(s.Interval.Lo <= s.Ratio && s.Ratio <= s.Interval.Hi) || !(s.P >= 0 && s.P <= 1) || math.IsInf(s.Interval.Hi, 0) || !(s.Equal >= 0)) {
			t.Fatalf("shift %+v of %v and %v", s, all[:half], all[half:])
		}
		if e, ok := EffortFor(all, 0.05, Confidence); ok && (e.Blocks < 0 || e.Each < 0) {
			t.Fatalf("effort %+v", e)
		}
		if l, ok := LevelsOf(all); ok {
			for _, level := range []*float64{l.Within, l.Strata, l.Blocks} {
				if level != nil && !(*level >= 0 && *level < 100) {
					t.Fatalf("level %v of %v", *level, all)
				}
			}
		}
	}
}

func TestAnIntervalWithoutAnEndIsNone(t *testing.T) {
	wild := []Observation{{1e-200, 0, 0}, {1e200, 0, 1}}
	if interval, ok := MedianInterval(wild, Confidence); ok {
		t.Errorf("got %+v", interval)
	}
	if s, ok := Compare(wild, wild, Confidence); ok {
		t.Errorf("got %+v", s)
	}
}
