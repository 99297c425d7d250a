package report

import (
	"slices"
	"strings"
	"testing"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

func TestTheMemoryOfAReportIsExplained(t *testing.T) {
	const mib = exobench.Bytes(1 << 20)
	level := func(total, anonymous, file, swap exobench.Bytes) *summary.Level {
		return &summary.Level{Total: total * mib, Anonymous: new(anonymous * mib), File: new(file * mib), Swap: new(swap * mib)}
	}
	subject := summary.Subject{Engine: "llamacpp", Model: "llama-3.2-1b"}
	cell := func(id int, k *summary.KVCache, h *summary.HighWater) summary.Cell {
		return summary.Cell{
			ID: id, Subject: subject, Traffic: exobench.Traffic{Concurrency: 4}, KVCache: k, HighWater: h,
			Memory:  summary.RequestMemory{Source: summary.FromPSS, Peak: level(1550, 900, 650, 0)},
			Metrics: map[string]summary.Summary{metric.MemoryInference: {N: 6, Median: float64(40 * mib), Max: float64(50 * mib)}},
		}
	}
	seen := 128 * exobench.Bytes(1<<10)
	run := &summary.Run{
		Header: exobench.Header{Engines: []exobench.Engine{{Name: "llamacpp", Models: []exobench.Model{{Name: "llama-3.2-1b"}}}}},
		Steps: []summary.Step{
			{ID: 1, Subject: subject, Before: level(100, 90, 10, 0), Loaded: level(1500, 850, 650, 12), Released: level(400, 390, 10, 0), Weights: summary.WeightsTwice},
			{ID: 2, Subject: subject, Before: level(100, 90, 10, 0), Loaded: level(1500, 850, 650, 0), Released: level(110, 100, 10, 0), Weights: summary.WeightsMapped},
		},
		Cells: []summary.Cell{
			cell(1, &summary.KVCache{PerToken: 32 << 10, Tokens: 400, Seen: &seen, AtLoad: true}, &summary.HighWater{Processes: new(1700 * mib), Rose: true}),
			cell(2, &summary.KVCache{PerToken: 32 << 10}, &summary.HighWater{Processes: new(1600 * mib)}),
		},
	}
	s := memory(run)
	var b strings.Builder
	if err := Markdown(&b, &Document{Title: "x", Sections: []Section{s}}); err != nil {
		t.Fatal(err)
	}
	golden(t, "memory.md", []byte(b.String()))
	left := slices.DeleteFunc(stepMemorySentences(run), func(text string) bool { return !strings.Contains(text, "more than before") })
	if len(left) != 1 || !strings.Contains(left[0], "300 MiB") {
		t.Errorf("of what is left: %q", left)
	}
}
