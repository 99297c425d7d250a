package summary

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"exobench"
	"exobench/metric"
)

// The meters of the tests: two processors' counters, the machine's own, and one at
// the socket.
var (
	package0 = exobench.Meter{Sensor: "power", Of: "rapl:package-0", Source: "rapl package", Scope: exobench.PackageScope, Step: 100 * time.Millisecond}
	package1 = exobench.Meter{Sensor: "power", Of: "rapl:package-1", Source: "rapl package", Scope: exobench.PackageScope, Step: 100 * time.Millisecond}
	chassis  = exobench.Meter{Sensor: "power", Of: "hwmon:power_meter:power1", Source: "hwmon power_meter", Scope: exobench.NodeScope, Step: time.Second}
	plug     = exobench.Meter{Sensor: "power", Of: "csv:plug.csv", Source: "csv:plug.csv", Scope: exobench.WallScope, Step: time.Second}
	battery  = exobench.Meter{Sensor: "power", Of: "battery:BAT0", Source: "battery", Scope: exobench.NodeScope, Step: 10 * time.Second, Estimated: true}
)

// counted is what a counter grew by from one time to another, read each 100 ms, at
// a power.
func counted(m exobench.Meter, moment exobench.Moment, from, to exobench.Instant, watts float64) []exobench.Entry {
	all := []exobench.Entry{&m}
	const every = 100 * ms
	for at := from + every; at <= to; at += every {
		s := aSample(1, at, moment, m.Sensor, m.Of, exobench.Value{Quantity: exobench.EnergyJoules, Value: watts / 10})
		s.Span = time.Duration(every)
		all = append(all, s)
	}
	return all
}

// onceASecond are powers of the instant, once a second.
func onceASecond(m exobench.Meter, moment exobench.Moment, from, to exobench.Instant, watts float64) []exobench.Entry {
	all := []exobench.Entry{&m}
	for at := from; at <= to; at += second {
		all = append(all, aSample(1, at, moment, m.Sensor, m.Of, exobench.Value{Quantity: exobench.PowerWatts, Value: watts}))
	}
	return all
}

// meteredRequests are requests of 1 s at 10 s and at 11 s, from ten tokens each, on a
// machine whose processors take 40 W and then, from 10.1 s on, 60 W, and 15 W while
// it is idle.
func meteredRequests() []exobench.Entry {
	return slices.Concat(
		counted(package0, exobench.Idle, 1*second, 3*second, 10), counted(package1, exobench.Idle, 1*second, 3*second, 5),
		counted(package0, exobench.During, 9*second, 10100*ms, 30), counted(package0, exobench.During, 10100*ms, 13*second, 50),
		counted(package1, exobench.During, 9*second, 13*second, 10),
		[]exobench.Entry{ok(1, 10, second), ok(2, 11, second)})
}

func medianOf(t *testing.T, c *Cell, name string) float64 {
	t.Helper()
	s, known := c.Metric(name)
	if !known {
		return math.NaN()
	}
	return s.Median
}

func TestEnergyOfCountersByHand(t *testing.T) {
	c := only(t, meteredRequests()...)
	// The first request: 0.1 s of 40 W to its first token, and 0.9 s of 60 W; the
	// second 1 s of 60 W.
	for name, want := range map[string]float64{
		metric.Energy: (58 + 60) / 2.0, metric.EnergyAboveIdle: (43 + 45) / 2.0,
		metric.EnergyPrefill: (4 + 6) / 2.0, metric.EnergyDecode: 54, metric.EnergyShare: 5.9,
	} {
		if got := medianOf(t, c, name); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	want := []Energy{{
		Source: "rapl package", Scope: exobench.PackageScope, Meters: []string{"rapl:package-0", "rapl:package-1"}, Chosen: true,
		Step: 100 * time.Millisecond, Joules: new(118.0), Power: new(59.0), Idle: new(15.0), AboveIdle: new(88.0), PerToken: new(5.9), AboveIdlePerToken: new(4.4),
		Coverage: 1, Gap: 100 * time.Millisecond, Requests: 2,
	}}
	if d := cmp.Diff(want, c.Energy, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if c.Values[metric.CellEnergy] != *c.Energy[0].Joules || c.Values[metric.CellEnergyAboveIdlePerToken] != *c.Energy[0].AboveIdlePerToken {
		t.Errorf("values %v", c.Values)
	}
}

func TestEnergiesAreOfTheWidestSourceThatIsMeasured(t *testing.T) {
	wall := onceASecond(plug, exobench.During, 9*second, 13*second, 200)
	node := onceASecond(chassis, exobench.During, 9*second, 13*second, 150)
	guess := onceASecond(battery, exobench.During, 9*second, 13*second, 140)
	dram := exobench.Meter{Sensor: "power", Of: "rapl:dram-0", Source: "rapl dram", Scope: exobench.MemoryScope, Step: 100 * time.Millisecond}
	for _, row := range []struct {
		why     string
		more    []exobench.Entry
		sources []string
		joules  float64 // of the cell
	}{
		{"the socket", slices.Concat(wall, node, guess), []string{"csv:plug.csv", "hwmon power_meter", "rapl package", "battery"}, 400},
		{"the machine", slices.Concat(node, guess), []string{"hwmon power_meter", "rapl package", "battery"}, 300},
		{"a part that is measured rather than a whole that is estimated", guess, []string{"rapl package", "battery"}, 118},
		{"the sum of parts", counted(dram, exobench.During, 9*second, 13*second, 4), []string{"rapl package + rapl dram", "rapl package", "rapl dram"}, 126},
	} {
		c := only(t, append(meteredRequests(), row.more...)...)
		var got []string
		for _, e := range c.Energy {
			got = append(got, e.Source)
		}
		if !slices.Equal(got, row.sources) || math.Abs(c.Values[metric.CellEnergy]-row.joules) > 1e-9 || !c.Energy[0].Chosen {
			t.Errorf("%s: sources %q, want %q; %v J, want %v", row.why, got, row.sources, c.Values[metric.CellEnergy], row.joules)
		}
	}
}

func TestWhatIsShorterThanTheStepOfTheMeterHasNoEnergy(t *testing.T) {
	c := only(t, append(onceASecond(chassis, exobench.During, 9*second, 20*second, 100), ok(1, 10, 900*ms), ok(2, 11, second), ok(3, 12, 3*second))...)
	e := c.Energy[0]
	if e.Short != 1 || e.Requests != 2 || e.Joules == nil || e.Idle != nil || e.AboveIdle != nil {
		t.Errorf("%+v", e)
	}
	if s, known := c.Metric(metric.EnergyPrefill); known {
		t.Errorf("energy of prefills of 0.1 s from readings a second apart: %+v", s)
	}
	if s, _ := c.Metric(metric.EnergyDecode); s.N != 1 || s.Median != 290 {
		t.Errorf("energy of decoding: %+v; want that of the third alone", s)
	}
	if short := only(t, append(onceASecond(chassis, exobench.During, 9*second, 20*second, 100), ok(1, 10, 900*ms))...).Energy[0]; short.Missing != EnergyShort || short.Joules != nil {
		t.Errorf("%+v", short)
	}
}

func TestAnEnergySaysWhyItIsMissing(t *testing.T) {
	requests := []exobench.Entry{ok(1, 10, 10*second), ok(2, 20, 10*second)}
	for _, row := range []struct {
		why     string
		from    exobench.Instant
		until   exobench.Instant
		missing EnergyMissing
	}{
		{"all", 9 * second, 31 * second, ""},
		{"a second at the end, which the last reading speaks for", 9 * second, 29 * second, ""},
		{"the last third", 9 * second, 23 * second, EnergyGaps},
		{"before", 1 * second, 5 * second, EnergyUnread},
	} {
		e := only(t, append(onceASecond(chassis, exobench.During, row.from, row.until, 100), requests...)...).Energy[0]
		if e.Missing != row.missing || (e.Joules == nil) != (row.missing != "") || (e.Coverage >= 0.95) != (row.missing == "") {
			t.Errorf("%s: %+v", row.why, e)
		}
	}
	if c := only(t, requests...); c.Energy != nil || c.Values[metric.CellEnergy] != 0 {
		t.Errorf("without a meter: %+v", c.Energy)
	}
	// One of two packages is not read: half of the power is not the power.
	half := append(counted(package0, exobench.During, 9*second, 31*second, 50), requests...)
	if e := only(t, append(half, &package1)...).Energy[0]; e.Missing != EnergyUnread || len(e.Meters) != 2 {
		t.Errorf("%+v", e)
	}
}

func TestPowerIsSplitAmongTheRequestsUnderWay(t *testing.T) {
	// Two requests from 10 s, of 1 s and 3 s: for a second they share 100 W.
	c := only(t, append(onceASecond(chassis, exobench.During, 9*second, 20*second, 100), ok(1, 10, second), ok(2, 10, 3*second))...)
	share, _ := c.Metric(metric.EnergyShare)
	if share.Min != 5 || share.Max != 25 || c.Values[metric.EnergyPerToken] != 15 {
		t.Errorf("%+v, of the cell %v", share, c.Values[metric.EnergyPerToken])
	}
	if energy, _ := c.Metric(metric.Energy); energy.Min != 100 || energy.Max != 300 {
		t.Errorf("%+v: each is charged with all of it", energy)
	}
}

func TestAMeanOverASpanStandsInItsMiddle(t *testing.T) {
	m := chassis
	entries := []exobench.Entry{&m, ok(1, 10, 2*second)}
	for i := range exobench.Instant(8) { // 0 W until 11 s, 100 W from there
		s := aSample(1, (8+i)*second, exobench.During, m.Sensor, m.Of, exobench.Value{Quantity: exobench.PowerWatts, Value: 100 * float64(min(1, max(0, i-3)))})
		s.Span = time.Second
		entries = append(entries, s)
	}
	if got := *only(t, entries...).Energy[0].Joules; math.Abs(got-100) > 1e-9 {
		t.Errorf("%v J, want 100: the trapezoids of 10.5 to 11.5 s are even about 11 s", got)
	}
}

func TestTheOrderOfEntriesDoesNotMatterToEnergies(t *testing.T) {
	entries := append(meteredRequests(), onceASecond(plug, exobench.During, 9*second, 13*second, 200)...)
	want := only(t, entries...)
	slices.Reverse(entries)
	got := only(t, entries...)
	if d := cmp.Diff(want.Energy, got.Energy, cmpopts.EquateApprox(1e-12, 0)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestEnergiesThatCannotBeAreDoubted(t *testing.T) {
	doubts := func(entries ...exobench.Entry) (all []Figures) {
		for _, w := range only(t, entries...).Warnings {
			switch w.Figures.(type) {
			case IdleNotIdle, PartAboveWhole:
				all = append(all, w.Figures)
			}
		}
		return all
	}
	if got := doubts(meteredRequests()...); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := doubts(append(meteredRequests(), onceASecond(plug, exobench.During, 9*second, 13*second, 40)...)...); !slices.Equal(got, []Figures{PartAboveWhole{"rapl package", 59, "csv:plug.csv", 40}}) {
		t.Errorf("%+v", got)
	}
	idle := slices.Concat(onceASecond(chassis, exobench.Idle, 1*second, 5*second, 120), onceASecond(chassis, exobench.During, 9*second, 13*second, 100))
	if got := doubts(append(idle, ok(1, 10, 2*second))...); !slices.Equal(got, []Figures{IdleNotIdle{120, 100}}) {
		t.Errorf("%+v", got)
	}
}

func TestAGPUCountsOnceBesideTheProcessorsThatItIsNoPartOf(t *testing.T) {
	gpu := func(unified float64) (all []exobench.Entry) {
		for at := exobench.Instant(9); at <= 13; at++ {
			all = append(all, aSample(1, at*second, exobench.During, "gpu", "GPU-1", exobench.Value{Quantity: "gpu_power_watts", Value: 300},
				exobench.Value{Quantity: "gpu_power_average_watts", Value: 290}, exobench.Value{Quantity: "gpu_unified", Value: unified}))
		}
		return all
	}
	for _, row := range []struct {
		unified float64
		source  string
		joules  float64
	}{{0, "rapl package + gpus", 718}, {1, "rapl package", 118}} {
		c := only(t, append(meteredRequests(), gpu(row.unified)...)...)
		if e := c.Energy[0]; e.Source != row.source || math.Abs(*e.Joules-row.joules) > 1e-9 {
			t.Errorf("unified %v: %+v, %v J", row.unified, e, *e.Joules)
		}
	}
}
