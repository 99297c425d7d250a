package report_test

import (
	"os"
	"slices"

	"exobench"
	"exobench/report"
	"exobench/summary"
)

func ExampleText() {
	journal := []exobench.Entry{
		&exobench.Header{RunID: "r1", Engines: []exobench.Engine{{Models: []exobench.Model{{Name: "llama-3.2-1b"}}}}},
		&exobench.Record{Model: "llama-3.2-1b", Phase: exobench.Measured, Concurrency: 1, Outcome: exobench.OK,
			Sent: 1e9, FirstToken: 1.25e9, LastToken: 3e9, Done: 3e9, Ended: 3e9},
		&exobench.End{At: 4e9, Reason: exobench.EndFinished},
	}
	run, err := summary.Build(slices.Values(journal))
	if err != nil {
		panic(err)
	}
	_ = report.Text(os.Stdout, run, 64)
	// Output:
	// Model            Conc.  n         Latency (s)  Tokens/s
	// llama-3.2-1b¹,²      1  1  2.00 (n too small)         –
	//
	// Median [95 % interval] of the n OK requests; additional memory
	// is peak − before the load.
	// Left out for want of width: Additional memory (GiB), TTFT (ms),
	// Throughput (tokens/s).
	// ¹ n = 1 is too small for a 95 % interval of a median: raise
	// --repeat so that each cell has at least 6 requests.
	// ² 1 of 1 OK requests tell no number of output tokens: there is
	// no throughput, and token metrics are without them.
}
