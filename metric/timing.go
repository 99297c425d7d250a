package metric

import (
	"math"
	"time"

	"exobench"
	"exobench/stat"
)

// seconds returns the span between two instants, if both were reached.
func seconds(from, to exobench.Instant) (float64, bool) {
	if !from.Reached() || !to.Reached() {
		return 0, false
	}
	return to.Sub(from).Seconds(), true
}

func latency(r *exobench.Record) (float64, bool) { return seconds(r.Sent, r.Done) }

func latencyFromSchedule(r *exobench.Record) (float64, bool) { return seconds(r.Scheduled, r.Done) }

func ttft(r *exobench.Record) (float64, bool) { return seconds(r.Sent, r.FirstToken) }

func ttftFromSchedule(r *exobench.Record) (float64, bool) { return seconds(r.Scheduled, r.FirstToken) }

// slip is that of an open loop; a closed one schedules a request by sending it.
func slip(r *exobench.Record) (float64, bool) { return seconds(r.Scheduled, r.Sent) }

func ttfa(r *exobench.Record) (float64, bool) { return seconds(r.Sent, r.FirstAnswer) }

func interChunkMean(r *exobench.Record) (float64, bool) {
	n := len(r.Chunks) - 1
	if n < 1 {
		return 0, false
	}
	// The sum of the gaps, without the rounding of a sum.
	return r.Chunks[n].At.Sub(r.Chunks[0].At).Seconds() / float64(n), true
}

func interChunkMax(r *exobench.Record) (float64, bool) {
	if len(r.Chunks) < 2 {
		return 0, false
	}
	longest := time.Duration(math.MinInt64)
	for i := 1; i < len(r.Chunks); i++ {
		longest = max(longest, r.Chunks[i].At.Sub(r.Chunks[i-1].At))
	}
	return longest.Seconds(), true
}

// interChunkQuantile takes a quantile of the gaps. It runs for every request of a
// journal, so the gaps of most answers fit in space of its own.
func interChunkQuantile(p float64) func(*exobench.Record) (float64, bool) {
	return func(r *exobench.Record) (float64, bool) {
		var space [128]float64
		gaps := space[:0]
		for i := 1; i < len(r.Chunks); i++ {
			gaps = append(gaps, r.Chunks[i].At.Sub(r.Chunks[i-1].At).Seconds())
		}
		return stat.Sorted(gaps).Quantile(p)
	}
}
