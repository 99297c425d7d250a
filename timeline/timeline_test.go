package timeline

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"exobench"
)

const (
	ms     = exobench.Instant(1e6)
	second = 1000 * ms
)

func TestIntegralByHand(t *testing.T) {
	c := Curve{{1 * second, 10}, {2 * second, 20}, {3 * second, 40}, {7 * second, 40}, {12 * second, 0}}
	for _, row := range []struct {
		why      string
		from, to exobench.Instant
		want     float64 // negative: absent
	}{
		{"from reading to reading: 15 + 30", 1 * second, 3 * second, 45},
		{"interpolated ends, 15 and 30 W: 8.75 + 12.5", 1500 * ms, 2500 * ms, 21.25},
		{"within one gap, 12 to 14 W over 0.2 s", 1200 * ms, 1400 * ms, 2.6},
		{"before the first reading its value holds: 10·0.5 + 15", 500 * ms, 2 * second, 20},
		{"a gap of 4 s is bridged", 3 * second, 7 * second, 160},
		{"after the last reading its value holds", 12500 * ms, 13500 * ms, 0},
		{"beside a wider gap the value holds", 7 * second, 8 * second, 40},
		{"a gap of 5 s is unknown", 7 * second, 12 * second, -1},
		{"too long after the last reading", 13 * second, 14500 * ms, -1},
		{"in the middle of the wide gap", 9200 * ms, 9400 * ms, -1},
		{"no time at all", 2 * second, 2 * second, -1},
	} {
		got, ok := c.Integral(row.from, row.to)
		if ok != (row.want >= 0) || ok && math.Abs(got-row.want) > 1e-9 {
			t.Errorf("%s: %v, %v, want %v", row.why, got, ok, row.want)
		}
	}
	if mean, ok := c.Mean(1*second, 3*second); !ok || mean != 22.5 {
		t.Errorf("mean %v, %v, want 22.5", mean, ok)
	}
	if _, ok := (Curve{}).Integral(second, 2*second); ok {
		t.Error("no readings have an integral")
	}
}

// set makes a set of samples whose quantity "q" is given; NaN leaves it out.
func set(samples ...*exobench.Sample) *Set {
	s := new(Set)
	for _, sample := range samples {
		s.Add(sample)
	}
	return s
}

func sample(of string, at exobench.Instant, m exobench.Moment, values ...float64) *exobench.Sample {
	s := &exobench.Sample{At: at, Sensor: "s", Of: of, Moment: m}
	for i, v := range values {
		if !math.IsNaN(v) {
			s.Values = append(s.Values, exobench.Value{Quantity: exobench.Quantity("q" + string(rune('0'+i))), Value: v})
		}
	}
	return s
}

func TestALineIsInOrderOfTimeHoweverItsReadingsCame(t *testing.T) {
	nan := math.NaN()
	samples := []*exobench.Sample{
		sample("a", 1, exobench.Before, 10, nan), sample("a", 2, exobench.Before, 11, 5), sample("a", 3, exobench.Loaded, nan, 6),
		sample("a", 4, exobench.During, 12), sample("a", 4, exobench.During, 13), sample("a", 9, exobench.During, nan, 7),
	}
	const seed = 5
	rng := rand.New(rand.NewPCG(seed, seed))
	for range 20 {
		l := set(samples...).Line("s", "a")
		if l.Len() != 6 || l.After(2) != 2 || l.After(4) != 5 || l.After(0) != 0 || l.After(99) != 6 {
			t.Fatalf("seed %d: %d readings, after 2: %d, after 4: %d", seed, l.Len(), l.After(2), l.After(4))
		}
		if d := cmp.Diff(Curve{{1, 10}, {2, 11}, {4, 12}, {4, 13}}, l.Curve("q0")); d != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, d)
		}
		if i, ok := l.Last(exobench.Before, "q0"); !ok || l.At(i) != 2 {
			t.Errorf("the last before is at %v, %v", i, ok)
		}
		if i, ok := l.Last(exobench.During, "q0"); !ok || l.At(i) != 4 || !l.Is(i, exobench.During) {
			t.Errorf("the last with q0 is at %v, %v", i, ok)
		}
		if i, ok := l.Last(exobench.During, "q0", "q1"); !ok || l.At(i) != 9 {
			t.Errorf("the last with either is at %v, %v", i, ok)
		}
		if _, ok := l.Last(exobench.Loaded, "q0"); ok {
			t.Error("a reading without q0 has one")
		}
		if _, ok := l.Value(2, "q0"); ok {
			t.Error("a value that was not read is known")
		}
		rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	}
}

func TestReadingsOfOneInstantAreInOneOrder(t *testing.T) {
	a, b := sample("a", 4, exobench.During, 12), sample("a", 4, exobench.During, 13)
	one, other := set(a, b).Line("s", "a").Curve("q0"), set(b, a).Line("s", "a").Curve("q0")
	if !slices.Equal(one, other) {
		t.Errorf("%v and %v", one, other)
	}
}

func TestWhatIsReadTogetherIsAddedUp(t *testing.T) {
	s := set(sample("a", 1, exobench.Before, 10), sample("b", 1, exobench.Before, 20),
		sample("a", 2, exobench.During, 30), // b was not read
		sample("b", 3, exobench.During, 50), sample("a", 3, exobench.During, 40))
	sum := s.Together("s", "q0")
	if d := cmp.Diff(Curve{{1, 30}, {3, 90}}, sum.Curve("q0")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !sum.Is(0, exobench.Before) || !sum.Is(1, exobench.During) {
		t.Error("the moments are others")
	}
	if n := s.Together("none", "q0").Len(); n != 0 {
		t.Errorf("a sensor that nobody read has %d readings", n)
	}
}

func TestASetKeepsThingsApart(t *testing.T) {
	s := new(Set)
	buffer := sample("b", 1, exobench.Before, 1, 2)
	s.Add(buffer, "q1")
	buffer.Values[0].Value, buffer.Values[1].Value = 99, 99 // the caller's again
	s.Add(sample("a", 5, exobench.During, 3, 4), "q1")
	if got := s.Of("s"); !slices.Equal(got, []string{"a", "b"}) || s.Len() != 2 {
		t.Errorf("things %q, %d readings", got, s.Len())
	}
	if v, ok := s.Line("s", "b").Value(0, "q1"); !ok || v != 2 {
		t.Errorf("value %v, %v", v, ok)
	}
	if _, ok := s.Line("s", "b").Value(0, "q0"); ok {
		t.Error("a quantity that was not wanted is kept")
	}
	for until, want := range map[exobench.Instant][2]int{0: {1, 0}, 1: {1, 1}, 5: {1, 2}} {
		if outside, before := s.Count(until); outside != want[0] || before != want[1] {
			t.Errorf("until %d: %d, %d, want %v", until, outside, before, want)
		}
	}
}
