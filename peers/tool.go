package peers

import (
	"exobench"
)

// Tool is another benchmark, as of the version that was read.
type Tool struct {
	// Name is what Derive takes.
	Name string `json:"name"`
	// Title is its name for people, and Version the commit whose formulas these are.
	Title   string `json:"title"`
	Version string `json:"version"`
	// Percentile and SD say how it computes percentiles and standard deviations.
	Percentile string `json:"percentile"`
	SD         string `json:"sd"`
	// Counts are the outcomes that enter its figures. Tools that do not know how
	// many tokens were asked for count short answers like others.
	Counts []exobench.Outcome `json:"counts"`
	// Notes say what our records cannot reproduce in any of its figures.
	Notes []string `json:"notes,omitempty"`

	derive func(cell) []Measure
}

const (
	linear     = "linear interpolation between order statistics (numpy.percentile; type 7 of Hyndman and Fan)"
	population = "population (divided by n; numpy.std)"
	dialNote   = "times count from just before a request is started, which includes the time to connect"
	usageNote  = "output tokens are those of the record (server's usage first)"
)

var whole = []exobench.Outcome{exobench.OK, exobench.Short}

// Tools are the benchmarks that Derive knows.
var Tools = []Tool{
	{
		Name: "vllm", Title: "vllm bench serve (Python)", Version: "vllm/benchmarks/serve.py 009e6d4a, lib/endpoint_request_func.py 02cfb534",
		Percentile: linear, SD: population, Counts: whole, derive: vllm,
		Notes: []string{
			dialNote,
			usageNote + "; without usage the tool counts with a local tokenizer, or takes 1: here such a request has no TPOT and adds no tokens",
			"the tool has counted a stream with an error object in it as a success (vllm#57519); here it failed",
		},
	},
	{
		Name: "guidellm", Title: "guidellm", Version: "vllm-project/guidellm ee7a7745",
		Percentile: "inverse of the step-shaped distribution: the first value whose cumulated weight reaches p, without interpolation; the median too",
		SD:         "population, weighted as the mean", Counts: whole, derive: guidellm,
		Notes: []string{
			dialNote,
			usageNote + "; without any, each event with output counts as one",
			"the tool reads the wall clock (time.time), ours is monotonic",
			"warm-up and cool-down shares cut from its window are not applied",
		},
	},
	{
		Name: "aiperf", Title: "aiperf", Version: "ai-dynamo/aiperf db4f6397, with ttft_metric.py 58028d5b",
		Percentile: linear, SD: population, Counts: whole, derive: aiperf,
		Notes: []string{
			dialNote,
			usageNote + ", as with --use-server-token-count; by default the tool counts with a local tokenizer",
		},
	},
	{
		Name: "llama-bench", Title: "llama-bench", Version: "llama.cpp tools/llama-bench, get_ts and avg_ts (README 08d0baac)",
		Percentile: "none", SD: "sample (divided by n - 1)", Counts: []exobench.Outcome{exobench.OK}, derive: llamaBench,
		Notes: []string{
			"the tool runs the model in its own process on random tokens, without tokenisation, sampling, server or network; each request here stands for one repetition",
			"the tool prints a standard deviation of 0 for one repetition; here it is absent",
		},
	},
	{
		Name: ExoBench, Title: "exo bench/exo_bench.py", Version: "exo b5375f8",
		Percentile: "none", SD: "none", Counts: whole, derive: exoBench,
		Notes: []string{
			"the tool starts the requests of a batch together behind a barrier and repeats the batch; here all requests of the cell stand for its repeats",
		},
	},
}

// ByName returns the tool of that name.
func ByName(name string) (Tool, bool) {
	for _, t := range Tools {
		if t.Name == name {
			return t, true
		}
	}
	return Tool{}, false
}
