package peers

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"exobench"
	"exobench/summary"
)

const ms = exobench.Instant(1e6)

func at(instants ...exobench.Instant) exobench.Chunks {
	var c exobench.Chunks
	for _, i := range instants {
		c = append(c, exobench.Chunk{At: i * ms, Bytes: 4})
	}
	return c
}

// twoStreams are the measured requests of a cell, in milliseconds:
//
//	A: sent 1000, role-only chunk 1100, output 1200 (reasoning), 1220, 1260, 1300,
//	   finish reason 1310, closed 1320; 50 prompt tokens (10 cached), 5 output tokens
//	B: sent 1010, output 1210 (no role-only chunk) and 1250 (with the finish
//	   reason), closed 1260; 40 prompt tokens, 3 output tokens
//	C: sent 1000, failed 2000
func twoStreams() []*exobench.Record {
	a := &exobench.Record{
		Seq: 2, Outcome: exobench.OK,
		Sent: 1000 * ms, FirstChunk: 1100 * ms, FirstToken: 1200 * ms, FirstAnswer: 1220 * ms,
		LastToken: 1300 * ms, Done: 1310 * ms, Ended: 1320 * ms, Chunks: at(1200, 1220, 1260, 1300),
		PromptTokens: new(exobench.Tokens(50)), CachedTokens: new(exobench.Tokens(10)), OutputTokens: new(exobench.Tokens(5)),
		Server: &exobench.ServerStats{PrefillTPS: new(400.0), DecodeTPS: new(40.0)},
	}
	b := &exobench.Record{
		Seq: 3, Outcome: exobench.Short,
		Sent: 1010 * ms, FirstChunk: 1210 * ms, FirstToken: 1210 * ms, FirstAnswer: 1210 * ms,
		LastToken: 1250 * ms, Done: 1250 * ms, Ended: 1260 * ms, Chunks: at(1210, 1250),
		PromptTokens: new(exobench.Tokens(40)), OutputTokens: new(exobench.Tokens(3)),
		Server: &exobench.ServerStats{PrefillTPS: new(300.0), DecodeTPS: new(30.0)},
	}
	c := &exobench.Record{Seq: 4, Outcome: exobench.HTTPError,
		Sent: 1000 * ms, Ended: 2000 * ms}
	return []*exobench.Record{a, b, c}
}

// pair is the cell of twoStreams.
var pair = &summary.Cell{Subject: summary.Subject{Engine: "e", Model: "m"}, Traffic: exobench.Traffic{Concurrency: 2}}

func derived(t *testing.T, tool string, records []*exobench.Record) Report {
	t.Helper()
	report, err := Derive(tool, pair, slices.Values(records))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// check compares every figure of a report with those computed by hand.
func check(t *testing.T, report Report, hand map[string]float64) {
	t.Helper()
	seen := 0
	for _, m := range report.Measures {
		for _, f := range m.Figures {
			want, listed := hand[f.Name]
			if !listed {
				continue
			}
			seen++
			if math.Abs(f.Value-want) > 1e-9*max(1, math.Abs(want)) {
				t.Errorf("%s: %s = %v, want %v", report.Tool.Name, f.Name, f.Value, want)
			}
		}
	}
	if seen != len(hand) {
		t.Errorf("%s: %d figures of %d computed by hand in %+v", report.Tool.Name, seen, len(hand), report.Measures)
	}
}

func TestVLLMByHand(t *testing.T) {
	check(t, derived(t, "vllm", twoStreams()), map[string]float64{
		// A 1100 − 1000 (role-only), B 1210 − 1010: 100 and 200.
		"mean_ttft_ms": 150, "median_ttft_ms": 150, "std_ttft_ms": 50, // population
		"p99_ttft_ms": 199, // h = 1 · 0.99; 100 + 0.99 · 100
		// A 1310 − 1000, B 1250 − 1010: 310 and 240.
		"mean_e2el_ms": 275, "median_e2el_ms": 275, "std_e2el_ms": 35, "p99_e2el_ms": 309.3,
		// A (310 − 100) / 4 = 52.5, B (240 − 200) / 2 = 20.
		"mean_tpot_ms": 36.25, "median_tpot_ms": 36.25, "std_tpot_ms": 16.25, "p99_tpot_ms": 52.175,
		// A 1100 1200 1220 1260 1300 1310: 100 20 40 40 10; B 1210 1250: 40.
		"mean_itl_ms": 250.0 / 6, "median_itl_ms": 40,
		"p99_itl_ms": 97,                                         // h = 5 · 0.99 = 4.95; 40 + 0.95 · 60
		"std_itl_ms": math.Sqrt(15300.0/6 - (250.0/6)*(250.0/6)), // Σ squares 15300
		"completed":  2, "failed": 1, "total_output_tokens": 8,
		"duration":           1, // from 1000 to 2000, where C failed
		"request_throughput": 2, "output_throughput": 8, "total_token_throughput": 98,
		"max_output_tokens_per_s": 8, // 6 + 2 chunks, all in the first second
	})
}

func TestGuidellmByHand(t *testing.T) {
	check(t, derived(t, "guidellm", twoStreams()), map[string]float64{
		// To the close: A 0.320, B 0.250. Step: the cumulated share is 0.5 at 0.250.
		"request_latency.mean": 0.285, "request_latency.median": 0.25, "request_latency.std_dev": 0.035,
		"request_latency.percentiles.p95": 0.32, "request_latency.percentiles.p99": 0.32,
		// Reasoning counts: A 200, B 200. Content only: 220, 200.
		"time_to_first_token_ms.mean": 200, "time_to_first_token_ms.std_dev": 0,
		"time_to_first_output_token_ms.mean": 210, "time_to_first_output_token_ms.median": 200,
		// A 300 / 5 = 60 of weight 5, B 240 / 3 = 80 of weight 3.
		"time_per_output_token_ms.mean": 67.5, "time_per_output_token_ms.median": 60,
		"time_per_output_token_ms.percentiles.p95": 80,
		"time_per_output_token_ms.std_dev":         math.Sqrt(5.0/8*7.5*7.5 + 3.0/8*12.5*12.5),
		// A 100 / 4 = 25 of weight 4, B 40 / 2 = 20 of weight 2: share 1/3 at 20.
		"inter_token_latency_ms.mean": 140.0 / 6, "inter_token_latency_ms.median": 25,
		// 8 tokens from 1200 to 1300.
		"output_tokens_per_second.mean": 80,
	})
}

func TestAiperfByHand(t *testing.T) {
	check(t, derived(t, "aiperf", twoStreams()), map[string]float64{
		"time_to_first_token.avg": 200, "time_to_first_output_token.avg": 210,
		// 310 and 240.
		"request_latency.avg": 275, "request_latency.min": 240, "request_latency.max": 310, "request_latency.std": 35,
		"request_latency.p99": 309.3, "request_latency.p90": 303, "request_latency.p75": 292.5, "request_latency.p50": 275,
		// A (310 − 200) / 4 = 27.5, B (240 − 200) / 2 = 20.
		"inter_token_latency.avg": 23.75, "inter_token_latency.std": 3.75,
		// 20 40 40 and 40.
		"inter_chunk_latency.avg": 35, "inter_chunk_latency.p50": 40,
		// Means of the inverses, not inverse of the mean.
		"output_token_throughput_per_user.avg": (1000/27.5 + 50) / 2,
		"prefill_throughput_per_user.avg":      225, // 50 / 0.2 and 40 / 0.2
		// From 1000 to the last answer's end at 1310.
		"output_token_throughput": 8 / 0.31, "request_throughput": 2 / 0.31,
	})
}

func TestLlamaBenchByHand(t *testing.T) {
	records := twoStreams()
	records[1].Outcome = exobench.OK
	check(t, derived(t, "llama-bench", records), map[string]float64{
		"pp.avg_ts": 350, "pp.stdev_ts": math.Sqrt(5000), // 400 and 300; Σ squares / (n − 1)
		"tg.avg_ts": 35, "tg.stdev_ts": math.Sqrt(50),
	})
	records[1].Server = nil // then the client's, for both
	check(t, derived(t, "llama-bench", records), map[string]float64{
		"pp.avg_ts": 200, "pp.stdev_ts": 0, // (50 − 10) / 0.2 and 40 / 0.2
		"tg.avg_ts": 45, "tg.stdev_ts": math.Sqrt(50), // 4 / 0.1 and 2 / 0.04
	})
	records = records[:1]
	if _, ok := derived(t, "llama-bench", records).Value("tg.stdev_ts"); ok {
		t.Error("one repetition has a standard deviation")
	}
}

func TestExoBenchByHand(t *testing.T) {
	records := twoStreams()
	check(t, derived(t, "exo-bench", records), map[string]float64{
		"prompt_tps": 350, "generation_tps": 35,
		"gen_tps":             80,    // max(40, 30) · 2
		"elapsed_s":           0.285, // 0.320 and 0.250
		"gen_tokens":          4,
		"sum_tokens_per_wall": 8, // 8 tokens from 1000 to 2000
	})
	records[0].Server, records[1].Server = nil, nil
	check(t, derived(t, "exo-bench", records), map[string]float64{
		"prompt_tps":     (50/0.22 + 40/0.2) / 2,
		"generation_tps": 20, // 2 more chunks in 1220 → 1320, 1 more in 1210 → 1260
		"gen_tps":        40,
	})
	records[0].Server = &exobench.ServerStats{DecodeTPS: new(0.0)}
	if got, ok := derived(t, "exo-bench", records).Value("generation_tps"); ok {
		t.Errorf("the server has no rate, and the report %v", got)
	}
}

func TestOneTokenHasNoTimePerToken(t *testing.T) {
	one := twoStreams()[0]
	one.OutputTokens, one.Chunks, one.LastToken, one.Done = new(exobench.Tokens(1)), one.Chunks[:1], one.FirstToken, one.FirstToken
	for tool, name := range map[string]string{
		"vllm": "mean_tpot_ms", "guidellm": "inter_token_latency_ms.mean", "aiperf": "inter_token_latency.avg",
	} {
		if got, ok := derived(t, tool, []*exobench.Record{one}).Value(name); ok {
			t.Errorf("%s: %s is %v", tool, name, got)
		}
	}
	// guidellm's counts the first token: 200 ms / 1.
	if got, _ := derived(t, "guidellm", []*exobench.Record{one}).Value("time_per_output_token_ms.mean"); got != 200 {
		t.Errorf("guidellm's TPOT of one token is %v, want 200", got)
	}
}

func TestWithoutUsageGuidellmCountsEventsAndOthersNothing(t *testing.T) {
	a := twoStreams()[0]
	a.OutputTokens = nil
	if got, _ := derived(t, "guidellm", []*exobench.Record{a}).Value("time_per_output_token_ms.mean"); got != 75 { // 300 / 4
		t.Errorf("guidellm: %v, want 75", got)
	}
	for tool, name := range map[string]string{"vllm": "mean_tpot_ms", "aiperf": "inter_token_latency.avg", "exo-bench": "gen_tokens"} {
		if got, ok := derived(t, tool, []*exobench.Record{a}).Value(name); ok {
			t.Errorf("%s: %s is %v", tool, name, got)
		}
	}
}

func TestDeriveSaysWhyNot(t *testing.T) {
	for _, row := range []struct {
		tool    string
		records []*exobench.Record
		says    string
	}{
		{"wrk", twoStreams(), "none of vllm, guidellm, aiperf, llama-bench, exo-bench"},
		{"vllm", twoStreams()[2:], "none of 1 measured requests counts"},
		{"vllm", nil, "none of 0 measured requests counts"},
	} {
		if _, err := Derive(row.tool, pair, slices.Values(row.records)); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: error is %v, want %q", row.tool, err, row.says)
		}
	}
}

func TestReportsAreTextAndJSON(t *testing.T) {
	for _, tool := range Tools {
		report := derived(t, tool.Name, twoStreams())
		var text bytes.Buffer
		if err := report.Text(&text); err != nil {
			t.Fatal(err)
		}
		var back Report
		if data, err := json.Marshal(report); err != nil {
			t.Errorf("%s: %v", tool.Name, err)
		} else if err := json.Unmarshal(data, &back); err != nil || len(back.Measures) != len(report.Measures) {
			t.Errorf("%s: %v", tool.Name, err)
		}
		if report.Engine != "e" || report.Model != "m" || report.Concurrency != 2 {
			t.Errorf("%s: the cell is %+v", tool.Name, report)
		}
		for _, m := range report.Measures {
			if m.Name == "" || m.Unit == "" || m.Definition == "" || m.N == 0 {
				t.Errorf("%s: %+v lacks a part", tool.Name, m)
			}
			for _, f := range m.Figures {
				if strings.Count(text.String(), "  "+f.Name+" ") != 1 {
					t.Errorf("%s: %s does not stand once in\n%s", tool.Name, f.Name, &text)
				}
			}
		}
		if tool.Name == "exo-bench" && !strings.Contains(text.String(), "UPPER BOUND") {
			t.Errorf("the upper bound is not called one:\n%s", &text)
		}
		t.Logf("\n%s", &text)
	}
}

func TestStepQuantileIsAValueOfTheSample(t *testing.T) {
	values := merged([]weighted{{3, 1}, {1, 2}, {2, 0}, {3, 1}})
	for _, row := range []struct{ p, want float64 }{{0, 1}, {0.5, 1}, {0.501, 3}, {1, 3}} {
		if got := stepQuantile(values, row.p); got != row.want {
			t.Errorf("%v-quantile is %v, want %v", row.p, got, row.want)
		}
	}
}

func TestAFigureThatCannotBeIsInNone(t *testing.T) {
	for _, tool := range Tools {
		clean := derived(t, tool.Name, twoStreams())
		records := twoStreams()
		records[0].Server.PrefillTPS, records[0].Server.DecodeTPS = new(1.7e308), new(math.Inf(1))
		records[1].PromptTokens, records[1].OutputTokens = new(exobench.Tokens(math.MaxInt64)), new(exobench.Tokens(math.MinInt64))
		report := derived(t, tool.Name, records)
		if _, err := json.Marshal(report); err != nil {
			t.Errorf("%s: %v", tool.Name, err)
		}
		for _, m := range report.Measures {
			for _, f := range m.Figures {
				if was, known := clean.Value(f.Name); math.Abs(f.Value) > mostPossible || known && math.Abs(f.Value) > 1e3*math.Abs(was)+1e6 {
					t.Errorf("%s: %s is %v, without the absurd figures %v", tool.Name, f.Name, f.Value, was)
				}
			}
		}
	}
}
