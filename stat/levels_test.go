package stat

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestLevelsAreThoseThatWerePutIn(t *testing.T) {
	w := world{noise: lognormal(0.02), loads: 200, repeats: 3, prompts: []float64{1, 1.1, 1.3}, between: 0.05}
	l, ok := LevelsOf(w.measure(rand.New(rand.NewPCG(1, 2))))
	if !ok || l.Within == nil || l.Strata == nil || l.Blocks == nil {
		t.Fatalf("got %+v, %v", l, ok)
	}
	for _, c := range []struct {
		level     string
		got, want float64
	}{{"within", *l.Within, 0.02}, {"blocks", *l.Blocks, 0.05}, {"strata", *l.Strata, 0.1331}} {
		if math.Abs(c.got/c.want-1) > 0.1 {
			t.Errorf("%s: %.4f, want %.4f", c.level, c.got, c.want)
		}
	}
}

func TestALevelThatIsNotThereIsAbsentOrNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	one := world{noise: lognormal(0.02), loads: 1, repeats: 5, prompts: []float64{1}}
	if l, ok := LevelsOf(one.measure(r)); !ok || l.Blocks != nil || l.Strata != nil || l.Within == nil {
		t.Errorf("of one load and prompt: %+v, %v", l, ok)
	}
	alike := world{noise: lognormal(0.02), loads: 20, repeats: 20, prompts: []float64{1}}
	if l, _ := LevelsOf(alike.measure(r)); *l.Blocks > 0.005 {
		t.Errorf("of loads that do not differ: %v", *l.Blocks)
	}
	if l, ok := LevelsOf([]Observation{{0, 0, 0}}); ok {
		t.Errorf("of a value of 0: %+v", l)
	}
}

// Experiments of the effort that is said to be needed have the width that was
// wanted, about half of the time or more.
func TestTheEffortBringsTheWidth(t *testing.T) {
	for _, c := range []struct {
		world
		want float64
	}{
		{world{name: "repeats", noise: lognormal(0.05), loads: 1, repeats: 10, prompts: []float64{1}}, 0.01},
		{world{name: "loads", noise: lognormal(0.01), loads: 4, repeats: 5, prompts: []float64{1}, between: 0.03}, 0.02},
	} {
		r := rand.New(rand.NewPCG(3, 4))
		reached, n := 0, 60
		for range n {
			effort, ok := EffortFor(c.measure(r), c.want, Confidence)
			if !ok {
				t.Fatal("no effort")
			}
			next := c.world
			if c.loads > 1 {
				next.loads = effort.Blocks
			} else {
				next.repeats = effort.Each
			}
			interval, _ := MedianInterval(next.measure(r), Confidence)
			if math.Log(interval.Hi/interval.Lo)/2 <= math.Log1p(c.want)*1.25 {
				reached++
			}
		}
		if reached < n*6/10 {
			t.Errorf("%s: %d of %d reach it", c.name, reached, n)
		}
	}
}

func TestMoreOfEachDoesNotHelpAgainstLoadsThatDiffer(t *testing.T) {
	w := world{noise: lognormal(0.001), loads: 4, repeats: 5, prompts: []float64{1}, between: 0.05}
	effort, ok := EffortFor(w.measure(rand.New(rand.NewPCG(3, 4))), 0.01, Confidence)
	if !ok || effort.Each != 0 || effort.Blocks < 5 {
		t.Errorf("got %+v, %v", effort, ok)
	}
}

func TestAStratumWithOneMeasurementLeavesTheMedianItsInterval(t *testing.T) {
	// One request of a prompt failed, so that prompt was measured once.
	var observations []Observation
	for i, v := range []float64{4138, 4380, 5530, 3678, 3577, 3326, 6911, 13364, 2968} {
		observations = append(observations, Observation{Stratum: i % 5, Value: v})
	}
	interval, ok := MedianInterval(observations, 0.95)
	if !ok || !(interval.Lo > 1000 && interval.Lo < 4138 && interval.Hi > 4138 && interval.Hi < 20000) {
		t.Errorf("interval %+v, %v", interval, ok)
	}
}

func TestToHalveAnIntervalTakesWhatHalfOfItTakes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, w := range []world{
		{noise: lognormal(0.05), loads: 1, repeats: 10, prompts: []float64{1, 2}},
		{noise: lognormal(0.05), loads: 4, repeats: 5, prompts: []float64{1, 2}, between: 0.01},
	} {
		all := w.measure(r)
		interval, ok := MedianInterval(all, Confidence)
		levels, told := LevelsOf(all)
		if !ok || !told {
			t.Fatal("no interval")
		}
		got, ok := levels.ToHalve(interval)
		want, _ := EffortFor(all, math.Expm1(math.Log(interval.Hi/interval.Lo)/4), Confidence)
		if !ok || got != want || w.loads == 1 && got.Each != 4*w.repeats*len(w.prompts) {
			t.Errorf("%d loads: %+v, %v; want %+v", w.loads, got, ok, want)
		}
	}
	if e, ok := (Levels{N: 9, BlockCount: 1}).ToHalve(Interval{Lo: 5, Hi: 5, Confidence: Confidence}); ok {
		t.Errorf("an interval without a width: %+v", e)
	}
}

// What number stands for a prompt must change nothing, not the last bit of a sum.
func TestTheNumbersOfStrataAreOnlyNames(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, loads := range []int{1, 3} {
		w := world{noise: skewed, loads: loads, repeats: 4, prompts: []float64{1, 1.3, 0.8, 2, 1.1}}
		for range 50 {
			all := w.measure(r)
			other := make([]Observation, len(all))
			names := r.Perm(len(w.prompts))
			for i, o := range all {
				o.Stratum = names[o.Stratum] + 7
				other[i] = o
			}
			a, _ := MedianInterval(all, Confidence)
			if b, ok := MedianInterval(other, Confidence); !ok || a != b {
				t.Fatalf("%d loads: %+v, and under other names %+v", loads, a, b)
			}
			of, _ := LevelsOf(all)
			if others, _ := LevelsOf(other); !reflect.DeepEqual(of, others) {
				t.Fatalf("%d loads: levels %+v, and under other names %+v", loads, of, others)
			}
		}
	}
}
