package summary_test

import (
	"fmt"
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

func ExampleBuild() {
	journal := []exobench.Entry{&exobench.Header{RunID: "r1"}}
	for i := range exobench.Instant(6) {
		sent := (10 + 10*i) * 1e9
		journal = append(journal, &exobench.Record{Model: "llama-3.2-1b", Concurrency: 1, Phase: exobench.Measured,
			Outcome: exobench.OK, Sent: sent, Done: sent + 2e9 + i*1e8, Ended: sent + 3e9})
	}
	run, err := summary.Build(slices.Values(journal))
	if err != nil {
		panic(err)
	}
	latency, _ := run.Cells[0].Metric(metric.Latency)
	fmt.Printf("%s: %.2f s [%.1f, %.1f], n = %d\n", run.Cells[0].Model, latency.Median, latency.Interval.Lo, latency.Interval.Hi, latency.N)
	fmt.Println(run.Warnings()[0])
	// Output:
	// llama-3.2-1b: 2.25 s [2.0, 2.5], n = 6
	// The run is incomplete: it was cut off after 6 measured requests. What follows is of those only.
}
