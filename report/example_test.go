package report_test

import (
	"os"
	"slices"

	"exobench"
	"exobench/report"
	"exobench/summary"
)

func ExamplePlain() {
	model := exobench.Model{Name: "llama-3.2-1b", ID: "org/Llama-3.2-1B"}
	journal := []exobench.Entry{
		&exobench.Header{Schema: exobench.SchemaVersion, RunID: "r1", Engines: []exobench.Engine{{Name: "exo", IgnoresEOS: true, Models: []exobench.Model{model}}}},
		&exobench.Session{ID: 1},
		&exobench.Step{ID: 1, Session: 1, Engine: "exo", Model: model},
		&exobench.Cell{ID: 1, Engine: "exo", Model: model, Traffic: exobench.Traffic{Concurrency: 1}},
		&exobench.Block{ID: 1, Step: 1, Cell: 1, At: 1},
		&exobench.Record{Seq: 1, Block: 1, Outcome: exobench.OK, Sent: 1e9, FirstToken: 1.25e9, LastToken: 3e9, Done: 3e9, Ended: 3e9},
		&exobench.End{At: 4e9, Session: 1, Reason: exobench.EndFinished},
	}
	run, err := summary.Build(slices.Values(journal))
	if err != nil {
		panic(err)
	}
	_ = report.Plain(os.Stdout, report.Brief(run), 64)
	// Output:
	// Median [95 % interval] of the n OK requests; additional memory
	// is peak − before the load.
	//
	// Model            Conc.  n         Latency (s)  Tokens/s
	// llama-3.2-1b¹,²      1  1  2.00 (n too small)         –
	//
	// Left out for want of width: Additional memory (GiB), TTFT (ms),
	// Throughput (tokens/s).
	// ¹ n = 1 is too small for a 95 % interval of a median: raise
	// --repeat so that each cell has at least 6 requests.
	// ² 1 of 1 OK requests tell no number of output tokens: there is
	// no throughput, and token metrics are without them.
}
