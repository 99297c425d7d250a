package summary

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench"
	"exobench/metric"
)

// fullLife is what is told of step 1, whose requests are sent from 10 s on, and
// of step 2, which fails.
func fullLife() []exobench.Entry {
	event := func(step int, at exobench.Instant, stage exobench.Stage) *exobench.StageEvent {
		return &exobench.StageEvent{At: at, Step: step, Stage: stage}
	}
	got := event(1, 2*second, exobench.StageDownload)
	got.Downloaded = 5 * mib
	loading := event(1, 5*second, exobench.StageLoad)
	loading.Placement, loading.Instance = "ring", "i-1"
	return []exobench.Entry{
		event(1, 1*ms, exobench.StageResolve),
		event(1, 1*second, exobench.StagePlace),
		got, loading,
		event(1, 8*second, exobench.StageWarm),
		event(1, 9*second, exobench.StageReady),
		event(1, 500*second, exobench.StageRelease),
		event(1, 501*second, exobench.StageReleased),
		&exobench.StepEnd{At: 502 * second, Step: 1, Reason: exobench.StepReleased},
		event(2, 599*second, exobench.StagePlace),
		event(2, 600*second, exobench.StageRelease),
		event(2, 601*second, exobench.StageReleased),
		&exobench.StepEnd{At: 602 * second, Step: 2, Reason: exobench.StepFailed, Error: "no room"},
		// The memory still falls when it is read first.
		aSample(1, 100*ms, exobench.Before, "processes", "", exobench.Value{Quantity: exobench.PSS, Value: 190 * float64(mib)}),
		aSample(1, 200*ms, exobench.Before, "processes", "", exobench.Value{Quantity: exobench.PSS, Value: 110 * float64(mib)}),
		aSample(1, 9100*ms, exobench.Loaded, "processes", "", exobench.Value{Quantity: exobench.PSS, Value: 600 * float64(mib)}),
	}
}

func TestStepsByHand(t *testing.T) {
	run := of(t, fullLife()...)
	size := func(b exobench.Bytes) *Level { return &Level{Total: b * mib} }
	want := []Step{{
		ID: 1, Session: 1, Subject: Subject{"exo", "one"}, ModelID: "org/one", Placement: "ring", Instance: "i-1", State: Done,
		Stage: exobench.StageReleased, Began: 1 * ms, Ended: 502 * second,
		Load:   &ModelLoad{Start: second, Loading: 5 * time.Second, Placing: time.Second, Weights: 3 * time.Second, Warming: time.Second, Downloading: 3 * time.Second, Downloaded: 5 * mib},
		Source: FromPSS, Before: size(110), Loaded: size(600), Cells: []int{1},
	}, {
		ID: 2, Session: 1, Subject: Subject{"exo", "two"}, ModelID: "org/two", State: Failed,
		Stage: exobench.StagePlace, Began: 599 * second, Ended: 602 * second, Error: "no room", Cells: []int{2},
	}}
	if d := cmp.Diff(want, run.Steps); d != "" {
		t.Errorf("steps (-want +got):\n%s", d)
	}
	c := run.Cell(2)
	if c.State != Failed || c.Error != "no room" || !slices.Equal(c.Steps, []int{2}) || c.Requests != 0 || c.Cache != "" {
		t.Errorf("the cell of the failed step: %+v", c)
	}
	// Its requests were never told of, but its load was.
	if v := run.Cell(1).Values; v[metric.LoadTime] != 5 || v[metric.DownloadTime] != 3 {
		t.Errorf("values %v", v)
	}
}

func TestWhatClearedTheWayIsNotOfTheLoad(t *testing.T) {
	var entries []exobench.Entry
	for i, stage := range []exobench.Stage{
		exobench.StageResolve, exobench.StagePlace, exobench.StageDownload, exobench.StageDownload, exobench.StageResolve, // the way is cleared
		exobench.StageResolve, exobench.StagePlace, exobench.StagePlace, exobench.StageLoad, exobench.StageLoad, exobench.StageWarm, exobench.StageReady,
	} {
		// Each lasts a second longer than the one before it.
		entries = append(entries, &exobench.StageEvent{At: exobench.Instant(i*(i+1)/2+1) * second, Step: 1, Stage: stage})
	}
	got := of(t, entries...).Steps[0].Load
	want := &ModelLoad{
		Start: 22 * second, Loading: (7 + 8 + 9 + 10 + 11) * time.Second, Placing: (7 + 8) * time.Second,
		Weights: (9 + 10) * time.Second, Warming: 11 * time.Second, Downloading: (3 + 4) * time.Second,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("load (-want +got):\n%s", d)
	}
}

func TestLoadsThatExobenchDoesNotDriveAreNotTimed(t *testing.T) {
	h := header()
	h.Engines[0].LifeCycle = false
	run := build(t, slices.Concat(outline()[1:], fullLife(), []exobench.Entry{h})...)
	if run.Steps[0].Load != nil || len(run.Cell(1).Values) != 0 {
		t.Errorf("load %+v, values %v", run.Steps[0].Load, run.Cell(1).Values)
	}
}

func TestStatesOfAStepAndItsCell(t *testing.T) {
	ready := &exobench.StageEvent{At: 2, Step: 2, Stage: exobench.StageReady}
	asked := aBlock(2, 2, 2)
	blockEnd := func(reason exobench.BlockEndReason) *exobench.BlockEnd {
		return &exobench.BlockEnd{At: 9, Block: 2, Reason: reason}
	}
	stepEnd := func(reason exobench.StepEndReason) *exobench.StepEnd {
		return &exobench.StepEnd{At: 10, Step: 2, Reason: reason}
	}
	stopped := &exobench.End{At: 11, Session: 1, Reason: exobench.EndInterrupted}
	for _, row := range []struct {
		why        string
		entries    []exobench.Entry
		step, cell State
	}{
		{"nothing yet", nil, Planned, Planned},
		{"the run ended before its turn", []exobench.Entry{stopped}, Planned, Planned},
		{"the first reading", []exobench.Entry{aSample(2, 1, exobench.Before, "processes", "", exobench.Value{Quantity: exobench.PSS})}, Loading, Loading},
		{"on its way", []exobench.Entry{&exobench.StageEvent{At: 1, Step: 2, Stage: exobench.StagePlace}}, Loading, Loading},
		{"ready", []exobench.Entry{ready}, Measuring, Planned},
		{"asked, of an engine whose loads are not driven", []exobench.Entry{asked}, Measuring, Measuring},
		{"all was asked", []exobench.Entry{ready, asked, blockEnd(exobench.BlockDone)}, Measuring, Done},
		{"its time is over", []exobench.Entry{ready, asked, blockEnd(exobench.BlockTime)}, Measuring, Done},
		{"taken away", []exobench.Entry{ready, asked, blockEnd(exobench.BlockDone), stepEnd(exobench.StepReleased)}, Done, Done},
		{"left there", []exobench.Entry{ready, asked, blockEnd(exobench.BlockDone), stepEnd(exobench.StepKept)}, Kept, Done},
		{"no way onto the engine", []exobench.Entry{stepEnd(exobench.StepFailed)}, Failed, Failed},
		{"failed later", []exobench.Entry{ready, asked, blockEnd(exobench.BlockDone), stepEnd(exobench.StepFailed)}, Failed, Done},
		{"stopped answering", []exobench.Entry{ready, asked, blockEnd(exobench.BlockNoAnswer), stepEnd(exobench.StepReleased)}, Done, Failed},
		{"failed in mid-block", []exobench.Entry{ready, asked, stepEnd(exobench.StepFailed)}, Failed, Failed},
		{"interrupted", []exobench.Entry{ready, asked, blockEnd(exobench.BlockInterrupted), stepEnd(exobench.StepInterrupted)}, Interrupted, Interrupted},
		{"interrupted while loading", []exobench.Entry{&exobench.StageEvent{At: 1, Step: 2, Stage: exobench.StagePlace}, stepEnd(exobench.StepInterrupted)}, Interrupted, Interrupted},
		{"its session ended without a word", []exobench.Entry{ready, asked, stopped}, Interrupted, Interrupted},
		{"a later session began", []exobench.Entry{ready, asked, &exobench.Session{ID: 2}}, Interrupted, Interrupted},
		{"taken up again in a later session", []exobench.Entry{ready, asked, blockEnd(exobench.BlockInterrupted), &exobench.Session{ID: 2},
			&exobench.Step{ID: 7, Session: 2, Engine: "exo", Model: aStep(2, "two").Model}, aBlock(8, 7, 2), &exobench.BlockEnd{At: 1, Block: 8, Reason: exobench.BlockDone}}, Interrupted, Done},
	} {
		run := build(t, append(outline(), row.entries...)...)
		if step, cell := run.Step(2).State, run.Cell(2).State; step != row.step || cell != row.cell {
			t.Errorf("%s: step %s, cell %s, want %s and %s", row.why, step, cell, row.step, row.cell)
		}
	}
}

func TestPlacementsThatBecomeKnownLate(t *testing.T) {
	ring, rdma := aStep(1, "one"), aStep(3, "one")
	ring.Placement, rdma.Placement = "ring", "rdma"
	ringCell, rdmaCell := aCell(1, "one", exobench.Traffic{Concurrency: 1}), aCell(3, "one", exobench.Traffic{Concurrency: 1})
	ringCell.Placement, rdmaCell.Placement = "ring", "rdma"
	run := of(t, append(requests(6), ring, rdma, ringCell, rdmaCell,
		&exobench.StageEvent{At: 1, Step: 3, Stage: exobench.StagePlace, Placement: "rdma/2 nodes"},
		&exobench.StepEnd{At: 2, Step: 3, Reason: exobench.StepFailed, Error: "no link"})...)
	if c := run.Cell(1); c.N != 6 || c.Placement != "ring" {
		t.Errorf("the first placement: %+v", c)
	}
	if s, c := run.Step(3), run.Cell(3); s.Wanted != "rdma" || s.Placement != "rdma/2 nodes" || c.State != Failed || c.Placement != "rdma" {
		t.Errorf("the second: %+v, %+v", s, c)
	}
	if len(run.Steps) != 3 || run.Step(3).Subject != run.Step(1).Subject {
		t.Errorf("steps %+v", run.Steps)
	}
	if places := run.Placements(Subject{"exo", "one"}); len(places) != 2 {
		t.Errorf("placements %q", places)
	}
}

func TestMemoryOfRequestsByHand(t *testing.T) {
	entries := slices.Concat(outline(), fullLife(), []exobench.Entry{
		reading(10, exobench.During, 620*mib),
		reading(11, exobench.During, 700*mib),
		reading(20, exobench.During, 650*mib),
		reading(30, exobench.During, 9000*mib),
		ok(1, 10, 5*second), // 10..15 s: 620, 700
		ok(2, 13, 2*second), // 13..15 s: the reading before it, 700
		ok(3, 16, 4500*ms),  // 16..20.5 s: 700 before it, 650
		ok(4, 21, 1*second), // 21..22 s: 650 before it; 9000 comes too late
	})
	run := build(t, entries...)
	var peaks []exobench.Bytes
	err := run.Rows(slices.Values(entries), func(row Row) error {
		model, _ := row.Memory.Model()
		additional, ok := row.Memory.Additional()
		if !ok || row.Memory.Before.Total != 110*mib || model != 490*mib || additional != row.Memory.Peak.Total-110*mib {
			t.Errorf("request %d: %+v", row.Record.Seq, row.Memory)
		}
		peaks = append(peaks, row.Memory.Peak.Total/mib)
		return nil
	})
	if d := cmp.Diff([]exobench.Bytes{700, 700, 700, 650}, peaks); d != "" || err != nil {
		t.Errorf("peaks in MiB, %v (-want +got):\n%s", err, d)
	}
	c := run.Cell(1)
	inference, _ := c.Memory.Inference()
	additional, _ := c.Metric(metric.MemoryAdditional)
	if c.Memory.Peak.Total != 700*mib || inference != 100*mib || additional.Median != float64(590*mib) || c.Memory.Source != FromPSS {
		t.Errorf("cell: %+v, additional %+v", c.Memory, additional)
	}
}

// resident is a reading of resident sizes in MiB, 0 where there is none of a
// kind.
func resident(sec exobench.Instant, moment exobench.Moment, pss, rss, anonymous, file float64) *exobench.Sample {
	s := aSample(1, sec*second, moment, "processes", "")
	for _, v := range []exobench.Value{{Quantity: exobench.PSS, Value: pss}, {Quantity: exobench.RSS, Value: rss}, {Quantity: exobench.Anonymous, Value: anonymous}, {Quantity: exobench.File, Value: file}} {
		if v.Value != 0 {
			s.Values = append(s.Values, exobench.Value{Quantity: v.Quantity, Value: v.Value * float64(mib)})
		}
	}
	return s
}

func TestResidentGrowthIsAddedToTheProportionalSize(t *testing.T) {
	c := only(t, resident(1, exobench.Before, 100, 0, 0, 0), resident(2, exobench.Loaded, 600, 640, 0, 0), // 40 MiB are shared
		resident(10, exobench.During, 0, 690, 500, 190), ok(1, 10, 5*second))
	m := c.Memory
	inference, _ := m.Inference()
	if m.Source != FromPSS || inference != 50*mib || m.Peak.Total != 650*mib || *m.Peak.Anonymous != 500*mib || *m.Peak.File != 150*mib {
		t.Errorf("peak %+v, inference %v, source %s; want 650 MiB: 600 and the growth of 50", m.Peak, inference, m.Source)
	}
	checkWarnings(t, c, TooFewRequests{1, IntervalN})
}

func TestOfEqualPeaksTheFirstCounts(t *testing.T) {
	c := only(t, resident(10, exobench.During, 600, 0, 100, 500), resident(11, exobench.During, 600, 0, 200, 400), ok(1, 9, 5*second))
	if peak := c.Memory.Peak; peak.Total != 600*mib || *peak.Anonymous != 100*mib {
		t.Errorf("peak %v, anonymous %v", peak.Total, *peak.Anonymous)
	}
}

func TestReadingsOfTwoSourcesAreWarnedOf(t *testing.T) {
	// Without the resident size after the load, the two cannot be related.
	entries := append(requests(6), resident(1, exobench.Before, 100, 0, 0, 0), resident(2, exobench.Loaded, 600, 0, 0, 0), resident(10, exobench.During, 0, 690, 0, 0))
	checkWarnings(t, only(t, entries...), SourcesMixed{[]MemorySource{FromPSS, FromRSS}})
}

func TestMemoryOfAnEngineOnSeveralNodesIsTheirSum(t *testing.T) {
	used := func(node string, sec exobench.Instant, moment exobench.Moment, size float64) *exobench.Sample {
		return aSample(1, sec*second, moment, "nodes", node, exobench.Value{Quantity: exobench.NodeUsed, Value: size * float64(mib)})
	}
	c := only(t, used("a", 1, exobench.Before, 10), used("b", 1, exobench.Before, 20),
		used("a", 2, exobench.Loaded, 110), used("b", 2, exobench.Loaded, 220),
		used("a", 10, exobench.During, 150), used("b", 10, exobench.During, 250),
		used("a", 11, exobench.During, 900), // the other was not read
		ok(1, 10, 5*second))
	if m := c.Memory; m.Source != FromNode || m.Before.Total != 30*mib || m.Loaded.Total != 330*mib || m.Peak.Total != 400*mib {
		t.Errorf("memory %+v: before %v, loaded %v, peak %v", m, m.Before, m.Loaded, m.Peak)
	}
}

func TestRequestsWithoutReadingsHaveUnknownMemory(t *testing.T) {
	c := only(t, requests(6)...)
	if _, known := c.Metric(metric.MemoryPeak); known || c.Memory != (RequestMemory{}) {
		t.Errorf("memory: %+v", c.Memory)
	}
}

func TestAReadingFromBeforeTheLoadIsNoPeak(t *testing.T) {
	c := only(t, reading(1, exobench.Before, 9*mib), ok(1, 10, second))
	if _, known := c.Memory.Model(); known || c.Memory.Peak != nil || c.Memory.Before == nil {
		t.Errorf("memory: %+v", c.Memory)
	}
}

// power is a reading of a node of step 1.
func power(name string, sec exobench.Instant, moment exobench.Moment, watts float64) *exobench.Sample {
	return aSample(1, sec*second, moment, "nodes", name, exobench.Value{Quantity: exobench.NodePower, Value: watts})
}

// twoNodes is a step from 1 s on with requests from 10 s to 12 s, during which
// node a takes 10 W and node b 20, then 30 and 40 W.
func twoNodes() []exobench.Entry {
	entries := []exobench.Entry{
		power("a", 1, exobench.Before, 5), power("b", 1, exobench.Before, 5),
		power("a", 9, exobench.Loaded, 10), power("b", 9, exobench.Loaded, 20),
	}
	for i := range exobench.Instant(4) {
		entries = append(entries, power("a", 10+i, exobench.During, 10), power("b", 10+i, exobench.During, float64(20+10*i)))
	}
	return entries
}

func energies(t *testing.T, run *Run, entries []exobench.Entry) (all []float64) {
	t.Helper()
	err := run.Rows(slices.Values(entries), func(row Row) error {
		if row.Energy.Joules != nil {
			all = append(all, *row.Energy.Joules)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEnergyOfRequestsByHand(t *testing.T) {
	entries := slices.Concat(outline(), twoNodes(), []exobench.Entry{ok(1, 10, second), ok(2, 11, second)})
	run := build(t, entries...)
	// a: 10 J each second; b: (20+30)/2, (30+40)/2.
	if got := energies(t, run, entries); !slices.Equal(got, []float64{35, 45}) {
		t.Errorf("energy %v", got)
	}
	c := run.Cell(1)
	energy, _ := c.Metric(metric.Energy)
	// The cell: 80 J over 2 s for twice ten tokens.
	if energy.Median != 40 || c.Values[metric.EnergyPerToken] != 4 {
		t.Errorf("energy %+v, values %v", energy, c.Values)
	}
}

func TestRequestsUnderWayTogetherShareTheEnergyOfTheCell(t *testing.T) {
	c := only(t, append(twoNodes(), ok(1, 10, second), ok(2, 10, second))...)
	energy, _ := c.Metric(metric.Energy)
	if energy.Median != 35 || c.Values[metric.EnergyPerToken] != 35.0/20 {
		t.Errorf("energy %+v, values %v; want 35 J each, and 35 J for 20 tokens", energy, c.Values)
	}
}

func TestEnergyIsUnknownUnlessEveryNodeTellsItsPower(t *testing.T) {
	silent := aSample(1, 10*second, exobench.During, "nodes", "c", exobench.Value{Quantity: exobench.NodeUsed, Value: 7 * float64(mib)})
	entries := slices.Concat(outline(), twoNodes(), []exobench.Entry{silent, ok(1, 10, second), ok(2, 30, second)})
	run := build(t, entries...)
	if got := energies(t, run, entries); len(got) != 0 {
		t.Errorf("energy of requests: %v", got)
	}
	c := run.Cell(1)
	_, ofRequests := c.Metric(metric.Energy)
	if _, ofTokens := c.Value(metric.EnergyPerToken); ofRequests || ofTokens {
		t.Error("the energy of the cell is known")
	}
	if n := run.Steps[0].Nodes[2]; n.Name != "c" || n.Power != nil || *n.Peak != 7*mib {
		t.Errorf("node c: %+v", n)
	}
}

func TestNodesOfAStepByHand(t *testing.T) {
	full := func(sec exobench.Instant, moment exobench.Moment, used, gpu, temperature float64) *exobench.Sample {
		return aSample(1, sec*second, moment, "nodes", "a", exobench.Value{Quantity: exobench.NodeUsed, Value: used * float64(mib)},
			exobench.Value{Quantity: exobench.NodeTotal, Value: 64 * float64(mib)},
			exobench.Value{Quantity: exobench.NodeGPU, Value: gpu}, exobench.Value{Quantity: exobench.NodeTemperature, Value: temperature})
	}
	run := of(t, full(1, exobench.Before, 10, 0, 99), full(3, exobench.Loaded, 20, 0.5, 40),
		full(9, exobench.During, 50, 1, 80), // a warm-up's
		full(10, exobench.During, 30, 0, 50), full(12, exobench.During, 40, 1, 60),
		ok(1, 10, second), ok(2, 11, second), // measured from 10 to 12 s
		full(14, exobench.During, 60, 0, 70))
	size := func(b exobench.Bytes) *exobench.Bytes { return new(b * mib) }
	want := []Node{{Name: "a", Before: size(10), Loaded: size(20), Peak: size(40), Total: size(64), GPU: new(0.5), MaxTemperature: new(60.0)}}
	if d := cmp.Diff(want, run.Steps[0].Nodes); d != "" {
		t.Errorf("nodes (-want +got):\n%s", d)
	}
	if nodes := run.Steps[1].Nodes; len(nodes) != 0 {
		t.Errorf("nodes of the other step: %+v", nodes)
	}
}
