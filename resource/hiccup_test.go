package resource

import (
	"math"
	"runtime/metrics"
	"testing"
	"time"

	"exobench"
)

// beats runs a probe whose sleeps last a heartbeat and the gaps given.
func beats(all ...time.Duration) *gaps {
	var p probe
	var now time.Duration
	p.now = func() time.Duration { return now }
	i := 0
	p.sleep = func(beat time.Duration) {
		now += beat + all[i]
		if i++; i == len(all) {
			p.halt.Store(true)
		}
	}
	p.run()
	return &p.gaps
}

func TestProbeNotesHowMuchLaterItRan(t *testing.T) {
	g := beats(0, 40*time.Microsecond, 700*time.Microsecond, 20*time.Microsecond)
	if g.Count() != 4 || g.Max() != 700*time.Microsecond {
		t.Errorf("%d gaps, max %v; want 4, 700µs", g.Count(), g.Max())
	}
	// Nearest rank: the second of four, in a bucket at most 1/64 wide.
	if got := g.Quantile(0.5); got < 20*time.Microsecond || got > 20313*time.Nanosecond {
		t.Errorf("median %v, want 20µs or up to 1.6 %% more", got)
	}
	if got := g.Quantile(1); got != g.Max() {
		t.Errorf("the 1-quantile is %v, not the maximum", got)
	}
}

func TestAStallCountsForEveryBeatThatItTook(t *testing.T) {
	all := make([]time.Duration, 900)
	all[450] = 100 * heartbeat
	// 899 good beats, and 100, 99, ... 1 of them: the 990th of 999 is 91.
	g := beats(all...)
	if got := g.Quantile(0.99); g.Count() != 999 || got < 91*heartbeat || got > 93*heartbeat {
		t.Errorf("p99 of %d is %v, want 999 and 91 to 93 heartbeats", g.Count(), got)
	}
}

func TestProbeStopsAndTells(t *testing.T) {
	g := startProbe().stop()
	p99, known := g.values().Get(exobench.HiccupP99)
	most, _ := g.values().Get(exobench.HiccupMax)
	if !known || p99 > most {
		t.Errorf("it says %v", g.values())
	}
}

func TestQuantileSinceCountsOnlyWhatCame(t *testing.T) {
	histogram := func(counts ...uint64) *metrics.Float64Histogram {
		return &metrics.Float64Histogram{Counts: counts, Buckets: []float64{math.Inf(-1), 0, 1e-3, 2e-3, math.Inf(1)}}
	}
	before := histogram(0, 10, 0, 5)
	for _, row := range []struct {
		why   string
		after *metrics.Float64Histogram
		p     float64
		want  time.Duration
	}{
		{"nothing came", histogram(0, 10, 0, 5), 1, 0},
		{"the longest of 99 and 1", histogram(0, 109, 1, 5), 1, 2 * time.Millisecond},
		{"the 99th of 100", histogram(0, 109, 1, 5), 0.99, time.Millisecond},
		{"a bucket without an upper bound", histogram(0, 10, 0, 6), 1, 2 * time.Millisecond},
		{"no such metric", nil, 1, 0},
	} {
		if got := quantileSince(before, row.after, row.p); got != row.want {
			t.Errorf("%s: %v, want %v", row.why, got, row.want)
		}
	}
}

// BenchmarkWatch reports what watching costs, as a share of one core.
func BenchmarkWatch(b *testing.B) {
	for b.Loop() {
		before, began := *ownTime(), time.Now()
		w := startWatch(0)
		time.Sleep(2 * time.Second)
		w.stop()
		b.ReportMetric(100*float64(*ownTime()-before)/float64(time.Since(began)), "%core")
	}
}
