package summary

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench"
	"exobench/metric"
)

const mib = exobench.Bytes(1 << 20)

// fullLife is the load events and readings of one load of model "one" before
// requests from 10 s on, and of model "two", which fails.
func fullLife() []exobench.Entry {
	event := func(model string, at exobench.Instant, stage exobench.Stage) *exobench.LoadEvent {
		return &exobench.LoadEvent{At: at, Engine: "exo", Model: model, ModelID: "org/" + model, Placement: "ring", Stage: stage}
	}
	got := event("one", 2*second, exobench.StageDownload)
	got.Downloaded = 5 * mib
	failed := event("two", 600*second, exobench.StageFailed)
	failed.Error = "no room"
	return []exobench.Entry{
		event("one", 1*ms, exobench.StageResolve),
		event("one", 1*second, exobench.StagePlace),
		got,
		event("one", 5*second, exobench.StageLoad),
		event("one", 8*second, exobench.StageWarm),
		event("one", 9*second, exobench.StageReady),
		event("one", 500*second, exobench.StageRelease),
		event("one", 501*second, exobench.StageReleased),
		event("two", 599*second, exobench.StagePlace),
		failed,
		&exobench.Reading{At: 100 * ms, Engine: "exo", Model: "one", Moment: exobench.MomentBefore, Source: exobench.FromPSS, Memory: 100 * mib},
		&exobench.Reading{At: 200 * ms, Engine: "exo", Model: "one", Moment: exobench.MomentBefore, Source: exobench.FromPSS, Memory: 110 * mib},
		&exobench.Reading{At: 300 * ms, Engine: "exo", Model: "one", Moment: exobench.MomentBefore, Source: exobench.FromPSS, Memory: 190 * mib},
		&exobench.Reading{At: 9100 * ms, Engine: "exo", Model: "one", Moment: exobench.MomentLoaded, Source: exobench.FromPSS, Memory: 600 * mib},
	}
}

func TestLoadIsTimedFromThePlacementAndTheDownloadShownApart(t *testing.T) {
	run := build(t, append(fullLife(), header())...)
	want := []Load{{
		Subject: Subject{"exo", "one"}, ModelID: "org/one", Placement: "ring", Start: 1 * second,
		Loading: 5 * time.Second, Downloading: 3 * time.Second, Downloaded: 5 * mib,
	}}
	if d := cmp.Diff(want, run.Loads); d != "" {
		t.Errorf("loads (-want +got):\n%s", d)
	}
}

func TestAFailedLoadIsAFailureWithoutACell(t *testing.T) {
	run := build(t, append(fullLife(), header())...)
	want := []Failure{{Subject: Subject{"exo", "two"}, ModelID: "org/two", Placement: "ring", At: 600 * second, After: exobench.StagePlace, Error: "no room"}}
	if d := cmp.Diff(want, run.Failures); d != "" {
		t.Errorf("failures (-want +got):\n%s", d)
	}
	if len(run.Cells) != 0 {
		t.Errorf("cells: %v", run.Cells)
	}
}

func TestALoadThatSucceedsLaterIsNoFailure(t *testing.T) {
	again := []exobench.Entry{
		&exobench.LoadEvent{At: 700 * second, Engine: "exo", Model: "two", Stage: exobench.StagePlace},
		&exobench.LoadEvent{At: 702 * second, Engine: "exo", Model: "two", Stage: exobench.StageReady},
		header(),
	}
	run := build(t, append(fullLife(), again...)...)
	if len(run.Failures) != 0 || len(run.Loads) != 2 || run.Loads[1].Loading != 2*time.Second {
		t.Errorf("failures %v, loads %v", run.Failures, run.Loads)
	}
}

func TestLoadsThatExobenchDoesNotDriveAreNotTimed(t *testing.T) {
	h := header()
	h.Engines[0].LifeCycle = false
	if run := build(t, append(fullLife(), h)...); len(run.Loads) != 0 || len(run.Failures) != 1 {
		t.Errorf("loads %v, failures %v", run.Loads, run.Failures)
	}
}

func TestMemoryOfRequestsByHand(t *testing.T) {
	entries := append(fullLife(),
		header(),
		readingAt(10, exobench.MomentDuring, 620*mib),
		readingAt(11, exobench.MomentDuring, 700*mib),
		readingAt(20, exobench.MomentDuring, 650*mib),
		readingAt(30, exobench.MomentDuring, 9000*mib),
		ok(1, 10, 5*second), // 10..15 s: 620, 700
		ok(2, 13, 2*second), // 13..15 s: the reading before it, 700
		ok(3, 16, 4500*ms),  // 16..20.5 s: 700 before it, 650
		ok(4, 21, 1*second), // 21..22 s: 650 before it; 9000 comes too late
	)
	run := build(t, entries...)
	var peaks []exobench.Bytes
	err := run.Rows(sequence(entries), func(row Row) error {
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
	c := run.Cells[0]
	inference, _ := c.Memory.Inference()
	additional, _ := c.Metric(metric.MemoryAdditional)
	if c.Memory.Peak.Total != 700*mib || inference != 100*mib || additional.Median != float64(590*mib) || c.Memory.Source != exobench.FromPSS {
		t.Errorf("cell: %+v, additional %+v", c.Memory, additional)
	}
}

func TestResidentGrowthIsAddedToTheProportionalSize(t *testing.T) {
	before, loaded := readingAt(1, exobench.MomentBefore, 100*mib), readingAt(2, exobench.MomentLoaded, 600*mib)
	loaded.Resident = new(exobench.Bytes(640 * mib)) // 40 MiB are shared
	during := readingAt(10, exobench.MomentDuring, 690*mib)
	during.Source, during.Anonymous, during.File = exobench.FromRSS, new(exobench.Bytes(500*mib)), new(exobench.Bytes(190*mib))
	run := build(t, header(), before, loaded, during, ok(1, 10, 5*second))
	m := run.Cells[0].Memory
	inference, _ := m.Inference()
	if m.Source != exobench.FromPSS || inference != 50*mib || m.Peak.Total != 650*mib || *m.Peak.File != 150*mib {
		t.Errorf("peak %+v, inference %v, source %s; want 650 MiB: 600 and the growth of 50", m.Peak, inference, m.Source)
	}
	if len(run.Cells[0].Warnings) != 1 { // n is too small; nothing of two sources
		t.Errorf("warnings %q", run.Cells[0].Warnings)
	}
}

func TestMemoryIsOfTheLoadThatTheRequestUsed(t *testing.T) {
	entries := append(fullLife(), header(), ok(1, 10, second),
		readingAt(600, exobench.MomentBefore, 200*mib),
		readingAt(601, exobench.MomentLoaded, 650*mib),
		ok(2, 602, second),
	)
	run := build(t, entries...)
	var got []exobench.Bytes
	_ = run.Rows(sequence(entries), func(row Row) error {
		model, _ := row.Memory.Model()
		got = append(got, row.Memory.Before.Total/mib, model/mib)
		return nil
	})
	if d := cmp.Diff([]exobench.Bytes{110, 490, 200, 450}, got); d != "" {
		t.Errorf("before and model in MiB (-want +got):\n%s", d)
	}
}

func TestPartsOfMemoryAreMediansOfTheirOwn(t *testing.T) {
	parts := func(anonymous, file exobench.Bytes) *exobench.Reading {
		return &exobench.Reading{At: second, Engine: "exo", Model: "one", Moment: exobench.MomentLoaded, Source: exobench.FromPSS,
			Memory: anonymous + file, Anonymous: &anonymous, File: &file}
	}
	c := only(t, parts(1, 9), parts(2, 9), parts(9, 9), ok(1, 10, second))
	if l := c.Memory.Loaded; l == nil || *l.Anonymous != 2 || *l.File != 9 || l.Total != 11 {
		t.Errorf("loaded: %+v", l)
	}
	if _, known := c.Memory.Model(); known {
		t.Error("the model's memory is known without a reading from before")
	}
}

func TestReadingsOfTwoSourcesAreWarnedOf(t *testing.T) {
	node := readingAt(1, exobench.MomentBefore, mib)
	node.Source = exobench.FromNode
	entries := append(requests(6), node, readingAt(2, exobench.MomentLoaded, mib))
	if c := only(t, entries...); len(c.Warnings) != 1 {
		t.Errorf("warnings: %q", c.Warnings)
	}
}

func TestRequestsWithoutReadingsHaveUnknownMemory(t *testing.T) {
	c := only(t, requests(6)...)
	if _, known := c.Metric(metric.MemoryPeak); known || c.Memory.Peak != nil || c.Memory.Before != nil {
		t.Errorf("memory: %+v", c.Memory)
	}
}

func TestAReadingFromBeforeTheLoadIsNoPeak(t *testing.T) {
	c := only(t, readingAt(1, exobench.MomentBefore, 9*mib), ok(1, 10, second))
	if c.Memory.Peak != nil || c.Memory.Before == nil {
		t.Errorf("memory: %+v", c.Memory)
	}
}

func TestAModelThatFailsAfterItsRequestsHasBothACellAndAFailure(t *testing.T) {
	entries := []exobench.Entry{
		header(),
		&exobench.LoadEvent{At: second, Engine: "exo", Model: "one", Stage: exobench.StagePlace},
		&exobench.LoadEvent{At: 2 * second, Engine: "exo", Model: "one", Stage: exobench.StageReady},
		ok(1, 10, second),
		&exobench.LoadEvent{At: 20 * second, Engine: "exo", Model: "one", Stage: exobench.StageFailed, Error: "died"},
	}
	run := build(t, entries...)
	f, failed := run.FailureOf(Subject{"exo", "one"}, "")
	if !failed || f.After != exobench.StageReady || len(run.Cells) != 1 || len(run.Loads) != 1 {
		t.Errorf("failure %+v, cells %v, loads %v", f, run.Cells, run.Loads)
	}
}
