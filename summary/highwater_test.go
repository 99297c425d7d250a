package summary

import (
	"slices"
	"testing"

	"exobench"
	"exobench/metric"
)

// told is a reading of step 1 with further quantities, in MiB.
func told(s *exobench.Sample, values map[exobench.Quantity]float64) *exobench.Sample {
	for _, q := range []exobench.Quantity{exobench.RSSPeak, exobench.Swap, exobench.CgroupPeak, exobench.Anonymous, exobench.File} {
		if v, ok := values[q]; ok {
			s.Values = append(s.Values, exobench.Value{Quantity: q, Value: v * float64(mib)})
		}
	}
	return s
}

// marked is a reading of step 1, of size MiB in proportional sizes and 40 more in
// resident ones, with a high-water mark.
func marked(sec exobench.Instant, m exobench.Moment, size, mark float64) *exobench.Sample {
	return told(byProcess(sec, m, 7, size), map[exobench.Quantity]float64{exobench.RSSPeak: mark})
}

func TestWhatTheKernelSawBoundsWhatReadingsMissed(t *testing.T) {
	group := func(s *exobench.Sample, size float64) *exobench.Sample {
		return told(s, map[exobench.Quantity]float64{exobench.CgroupPeak: size})
	}
	for _, row := range []struct {
		why      string
		readings []exobench.Entry
		// want is in MiB, of processes; 0 is unknown.
		want exobench.Bytes
		rose bool
		// cgroup is that of the control group.
		cgroup exobench.Bytes
		missed bool
	}{
		{"it rose far above the readings: 1,000 resident are 960", []exobench.Entry{marked(2, exobench.Loaded, 600, 640), marked(12, exobench.During, 650, 690), marked(100, exobench.After, 640, 1000)}, 960, true, 0, true},
		{"it rose as the readings did", []exobench.Entry{marked(2, exobench.Loaded, 600, 640), marked(12, exobench.During, 650, 690), marked(100, exobench.After, 640, 692)}, 652, true, 0, false},
		{"it did not rise: it is of the load", []exobench.Entry{marked(2, exobench.Loaded, 600, 1000), marked(12, exobench.During, 650, 1000), marked(100, exobench.After, 640, 1000)}, 960, false, 0, false},
		{"no reading after the requests: the last one in them", []exobench.Entry{marked(2, exobench.Loaded, 600, 640), marked(12, exobench.During, 650, 720)}, 680, true, 0, true},
		{"nothing before them", []exobench.Entry{marked(12, exobench.During, 650, 700), marked(100, exobench.After, 640, 1000)}, 0, false, 0, false},
		{"another process", []exobench.Entry{marked(2, exobench.Loaded, 600, 640), told(byProcess(100, exobench.After, 8, 640), map[exobench.Quantity]float64{exobench.RSSPeak: 1000})}, 0, false, 0, false},
		{"what came after the model was gone is not theirs", []exobench.Entry{marked(2, exobench.Loaded, 600, 640), marked(12, exobench.During, 640, 680), marked(100, exobench.Released, 100, 2000)}, 640, true, 0, false},
		{"the control group's rose too", []exobench.Entry{group(marked(2, exobench.Loaded, 600, 640), 700), marked(12, exobench.During, 650, 690), group(marked(100, exobench.After, 640, 692), 900)}, 652, true, 900, false},
		{"the control group's did not", []exobench.Entry{group(marked(2, exobench.Loaded, 600, 640), 900), marked(12, exobench.During, 650, 690), group(marked(100, exobench.After, 640, 692), 900)}, 652, true, 0, false},
		{"no marks", []exobench.Entry{byProcess(2, exobench.Loaded, 7, 600), byProcess(12, exobench.During, 7, 650)}, 0, false, 0, false},
	} {
		c := only(t, append(requests(6), append(row.readings, byProcess(1, exobench.Before, 7, 100))...)...)
		var got HighWater
		if c.HighWater != nil {
			got = *c.HighWater
		}
		size := func(b *exobench.Bytes) exobench.Bytes {
			if b == nil {
				return 0
			}
			return *b / mib
		}
		if size(got.Processes) != row.want || got.Rose != row.rose || size(got.Cgroup) != row.cgroup || (row.want+row.cgroup == 0) != (c.HighWater == nil) {
			t.Errorf("%s: %v rose %v, control group %v", row.why, got.Processes, got.Rose, got.Cgroup)
		}
		missed := slices.ContainsFunc(c.Warnings, func(w Warning) bool { _, is := w.Figures.(PeakMissed); return is })
		if missed != row.missed {
			t.Errorf("%s: warnings %+v", row.why, c.Warnings)
		}
	}
}

// A mark that is read after the block, when the block's figures were worked out
// already, changes them.
func TestAMarkThatComesLateCounts(t *testing.T) {
	f := NewFold()
	add := func(entries ...exobench.Entry) {
		for _, e := range entries {
			if err := f.Add(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(outline()...)
	add(marked(1, exobench.Before, 100, 140), marked(2, exobench.Loaded, 600, 640), marked(12, exobench.During, 650, 690))
	add(requests(6)...)
	if h := f.Snapshot().Cell(1).HighWater; h == nil || *h.Processes != 650*mib {
		t.Fatalf("%+v", h)
	}
	add(marked(200, exobench.After, 640, 1000))
	if h := f.Snapshot().Cell(1).HighWater; h == nil || *h.Processes != 960*mib {
		t.Errorf("%+v after another reading", h)
	}
}

func TestWhatIsSwappedOutIsADoubt(t *testing.T) {
	swap := func(s *exobench.Sample, size float64) *exobench.Sample {
		return told(s, map[exobench.Quantity]float64{exobench.Swap: size})
	}
	for _, row := range []struct {
		why            string
		loaded, during float64
		want           []Figures
	}{
		{"none", 0, 0, nil},
		{"a little", 3, 3, nil},
		{"after the load", 80, 10, []Figures{Swapped{80 * mib, 600 * mib}}},
		{"during requests", 0, 90, []Figures{Swapped{90 * mib, 600 * mib}}},
	} {
		c := only(t, append(requests(6), byProcess(1, exobench.Before, 7, 100),
			swap(byProcess(2, exobench.Loaded, 7, 600), row.loaded), swap(byProcess(12, exobench.During, 7, 650), row.during),
			swap(byProcess(900, exobench.Released, 7, 100), 500))...)
		if c.Memory.Loaded.Swap == nil || *c.Memory.Loaded.Swap != exobench.Bytes(row.loaded)*mib {
			t.Errorf("%s: loaded %+v", row.why, c.Memory.Loaded)
		}
		checkWarnings(t, c, row.want...)
	}
}

func TestMemoryAfterTheRelease(t *testing.T) {
	step := func(released *exobench.Sample) *Step {
		return of(t, append(requests(6), byProcess(1, exobench.Before, 7, 100), byProcess(2, exobench.Loaded, 7, 600), byProcess(12, exobench.During, 7, 650), released)...).Step(1)
	}
	s := step(byProcess(200, exobench.Released, 7, 400))
	if left, known := s.Left(); !known || left != 300*mib || s.Released.Total != 400*mib {
		t.Errorf("left %v (known: %v), %+v", left, known, s.Released)
	}
	s = step(byProcess(200, exobench.Released, 8, 400)) // it was started again
	if _, known := s.Left(); known || s.Released != nil {
		t.Errorf("of another process: %+v", s.Released)
	}
	c := only(t, append(requests(6), byProcess(1, exobench.Before, 7, 100), byProcess(2, exobench.Loaded, 7, 600), byProcess(12, exobench.During, 7, 650),
		byProcess(200, exobench.Released, 7, 4000))...)
	if c.Memory.Peak.Total != 650*mib {
		t.Errorf("the peak is %v with a reading after the release", c.Memory.Peak.Total)
	}
}

func TestWhereTheWeightsAre(t *testing.T) {
	for _, row := range []struct {
		anonymous, file float64
		want            Weights
	}{{50, 500, WeightsMapped}, {480, 30, WeightsCopied}, {520, 500, WeightsTwice}, {100, 100, ""}} {
		for _, files := range [][]exobench.ModelFile{
			{{Path: "/models/x.gguf", Size: 500 * mib}},
			{{Path: "/models/one.gguf", Size: 500 * mib}, {Path: "/models/other.gguf", Size: 5 * mib}},
		} {
			entries := outline()
			h := header()
			h.Engines[0].Files = files
			entries[0] = h
			step := entries[2].(*exobench.Step)
			step.Model.ID = "one"
			run := build(t, append(entries, told(byProcess(2, exobench.Loaded, 7, row.anonymous+row.file), map[exobench.Quantity]float64{exobench.Anonymous: row.anonymous, exobench.File: row.file}))...)
			if got := run.Step(1).Weights; got != row.want {
				t.Errorf("%v anonymous and %v of the file: %q, want %q", row.anonymous, row.file, got, row.want)
			}
		}
	}
}

func TestTheCacheExpectedStandsBesideWhatWasSeen(t *testing.T) {
	cache := func(traffic exobench.Traffic) *KVCache {
		h := header()
		h.Engines[0].KVCaches = []exobench.KVCache{{Model: "one", PerToken: 32 << 10}}
		entries := append(outline(), requests(6)...)
		entries[0], entries[3] = h, aCell(1, "one", traffic)
		for _, e := range entries {
			if r, is := e.(*exobench.Record); is {
				r.PromptTokens = tokens(90)
			}
		}
		c := build(t, append(entries, byProcess(2, exobench.Loaded, 7, 600), byProcess(12, exobench.During, 7, 610))...).Cell(1)
		if _, ok := c.Metric(metric.MemoryInference); !ok {
			t.Fatal("no inference memory")
		}
		return c.KVCache
	}
	k := cache(exobench.Traffic{Concurrency: 4})
	if k == nil || k.PerToken != 32<<10 || k.Tokens != 400 || k.Expected() != 400*32<<10 || *k.Seen != 10*mib/400 {
		t.Errorf("got %+v", k)
	}
	if k := cache(exobench.Traffic{Rate: 2}); k == nil || k.Tokens != 0 || k.Seen != nil {
		t.Errorf("of an open loop: %+v", k)
	}
	if c := only(t, requests(6)...); c.KVCache != nil {
		t.Errorf("of a model whose shape is unknown: %+v", c.KVCache)
	}
}
