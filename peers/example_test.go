package peers_test

import (
	"fmt"
	"slices"

	"exobench"
	"exobench/peers"
	"exobench/summary"
)

func ExampleDerive() {
	const ms = exobench.Instant(1e6)
	records := []*exobench.Record{{
		Outcome: exobench.OK, OutputTokens: new(exobench.Tokens(11)),
		// The first chunk carries a role only.
		Sent: 1000 * ms, FirstChunk: 1050 * ms, FirstToken: 1200 * ms, LastToken: 1400 * ms, Done: 1400 * ms,
	}}
	cell := &summary.Cell{Traffic: exobench.Traffic{Concurrency: 1}}
	vllm, _ := peers.Derive("vllm", cell, slices.Values(records))
	guidellm, _ := peers.Derive("guidellm", cell, slices.Values(records))
	fmt.Println(vllm.Value("mean_ttft_ms"))
	fmt.Println(guidellm.Value("time_to_first_token_ms.mean"))
	// Output:
	// 50 true
	// 200 true
}
