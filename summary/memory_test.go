package summary

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// byProcess is a proportional size in MiB of a process of step 1; 0 is a reading that
// found no process.
func byProcess(sec exobench.Instant, moment exobench.Moment, pid, size float64) *exobench.Sample {
	if pid == 0 {
		return aSample(1, sec*second, moment, "processes", "", exobench.Value{Quantity: exobench.Processes})
	}
	return aSample(1, sec*second, moment, "processes", "",
		exobench.Value{Quantity: exobench.PSS, Value: size * float64(mib)}, exobench.Value{Quantity: exobench.RSS, Value: (size + 40) * float64(mib)},
		exobench.Value{Quantity: exobench.Process, Value: pid}, exobench.Value{Quantity: exobench.ProcessStarted, Value: 100 * pid})
}

// residentOf is a resident size in MiB of a process of step 1.
func residentOf(sec exobench.Instant, pid, size float64) *exobench.Sample {
	s := byProcess(sec, exobench.During, pid, size-40)
	s.Values = slices.DeleteFunc(s.Values, func(v exobench.Value) bool { return v.Quantity == exobench.PSS })
	return s
}

func TestMemoryOfAProcessThatEndedIsNotTheNextOnes(t *testing.T) {
	loaded := []exobench.Entry{byProcess(1, exobench.Before, 7, 100), byProcess(2, exobench.Loaded, 7, 600), byProcess(9, exobench.During, 7, 650)}
	for _, row := range []struct {
		why      string
		readings []exobench.Entry
		// peak and additional in MiB; 0 is unknown.
		peak, additional exobench.Bytes
		changed          *ProcessChanged
	}{
		{"the same process", []exobench.Entry{byProcess(11, exobench.During, 7, 700)}, 700, 600, nil},
		{"the new one's, of which there is none from before", []exobench.Entry{byProcess(11, exobench.During, 0, 0), byProcess(12, exobench.During, 8, 300)}, 300, 0, &ProcessChanged{2, 1}},
		{"nobody is there any more", []exobench.Entry{byProcess(11, exobench.During, 0, 0)}, 0, 0, &ProcessChanged{1, 1}},
		{"nobody was there when it was sent", []exobench.Entry{byProcess(10, exobench.During, 0, 0), byProcess(20, exobench.During, 8, 300)}, 0, 0, &ProcessChanged{1, 1}},
		{"not read while it was under way, and another one next", []exobench.Entry{byProcess(16, exobench.During, 8, 300)}, 0, 0, nil},
		{"not read while it was under way, and the same next", []exobench.Entry{byProcess(16, exobench.During, 7, 700)}, 650, 550, nil},
		{"resident sizes of the new one, with nothing to relate them to", []exobench.Entry{residentOf(11, 8, 300)}, 0, 0, &ProcessChanged{2, 0}},
		{"resident sizes of the new one, and both of it after the block", []exobench.Entry{residentOf(11, 8, 300), byProcess(16, exobench.After, 8, 200)}, 260, 0, &ProcessChanged{2, 0}},
	} {
		c := only(t, append(slices.Concat(loaded, row.readings), ok(1, 10, 5*second))...)
		var peak exobench.Bytes
		if c.Memory.Peak != nil {
			peak = c.Memory.Peak.Total / mib
		}
		additional, _ := c.Memory.Additional()
		inference, inferred := c.Memory.Inference()
		of, _ := c.Metric(metric.MemoryAdditional)
		if peak != row.peak || additional/mib != row.additional || of.Median != float64(additional) || inferred != (additional != 0) {
			t.Errorf("%s: peak %d, additional %d (median %v), inference %v, %v", row.why, peak, additional/mib, of.Median, inference, inferred)
		}
		want := []Figures{TooFewRequests{1, IntervalN}}
		if row.changed != nil {
			want = append(want, *row.changed)
		}
		checkWarnings(t, c, want...)
	}
}

func TestMemoryBeforeAndAfterARestartIsNotSubtracted(t *testing.T) {
	c := only(t, append(requests(6), byProcess(1, exobench.Before, 7, 100), byProcess(2, exobench.Loaded, 8, 600), byProcess(10, exobench.During, 8, 650))...)
	if _, known := c.Memory.Model(); known || c.Memory.Before != nil || c.Values[metric.CellMemoryInference] != 50*float64(mib) {
		t.Errorf("memory %+v", c.Memory)
	}
	if _, known := c.Values[metric.CellMemoryAdditional]; known {
		t.Errorf("values %v", c.Values)
	}
	checkWarnings(t, c, ProcessChanged{2, 0})
}

func TestAdditionalMemoryWhereTheModelWasThere(t *testing.T) {
	peak := 700 * mib
	for _, row := range []struct {
		why            string
		before, loaded exobench.Bytes // in MiB
		held           exobench.Held
		additional     bool
		want           []Figures
	}{
		{"a load", 100, 600, "", true, nil},
		{"it was loaded before the run", 600, 600, exobench.HeldModel, true, []Figures{ModelWasThere{ToldThere}}},
		{"another model was", 300, 600, exobench.HeldOthers, true, []Figures{ModelWasThere{OthersThere}}},
		{"nothing came", 600, 601, "", true, []Figures{ModelWasThere{NothingLoaded}}},
		{"something went", 690, 600, "", false, []Figures{MemoryFell{690 * mib, 600 * mib, nil}}},
		{"something went, so that all is negative", 800, 799, "", true, []Figures{ModelWasThere{NothingLoaded}, MemoryFell{800 * mib, 799 * mib, &peak}}},
	} {
		entries := append(requests(6), reading(1, exobench.Before, row.before*mib), reading(2, exobench.Loaded, row.loaded*mib), reading(10, exobench.During, 700*mib))
		if row.held != "" {
			entries = append(entries, &exobench.Note{Session: 1, Step: 1, Text: "it was there", Held: row.held})
		}
		c := only(t, entries...)
		if _, known := c.Memory.Additional(); known != row.additional {
			t.Errorf("%s: memory %+v", row.why, c.Memory)
		}
		checkWarnings(t, c, row.want...)
	}
}

func TestWhoseMemoryItIsMayBeInDoubt(t *testing.T) {
	beside := byProcess(2, exobench.Loaded, 7, 90)
	beside.Values = append(beside.Values, exobench.Value{Quantity: exobench.Beside, Value: 300 * float64(mib)})
	checkWarnings(t, only(t, append(requests(6), byProcess(1, exobench.Before, 7, 9), beside)...), MemoryBeside{90 * mib, 300 * mib})

	small := byProcess(2, exobench.Loaded, 7, 90)
	small.Values = append(small.Values, exobench.Value{Quantity: exobench.Beside, Value: 30 * float64(mib)})
	checkWarnings(t, only(t, append(requests(6), byProcess(1, exobench.Before, 7, 9), small)...))

	for _, row := range []struct {
		engine, others float64
		want           []Figures
	}{
		{0.001, 0.6, []Figures{OthersBusy{0.6, foreignLimit, true}, EngineIdle{0.001, 0.6}}},
		{0.2, 0.6, []Figures{OthersBusy{0.6, foreignLimit, true}}},
		{0, 0.04, nil}, // the engine works on a GPU
	} {
		machine := aSample(1, 20*second, exobench.During, "machine", "",
			exobench.Value{Quantity: exobench.EngineCPU, Value: row.engine}, exobench.Value{Quantity: exobench.Foreign, Value: row.others})
		machine.Block, machine.Span = 1, 10*time.Second
		c := only(t, append(requests(6), byProcess(2, exobench.Loaded, 7, 90), byProcess(10, exobench.During, 7, 90), machine)...)
		var got []WarningKind
		for _, w := range c.Warnings {
			got = append(got, w.Kind)
		}
		for _, w := range row.want {
			if !slices.Contains(got, w.kind()) {
				t.Errorf("engine %v, others %v: %v, want %s", row.engine, row.others, got, w.kind())
			}
		}
		if len(got) != len(row.want) {
			t.Errorf("engine %v, others %v: %v", row.engine, row.others, got)
		}
	}
}

// flagged reports whether a cell has a warning of one of the kinds.
func flagged(c *Cell, kinds ...WarningKind) bool {
	return slices.ContainsFunc(c.Warnings, func(w Warning) bool { return slices.Contains(kinds, w.Kind) })
}

func TestNoDifferenceOfMemoryIsSilentlyWrong(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	// size tells the process too: that of process p is p thousand MiB and some.
	size := func(p float64) float64 { return 1000*p + float64(random.IntN(900)) }
	seen := map[bool]int{}
	for n := range 3000 {
		p := float64(1)
		next := func() float64 {
			if random.IntN(6) == 0 {
				p++
			}
			return p
		}
		entries := []exobench.Entry{byProcess(1, exobench.Before, next(), size(p)), byProcess(2, exobench.Loaded, next(), size(p))}
		for i := range exobench.Instant(1 + random.IntN(8)) {
			of := next()
			switch at := 9 + i*2; random.IntN(5) {
			case 0:
				entries = append(entries, byProcess(at, exobench.During, 0, 0))
			case 1:
				entries = append(entries, residentOf(at, of, size(of)+40))
			default:
				entries = append(entries, byProcess(at, exobench.During, of, size(of)))
			}
		}
		c := only(t, append(entries, ok(1, 10, 8*second), ok(2, 14, 8*second))...)
		m := c.Memory
		whose := func(l *Level) int { return int(l.Total / mib / 1000) }
		seen[m.Before != nil]++
		for _, pair := range [][2]*Level{{m.Before, m.Loaded}, {m.Loaded, m.Peak}, {m.Before, m.Peak}} {
			if pair[0] != nil && pair[1] != nil && whose(pair[0]) != whose(pair[1]) {
				t.Fatalf("%d: of two processes: %+v %+v of %v", n, pair[0], pair[1], entries)
			}
		}
		if m.Before != nil && m.Loaded != nil && m.Before.Total > m.Loaded.Total && !flagged(c, "model_was_there", "memory_fell") {
			t.Fatalf("%d: before %v, loaded %v and no word of it", n, m.Before.Total, m.Loaded.Total)
		}
		for _, name := range []string{metric.MemoryModel, metric.CellMemoryInference, metric.CellMemoryAdditional} {
			if v := c.Values[name]; v < 0 && !flagged(c, "model_was_there", "memory_fell") {
				t.Fatalf("%d: %s is %v and no word of it", n, name, v)
			}
		}
		for _, name := range []string{metric.MemoryInference, metric.MemoryAdditional} {
			if s, known := c.Metric(name); known && s.Median < 0 && !flagged(c, "memory_fell") {
				t.Fatalf("%d: the median of %s is %v and no word of it", n, name, s.Median)
			}
		}
	}
	if seen[true] < 100 || seen[false] < 100 {
		t.Errorf("memory before is known in %d and unknown in %d", seen[true], seen[false])
	}
}

// A Mac's processes are counted by what the system charges to them: resident sizes
// stand beside and lack what the GPU holds.
func TestFootprintsCountOnAMac(t *testing.T) {
	charged := func(sec exobench.Instant, moment exobench.Moment, footprint, resident float64) *exobench.Sample {
		return aSample(1, sec*second, moment, "processes", "",
			exobench.Value{Quantity: exobench.Footprint, Value: footprint * float64(mib)}, exobench.Value{Quantity: exobench.RSS, Value: resident * float64(mib)},
			exobench.Value{Quantity: exobench.FootprintPeak, Value: 9999 * float64(mib)}, exobench.Value{Quantity: exobench.Process, Value: 7})
	}
	c := only(t, charged(1, exobench.Before, 100, 300), charged(2, exobench.Loaded, 5100, 400), charged(11, exobench.During, 5400, 900), ok(1, 10, 5*second))
	additional, _ := c.Memory.Additional()
	model, _ := c.Memory.Model()
	if c.Memory.Source != FromFootprint || c.Memory.Peak.Total != 5400*mib || additional != 5300*mib || model != 5000*mib || c.Memory.Peak.File != nil {
		t.Errorf("%+v, additional %v, model %v", c.Memory, additional, model)
	}
	mixed := only(t, charged(1, exobench.Before, 100, 300), charged(2, exobench.Loaded, 5100, 400), residentOf(11, 7, 500), ok(1, 10, 5*second))
	var sources *SourcesMixed
	for _, w := range mixed.Warnings {
		if f, is := w.Figures.(SourcesMixed); is {
			sources = &f
		}
	}
	if sources == nil || !slices.Equal(sources.Sources, []MemorySource{FromFootprint, FromRSS}) {
		t.Errorf("footprints and resident sizes in one run are not warned of: %+v", mixed.Warnings)
	}
}

// The greatest footprint that the system itself saw bounds what readings missed.
func TestTheSystemsOwnPeakOfFootprintsIsShown(t *testing.T) {
	charged := func(sec exobench.Instant, moment exobench.Moment, footprint, peak float64) *exobench.Sample {
		return aSample(1, sec*second, moment, "processes", "",
			exobench.Value{Quantity: exobench.Footprint, Value: footprint * float64(mib)}, exobench.Value{Quantity: exobench.RSS, Value: 90 * float64(mib)},
			exobench.Value{Quantity: exobench.FootprintPeak, Value: peak * float64(mib)}, exobench.Value{Quantity: exobench.Process, Value: 7})
	}
	c := only(t, charged(1, exobench.Before, 100, 120), charged(2, exobench.Loaded, 5100, 5100), charged(11, exobench.During, 5400, 5400), ok(1, 10, 5*second), charged(16, exobench.After, 5200, 6100))
	if h := c.HighWater; h == nil || *h.Processes != 6100*mib || !h.Rose {
		t.Errorf("%+v", c.HighWater)
	}
	missed := slices.ContainsFunc(c.Warnings, func(w Warning) bool {
		f, is := w.Figures.(PeakMissed)
		return is && f == PeakMissed{5400 * mib, 6100 * mib}
	})
	if !missed {
		t.Errorf("a peak between two readings is not warned of: %+v", c.Warnings)
	}
}

// Requests of one load have about the same memory, so that how far loads differ is
// what an interval over loads is of.
func TestIntervalsOfMemoryAreOfLoads(t *testing.T) {
	var entries []exobench.Entry
	for load, peak := range []exobench.Bytes{600, 660, 630} {
		step, began := load+1, exobench.Instant(100*load)
		if load > 0 {
			step += 10
			entries = append(entries, aStep(step, "one"), aBlock(step, step, 1))
		}
		read := func(at exobench.Instant, m exobench.Moment, size exobench.Bytes) {
			sample := reading(began+at, m, size*mib)
			sample.Step = step
			entries = append(entries, sample)
		}
		read(1, exobench.Before, 100)
		read(2, exobench.Loaded, 500)
		for i := range 6 {
			at := exobench.Instant(10 + 10*i)
			r := ok(10*load+i+1, began+at, 5*second)
			entries = append(entries, in(step, r))
			read(at+1, exobench.During, peak)
		}
	}
	c := only(t, entries...)
	peak, _ := c.Metric(metric.MemoryPeak)
	if peak.N != 18 || peak.Interval == nil || peak.Interval.Basis != stat.BetweenBlocks {
		t.Fatalf("%+v of three loads, want an interval between them", peak)
	}
	// Student's t with 2 degrees of freedom, 4.303, times the standard error of the
	// logarithms, 0.0275: a factor of 1.126.
	if lo, hi := peak.Interval.Lo/float64(mib), peak.Interval.Hi/float64(mib); math.Abs(lo-560) > 3 || math.Abs(hi-709) > 3 {
		t.Errorf("%g to %g MiB, want 560 to 709", lo, hi)
	}
	for _, p := range c.Prompts {
		if interval := p.Metrics[metric.Latency].Interval; p.N >= 6 && (interval == nil || interval.Basis != stat.BetweenBlocks) {
			t.Errorf("prompt %s: %+v of three loads", p.ID, interval)
		}
	}
}
