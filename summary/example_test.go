package summary_test

import (
	"fmt"
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

func ExampleBuild() {
	llama := exobench.Model{Name: "llama-3.2-1b"}
	journal := []exobench.Entry{
		&exobench.Header{RunID: "r1"}, &exobench.Session{ID: 1},
		&exobench.Step{ID: 1, Session: 1, Engine: "exo", Model: llama},
		&exobench.Cell{ID: 1, Engine: "exo", Model: llama, Traffic: exobench.Traffic{Concurrency: 1}},
		&exobench.Block{ID: 1, Step: 1, Cell: 1},
	}
	for i := range exobench.Instant(6) {
		sent := (10 + 10*i) * 1e9
		journal = append(journal, &exobench.Record{Block: 1, Outcome: exobench.OK, Sent: sent, Done: sent + 2e9 + i*1e8, Ended: sent + 3e9})
	}
	run, err := summary.Build(slices.Values(journal))
	if err != nil {
		panic(err)
	}
	c := run.Cell(1)
	latency, _ := c.Metric(metric.Latency)
	fmt.Printf("%s, %s: %.2f s [%.1f, %.1f], n = %d\n", c.Model, c.State, latency.Median, latency.Interval.Lo, latency.Interval.Hi, latency.N)
	fmt.Println(run.Warnings()[0].Kind)
	// Output:
	// llama-3.2-1b, measuring: 2.25 s [2.0, 2.5], n = 6
	// cut_off
}
