package summary

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"exobench"
	"exobench/metric"
)

func seriesAt(values map[exobench.Instant]float64) series {
	var s series
	for at := exobench.Instant(0); at <= 100*second; at += 100 * ms {
		if v, ok := values[at]; ok {
			s = append(s, point{at, v})
		}
	}
	return s
}

func TestIntegralByHand(t *testing.T) {
	s := seriesAt(map[exobench.Instant]float64{1 * second: 10, 2 * second: 20, 3 * second: 40, 7 * second: 40, 12 * second: 0})
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
		got, ok := s.integral(row.from, row.to)
		if ok != (row.want >= 0) || ok && math.Abs(got-row.want) > 1e-9 {
			t.Errorf("%s: %v, %v, want %v", row.why, got, ok, row.want)
		}
	}
	if _, ok := (series{}).integral(second, 2*second); ok {
		t.Error("no readings have an integral")
	}
}

// node is a reading of a node at sec seconds.
func node(name string, sec exobench.Instant, moment exobench.Moment, power float64) *exobench.NodeReading {
	return &exobench.NodeReading{At: sec * second, Engine: "exo", Model: "one", Moment: moment, Node: name, Power: &power}
}

// twoNodes is a load from 1 s on with requests from 10 s to 12 s, during which
// node a takes 10 W and node b 20, then 30 and 40 W.
func twoNodes() []exobench.Entry {
	entries := []exobench.Entry{
		node("a", 1, exobench.MomentBefore, 5), node("b", 1, exobench.MomentBefore, 5),
		node("a", 9, exobench.MomentLoaded, 10), node("b", 9, exobench.MomentLoaded, 20),
	}
	for i := range exobench.Instant(4) {
		entries = append(entries, node("a", 10+i, exobench.MomentDuring, 10), node("b", 10+i, exobench.MomentDuring, float64(20+10*i)))
	}
	return entries
}

func TestEnergyOfRequestsByHand(t *testing.T) {
	entries := append(twoNodes(), header(), ok(1, 10, second), ok(2, 11, second))
	run := build(t, entries...)
	var got []float64
	_ = run.Rows(sequence(entries), func(row Row) error { got = append(got, *row.Energy); return nil })
	// a: 10 J each second; b: (20+30)/2, (30+40)/2.
	if d := cmp.Diff([]float64{35, 45}, got, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("energy (-want +got):\n%s", d)
	}
	c := run.Cells[0]
	energy, _ := c.Metric(metric.Energy)
	// The cell: 80 J over 2 s for twice ten tokens.
	if energy.Median != 40 || math.Abs(*c.EnergyPerToken-4) > 1e-12 {
		t.Errorf("energy %+v, per token %v", energy, *c.EnergyPerToken)
	}
}

func TestRequestsUnderWayTogetherShareTheEnergyOfTheCell(t *testing.T) {
	run := build(t, append(twoNodes(), header(), ok(1, 10, second), ok(2, 10, second))...)
	c := run.Cells[0]
	energy, _ := c.Metric(metric.Energy)
	if energy.Median != 35 || math.Abs(*c.EnergyPerToken-35.0/20) > 1e-12 {
		t.Errorf("energy %+v, per token %v; want 35 J each, and 35 J for 20 tokens", energy, *c.EnergyPerToken)
	}
}

func TestEnergyIsUnknownUnlessEveryNodeTellsItsPower(t *testing.T) {
	silent := node("c", 10, exobench.MomentDuring, 0)
	silent.Power = nil
	used := exobench.Bytes(7 * mib)
	silent.MemoryUsed = &used
	entries := append(twoNodes(), header(), silent, ok(1, 10, second), ok(2, 30, second))
	run := build(t, entries...)
	_ = run.Rows(sequence(entries), func(row Row) error {
		if row.Energy != nil {
			t.Errorf("energy of request %d: %v", row.Record.Seq, *row.Energy)
		}
		return nil
	})
	if _, known := run.Cells[0].Metric(metric.Energy); known || run.Cells[0].EnergyPerToken != nil {
		t.Error("the energy of the cell is known")
	}
	if n := run.Nodes[2]; n.Name != "c" || n.Power != nil || *n.Peak != used {
		t.Errorf("node c: %+v", n)
	}
}

func TestNodesOfALoadByHand(t *testing.T) {
	full := func(sec exobench.Instant, moment exobench.Moment, used exobench.Bytes, gpu, temperature float64) *exobench.NodeReading {
		total := 64 * mib
		return &exobench.NodeReading{At: sec * second, Engine: "exo", Model: "one", Moment: moment, Node: "a",
			MemoryUsed: &used, MemoryTotal: &total, GPU: &gpu, Temperature: &temperature}
	}
	place := func(sec exobench.Instant, placement string) *exobench.LoadEvent {
		return &exobench.LoadEvent{At: sec * second, Engine: "exo", Model: "one", Placement: placement, Stage: exobench.StageReady}
	}
	run := build(t, header(),
		full(1, exobench.MomentBefore, 10*mib, 0, 99), place(2, "ring"), full(3, exobench.MomentLoaded, 20*mib, 0.5, 40),
		full(9, exobench.MomentDuring, 50*mib, 1, 80), // a warm-up's
		full(10, exobench.MomentDuring, 30*mib, 0, 50), full(12, exobench.MomentDuring, 40*mib, 1, 60),
		ok(1, 10, second), ok(2, 11, second), // measured from 10 to 12 s
		full(14, exobench.MomentDuring, 60*mib, 0, 70),
		full(20, exobench.MomentBefore, 11*mib, 0, 30), place(21, "rdma"),
	)
	ptr := func(v float64) *float64 { return &v }
	size := func(b exobench.Bytes) *exobench.Bytes { b *= mib; return &b }
	want := []Node{
		{Subject: Subject{"exo", "one"}, Placement: "ring", Name: "a", Before: size(10), Loaded: size(20), Peak: size(40), Total: size(64),
			GPU: ptr(0.5), MaxTemperature: ptr(60)},
		{Subject: Subject{"exo", "one"}, Placement: "rdma", Name: "a", Before: size(11), Total: size(64)},
	}
	if d := cmp.Diff(want, run.Nodes); d != "" {
		t.Errorf("nodes (-want +got):\n%s", d)
	}
}

func TestWhatIsMeasuredOfALoadEndsWithTheLoad(t *testing.T) {
	cells := []window{{10, 50}, {5, 8}, {60, 70}, {}}
	for until, want := range map[exobench.Instant]window{5: {}, 30: {5, 30}, 100: {5, 70}} {
		if got := within(cells, 2, until); got != want {
			t.Errorf("until %d: %v, want %v", until, got, want)
		}
	}
	if got := within(cells, 20, 100); got != (window{20, 70}) {
		t.Errorf("from 20: %v", got)
	}
}
