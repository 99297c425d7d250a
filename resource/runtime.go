package resource

import (
	"math"
	"runtime/metrics"
	"time"
)

// goRuntime is what our Go runtime tells of its own delays since the program
// began.
type goRuntime struct{ pauses, latencies *metrics.Float64Histogram }

func readRuntime() goRuntime {
	samples := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}, {Name: "/sched/latencies:seconds"}}
	metrics.Read(samples)
	histogram := func(v metrics.Value) *metrics.Float64Histogram {
		if v.Kind() != metrics.KindFloat64Histogram {
			return nil // a later Go may drop the metric
		}
		return v.Float64Histogram()
	}
	return goRuntime{histogram(samples[0].Value), histogram(samples[1].Value)}
}

// since returns the longest stop of the world for the garbage collector, and how
// long goroutines that could run waited to, at the 99th percentile. Both are the
// upper bounds of the runtime's buckets, and 0 where there was nothing to count.
func (r goRuntime) since(before goRuntime) (pauseMax, schedulerP99 time.Duration) {
	return quantileSince(before.pauses, r.pauses, 1), quantileSince(before.latencies, r.latencies, 0.99)
}

// quantileSince is the p-quantile of what came to a histogram between two readings.
func quantileSince(before, after *metrics.Float64Histogram, p float64) time.Duration {
	if before == nil || after == nil || len(before.Counts) != len(after.Counts) {
		return 0
	}
	var all uint64
	for i := range after.Counts {
		all += after.Counts[i] - before.Counts[i]
	}
	var seen uint64
	for i := range after.Counts {
		seen += after.Counts[i] - before.Counts[i]
		if seen == 0 || float64(seen) < p*float64(all) {
			continue
		}
		bound := after.Buckets[i+1]
		if math.IsInf(bound, 1) {
			bound = after.Buckets[i]
		}
		return time.Duration(math.Round(bound * 1e9))
	}
	return 0
}
