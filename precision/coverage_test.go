package precision

import (
	"cmp"
	"flag"
	"math"
	"math/rand/v2"
	"testing"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

var trials = flag.Int("trials", 1500, "simulated experiments for each coverage")

// noise draws values around 1.
type noise func(*rand.Rand) float64

func normal(r *rand.Rand) float64 { return 1 + 0.05*r.NormFloat64() }

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
func skewed(r *rand.Rand) float64 { return 1 + 0.12*r.ExpFloat64() }

// experiment is a cell that is measured until a goal is reached.
type experiment struct {
	name            string
	noise           noise
	autocorrelation float64
	prompts         []float64 // what each is longer by
	goal            float64
	least           float64 // coverage wanted, 0.93 where it is 0
	loads           int
	between         float64 // spread of loads
}

const mostRepeats = 150

// measure goes on in each load as the rule says, and returns what was measured and
// how many repeats that were on average.
func (e experiment) measure(r *rand.Rand) (all []stat.Observation, repeats float64) {
	for load := range e.loads {
		shift := math.Exp(e.between * r.NormFloat64())
		rule := &Rule{goals: []exobench.Goal{{HalfWidth: e.goal}}, metrics: make([]metric.Metric, 1), size: len(e.prompts), least: 3}
		state := r.NormFloat64()
		for rule.whole < mostRepeats && !rule.Enough() {
			in := repeat{ended: len(e.prompts)}
			for prompt, size := range e.prompts {
				value := size * shift
				if a := e.autocorrelation; a > 0 {
					state = a*state + math.Sqrt(1-a*a)*r.NormFloat64()
					value *= math.Exp(0.05 * state)
				} else {
					value *= e.noise(r)
				}
				all = append(all, stat.Observation{Value: value, Stratum: prompt, Block: load})
				in.ok = append(in.ok, request{prompt: prompt, values: []float64{value}, known: []bool{true}})
			}
			rule.repeats = append(rule.repeats, in)
			rule.whole++
		}
		repeats += float64(rule.whole) / float64(e.loads)
	}
	return all, repeats
}

// median is the population's, by a large sample.
func (e experiment) median() float64 {
	r := rand.New(rand.NewPCG(99, 1))
	if e.autocorrelation > 0 {
		e.noise = func(r *rand.Rand) float64 { return math.Exp(0.05 * r.NormFloat64()) }
	}
	var values []float64
	for range 400_000 / len(e.prompts) {
		for _, size := range e.prompts {
			values = append(values, size*e.noise(r))
		}
	}
	m, _ := stat.Sorted(values).Median()
	return m
}

// Going on until an interval is narrow must not make of it one that holds the truth
// too seldom.
func TestIntervalsOfCellsThatEndByTheRuleCoverAsOftenAsTheySay(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulation, which the whole tests run")
	}
	one, five := []float64{1}, []float64{1, 1.3, 0.8, 2, 1.1}
	for _, e := range []experiment{
		{name: "normal, one prompt, 3 %", noise: normal, prompts: one, goal: 0.03},
		{name: "normal, one prompt, 1.5 %", noise: normal, prompts: one, goal: 0.015},
		{name: "normal, five prompts, 3 %", noise: normal, prompts: five, goal: 0.03},
		{name: "normal, five prompts, 1.5 %", noise: normal, prompts: five, goal: 0.015},
		{name: "skewed, one prompt, 3 %", noise: skewed, prompts: one, goal: 0.03},
		{name: "skewed, five prompts, 3 %", noise: skewed, prompts: five, goal: 0.03},
		{name: "heavy tails, one prompt, 3 %", noise: heavy, prompts: one, goal: 0.03},
		{name: "heavy tails, one prompt, 2 %", noise: heavy, prompts: one, goal: 0.02},
		{name: "heavy tails, five prompts, 3 %", noise: heavy, prompts: five, goal: 0.03},
		// Of few requests nobody can tell well how alike they are.
		{name: "autocorrelated (0.5), five prompts alike, 3 %", autocorrelation: 0.5, prompts: []float64{1, 1, 1, 1, 1}, goal: 0.03, least: 0.89},
		{name: "five loads, normal, five prompts, 3 %", noise: normal, prompts: five, goal: 0.03, loads: 5, between: 0.04},
	} {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			e.loads = max(1, e.loads)
			truth := e.median()
			r := rand.New(rand.NewPCG(7, 3))
			covered, repeats := 0, 0.0
			n := *trials
			for range n {
				all, took := e.measure(r)
				interval, ok := stat.MedianInterval(all, stat.Confidence)
				if !ok {
					t.Fatal("no interval")
				}
				if interval.Lo <= truth && truth <= interval.Hi {
					covered++
				}
				repeats += took / float64(n)
			}
			share := float64(covered) / float64(n)
			t.Logf("covers %.1f %%, after %.1f repeats on average", 100*share, repeats)
			if least := cmp.Or(e.least, 0.93); share < least || share > 0.97 {
				t.Errorf("covers %.1f %%, want %.0f to 97 %%", 100*share, 100*least)
			}
		})
	}
}
