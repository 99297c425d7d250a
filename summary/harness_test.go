package summary

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
)

func TestDelaysHaveTheirTrueQuantilesWithinABucket(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	d, all := new(delays), []float64{}
	for range 5000 {
		r := &exobench.Record{}
		for range 4 {
			ns := int64(rng.ExpFloat64() * 20_000)
			r.Delays, all = append(r.Delays, ns), append(all, float64(ns))
			r.Chunks = append(r.Chunks, exobench.Chunk{At: exobench.Instant(len(all) / 2)})
		}
		d.add(r)
	}
	slices.Sort(all)
	got := d.result()
	for _, q := range []struct {
		p   float64
		got time.Duration
	}{{0.5, got.P50}, {0.99, got.P99}} {
		want := all[int(q.p*float64(len(all)))]
		if ratio := float64(q.got) / want; ratio < 0.99 || ratio > 1.03 {
			t.Errorf("p%g = %v, want %v within a bucket", 100*q.p, q.got, want)
		}
	}
	if got.Events != 20000 || float64(got.Max) != all[len(all)-1] || got.Shared < 0.2 || got.Shared > 0.5 {
		t.Errorf("%d events, max %v, shared %v", got.Events, got.Max, got.Shared)
	}
}

func TestTheCalibrationOfACellIsThatOfItsLoadOrTheNextAbove(t *testing.T) {
	run := &Run{Calibrations: []exobench.Calibration{{Streams: 4}, {Streams: 1}, {Streams: 16}}}
	for concurrency, want := range map[int]int{1: 1, 2: 4, 4: 4, 5: 16, 99: 16} {
		if c, ok := run.CalibrationOf(concurrency); !ok || c.Streams != want {
			t.Errorf("concurrency %d: calibration of %d streams, want %d", concurrency, c.Streams, want)
		}
	}
}

func TestDoubtsOfHarnessAndMachineAreWarnings(t *testing.T) {
	steal, foreign := 0.10, 0.20
	entries := []exobench.Entry{&exobench.Calibration{At: 1, Streams: 1, TTFTP50: 20 * time.Millisecond}}
	for seq := 1; seq <= 6; seq++ {
		entries = append(entries, ok(seq, exobench.Instant(10*seq), second)) // TTFT 100 ms
	}
	entries = append(entries, &exobench.Disturbance{At: 70 * second, Wall: time.Minute, Engine: "exo", Model: "one", Concurrency: 1,
		Steal: &steal, Foreign: &foreign, HiccupMax: 80 * time.Millisecond})
	c := only(t, entries...)
	text := strings.Join(c.Warnings, "\n")
	for _, want := range []string{"client-bound: the harness's own error in TTFT is 20ms", "took away 10", "Other processes", "kept from running for up to 80"} {
		if !strings.Contains(text, want) {
			t.Errorf("no warning with %q in:\n%s", want, text)
		}
	}
	if len(c.Warnings) != 4 {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestFirstEventsThatAreReadLate(t *testing.T) {
	d := new(delays)
	record := func(first, second exobench.Instant, delay int64) *exobench.Record {
		return &exobench.Record{
			Sent: 1e9, FirstToken: first, Delays: []int64{delay, 0},
			Chunks: exobench.Chunks{{At: first, Bytes: 1}, {At: second, Bytes: 1}},
		}
	}
	d.add(record(1.1e9, 1.1e9, 6e6)) // late, and shared: the only one that counts
	d.add(record(1.1e9, 1.1e9, 5e6)) // at the bound: the server sent both at once
	d.add(record(1.1e9, 1.2e9, 6e6)) // late, with a stamp of its own
	d.add(&exobench.Record{})        // no kernel stamps
	if got := d.result().FirstLate; got != 1.0/3 {
		t.Errorf("%v of the first events are late, want 1/3", got)
	}
}
