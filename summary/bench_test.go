package summary

import (
	"iter"
	"runtime"
	"testing"

	"exobench"
)

// million is a journal of n measured requests of 20 events each, made as it is
// read, so that its own memory does not count.
func million(n int) iter.Seq[exobench.Entry] {
	return func(yield func(exobench.Entry) bool) {
		if !yield(header()) {
			return
		}
		for i := range n {
			sent := exobench.Instant(i+1) * 10 * ms
			latency := exobench.Instant(200+i%97) * ms
			r := &exobench.Record{
				Seq: i + 1, Engine: "exo", Model: "one", ModelID: "org/one", PromptID: "a", Phase: exobench.Measured, Concurrency: 32,
				Outcome: exobench.OK, Scheduled: sent, Sent: sent, FirstToken: sent + 50*ms, FirstAnswer: sent + 50*ms,
				LastToken: sent + latency, Done: sent + latency, Ended: sent + latency, OutputTokens: tokens(20), TokensFrom: exobench.FromUsage,
				PromptTokens: tokens(30), CachedTokens: tokens(0), Delays: make([]int64, 20),
			}
			for c := range exobench.Instant(20) {
				r.Chunks = append(r.Chunks, exobench.Chunk{At: r.FirstToken + c*(latency-50*ms)/19, Bytes: 4})
			}
			if !yield(r) {
				return
			}
		}
		yield(end(exobench.Instant(n)))
	}
}

// BenchmarkMillion summarises a million requests: time, and the heap that the
// summary holds at its end.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		run, err := Build(million(1_000_000))
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-held")
		b.ReportMetric(float64(m.Sys)/1e6, "MB-from-system")
		runtime.KeepAlive(run)
	}
}
