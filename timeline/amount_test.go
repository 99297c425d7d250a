package timeline

import (
	"math"
	"testing"
	"time"

	"exobench"
)

func TestAmountsSayHowMuchOfTheTimeIsCovered(t *testing.T) {
	c := Curve{{1 * second, 10}, {2 * second, 20}, {12 * second, 40}}
	counter := Stretches{{0, 1 * second, 10}, {1 * second, 2 * second, 30}, {4 * second, 14 * second, 100}}
	for _, row := range []struct {
		why string
		of  interface {
			Over(from, to exobench.Instant, reach time.Duration) Amount
		}
		from, to exobench.Instant
		want     Amount
	}{
		{"between readings", c, 1 * second, 2 * second, Amount{15, time.Second, time.Second}},
		{"a wide gap: 2 s of 20 W and 2 s of 40 W of it", c, 2 * second, 12 * second, Amount{120, 4 * time.Second, 10 * time.Second}},
		{"beyond the last reading", c, 13 * second, 16 * second, Amount{40, time.Second, 4 * time.Second}},
		{"before the first", c, 0, 1 * second, Amount{10, time.Second, time.Second}},
		{"no readings", Curve{}, 0, second, Amount{0, 0, time.Second}},
		{"half of each of two stretches", counter, 500 * ms, 1500 * ms, Amount{20, time.Second, time.Second}},
		{"within one", counter, 1200 * ms, 1300 * ms, Amount{3, 100 * time.Millisecond, time.Second}},
		{"a hole of 2 s", counter, 1 * second, 4 * second, Amount{30, time.Second, 2 * time.Second}},
		{"a long one as a whole is exact", counter, 4 * second, 14 * second, Amount{100, 10 * time.Second, 10 * time.Second}},
		{"a part of a long one is not known", counter, 5 * second, 14 * second, Amount{0, 0, 10 * time.Second}},
		{"after the counter's end", counter, 14 * second, 15 * second, Amount{0, 0, time.Second}},
		{"no time", counter, second, second, Amount{}},
	} {
		got := row.of.Over(row.from, row.to, Reach)
		if math.Abs(got.Value-row.want.Value) > 1e-9 || got.Covered != row.want.Covered || got.Gap != row.want.Gap {
			t.Errorf("%s: %+v, want %+v", row.why, got, row.want)
		}
	}
}

func TestAReadingWithASpanIsOfTheTimeBeforeIt(t *testing.T) {
	s := new(Set)
	for i := range exobench.Instant(3) {
		s.Add(&exobench.Sample{At: (i + 1) * second, Sensor: "s", Of: "a", Span: time.Second, Values: exobench.Values{
			{Quantity: "mean", Value: float64(i)}, {Quantity: "used", Value: 10 * float64(i)}}}, "mean", "used")
	}
	s.Add(&exobench.Sample{At: 4 * second, Sensor: "s", Of: "a", Values: exobench.Values{{Quantity: "used", Value: 7}, {Quantity: "mean", Value: 9}}})
	l := s.Line("s", "a")
	if c := l.Means("mean"); len(c) != 4 || c[0] != (Point{500 * ms, 0}) || c[2] != (Point{2500 * ms, 2}) || c[3] != (Point{4 * second, 9}) {
		t.Errorf("means %v", c)
	}
	if all := l.Stretches("used"); len(all) != 3 || all[1] != (Stretch{1 * second, 2 * second, 10}) {
		t.Errorf("stretches %v", all)
	}
}
